//! What Prometheus reads, from a file and over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use envoi_batch::metrics::{Metrics, Server};
use envoi_batch::schedule::{Ending, Event, Schedule};

use crate::simulation::at;

fn metrics() -> Metrics {
    let jobs = "[[job]]\nname = \"a\"\ncron = \"@daily\"\n[[job]]\nname = \"b\"\ncron = \"@daily\"";
    let metrics = Metrics::new(&Schedule::parse(jobs, "x").unwrap());
    let due = at("2026-11-01T00:00:00Z");
    let job = || "a".to_owned();
    metrics.observe(&Event::Leads { fence: 3 });
    metrics.observe(&Event::Started { job: job(), due, attempt: 1, late: Duration::from_millis(1500) });
    metrics.observe(&Event::Ended {
        job: job(),
        due,
        attempt: 1,
        ending: Ending::Failed,
        message: String::new(),
        run_id: None,
        took: Duration::from_secs(2),
        at: at("2026-11-01T00:00:02Z"),
        again: None,
    });
    metrics.observe(&Event::Ended {
        job: job(),
        due,
        attempt: 2,
        ending: Ending::Success,
        message: String::new(),
        run_id: None,
        took: Duration::from_secs(3),
        at: at("2026-11-01T00:01:00Z"),
        again: None,
    });
    metrics.observe(&Event::Next { job: job(), due: at("2026-11-02T00:00:00Z"), start: at("2026-11-02T00:00:09Z") });
    metrics.observe(&Event::Skipped { job: job(), due, count: 4 });
    metrics.observe(&Event::Trouble { what: "x".to_owned() });
    metrics
}

#[test]
fn text_and_file() {
    let text = metrics().text();
    for line in [
        "envoi_scheduler_leader 1",
        "envoi_scheduler_troubles_total 1",
        "envoi_job_runs_total{job=\"a\",outcome=\"success\"} 1",
        "envoi_job_runs_total{job=\"a\",outcome=\"failed\"} 1",
        "envoi_job_runs_total{job=\"b\",outcome=\"success\"} 0",
        "envoi_job_running{job=\"a\"} 0",
        "envoi_job_duration_seconds_total{job=\"a\"} 5",
        "envoi_job_last_duration_seconds{job=\"a\"} 3",
        "envoi_job_last_success_timestamp_seconds{job=\"a\"} 1793491260",
        "envoi_job_last_success{job=\"a\"} 1",
        "envoi_job_next_due_timestamp_seconds{job=\"a\"} 1793577600",
        "envoi_job_lag_seconds{job=\"a\"} 1.5",
        "envoi_job_skipped_total{job=\"a\"} 4",
    ] {
        assert!(text.lines().any(|l| l == line), "`{line}` is not in\n{text}");
    }
    // Every figure is of a name that was described, once.
    let mut names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(names.contains(&name), "{line}");
    }
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("envoi.prom");
    metrics().write(&path).unwrap();
    metrics().write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let told = metrics().write(&folder.path().join("none/envoi.prom")).unwrap_err();
    assert!(told.contains("cannot write `"), "{told}");
}

#[test]
fn over_http_to_this_machine_only() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let told = runtime.block_on(Server::bind("0.0.0.0:0".parse().unwrap())).unwrap_err();
    assert!(told.contains("is not on loopback"), "{told}");
    let server = runtime.block_on(Server::bind("127.0.0.1:0".parse().unwrap())).unwrap();
    let address = server.address().unwrap();
    runtime.spawn(server.run(Arc::new(metrics())));
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        // The answer to a request that is too long may come before all of it is read.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    };
    let host = format!("Host: {address}\r\n\r\n");
    let answer = ask(&format!("GET /metrics HTTP/1.1\r\n{host}"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&metrics().text()), "{answer}");
    assert!(ask(&format!("GET /health HTTP/1.1\r\n{host}")).ends_with("\r\n\r\nok\n"));
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\n{host}"), "404 "),
        (format!("POST /metrics HTTP/1.1\r\n{host}"), "405 "),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), "403 "),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example:9\r\n\r\n".to_owned(), "403 "),
        ("GET /metrics".to_owned(), "400 "),
        ("\r\n\r\n".to_owned(), "405 "),
        (format!("GET /metrics HTTP/1.1\r\n{host}").replace('/', "\0"), "405 "),
    ] {
        let answer = ask(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) || request.contains('\0'), "{request}: {answer}");
    }
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(100_000));
    let answer = ask(&long);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(ask(&format!("GET /health HTTP/1.1\r\n{host}")).ends_with("ok\n"));
}
