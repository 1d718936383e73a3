//! Who is told what: webhooks and commands, which may fail and hold secrets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use envoi_batch::notify::{Channel, Notifier, Report};
use envoi_batch::schedule::{End, Ending, Schedule};

use crate::history::record;
use crate::simulation::at;

/// A server that gives these answers one after the other, the last for ever, and keeps what it was sent.
fn server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&sent);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut text = String::new();
            while reader.read_line(&mut text).unwrap() > 2 {}
            let length = text.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(text + &String::from_utf8(body).unwrap());
            let answer = answers[number.min(answers.len() - 1)];
            if answer == "silence" {
                let _ = stream.read(&mut [0]);
                continue;
            }
            let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (base, sent)
}

fn channels(toml: &str) -> Vec<(String, Channel)> {
    let schedule = Schedule::parse(&format!("[notify.ops]\n{toml}\n"), "x").unwrap();
    schedule.notify.into_iter().collect()
}

fn report(ending: Ending, before: Option<Ending>) -> Report {
    let schedule = Schedule::parse("[[job]]\nname = \"marts\"\ncron = \"@daily\"", "x").unwrap();
    let end = End {
        ending,
        message: "model a: no such column".to_owned(),
        run_id: Some("20261101T000000.000Z-x".to_owned()),
        at: at("2026-11-01T00:00:07Z"),
        holder: "one".to_owned(),
        last: false,
        nonce: "x".to_owned(),
    };
    Report::new(&schedule.jobs[0], at("2026-11-01T00:00:00Z"), 2, &end, before, Some(&record(1)))
}

fn tell(toml: &str, report: &Report) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Notifier { pause: Duration::ZERO }.tell(&channels(toml), report))
}

#[test]
fn by_webhook() {
    let (base, sent) = server(&["503 x", "200 OK"]);
    // A variable that cargo sets stands for a secret.
    let toml =
        format!("webhook = \"{base}/hook?key=geheim\"\nheaders = {{ Authorization = \"Bearer ${{CARGO_PKG_NAME}}\" }}");
    assert_eq!(tell(&toml, &report(Ending::Failed, None)), [""; 0]);
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert!(
        sent[1].starts_with("POST /hook?key=geheim HTTP/1.1") && sent[1].contains("Bearer envoi-batch"),
        "{}",
        sent[1]
    );
    let body: serde_json::Value = serde_json::from_str(sent[1].split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["text"], "envoi: marts failed: model a: no such column");
    assert_eq!((&body["outcome"], &body["attempt"]), (&"failed".into(), &2.into()));
    assert_eq!((&body["failed_model"], &body["blocked"][0]), (&"a".into(), &"b".into()));
    assert_eq!(body["run_id"], "20261101T000000.000Z-x");
}

#[test]
fn a_webhook_that_does_not_work_is_said_without_its_secrets() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (elsewhere, reached) = server(&["200 OK"]);
    let redirect: &'static str = Box::leak(format!("307 x\r\nlocation: {elsewhere}/").into_boxed_str());
    let (moved, _) = server(Box::leak(Box::new([redirect])));
    for (base, words, tried) in [
        (server(&["500 x"]).0, "answered 500, tried 3 times", Some(3)),
        (server(&["404 x"]).0, "answered 404", None),
        (moved, "answered 307: redirects are not followed", None),
        (server(&["silence"]).0, "no answer in time", None),
        (server(&["nonsense"]).0, "", None),
        (format!("http://{closed}"), "connection refused", None),
    ] {
        let toml = format!("webhook = \"{base}/geheim\"\ntimeout = \"200ms\"\nheaders = {{ X-Key = \"geheim\" }}");
        let told = tell(&toml, &report(Ending::Failed, None));
        assert_eq!(told.len(), 1, "{tried:?}");
        let told = &told[0];
        assert!(told.starts_with("cannot notify `ops`: http://127.0.0.1: ") && told.contains(words), "{words}: {told}");
        assert!(!told.contains("geheim"), "{told}");
    }
    assert!(reached.lock().unwrap().is_empty());
    let told = tell("webhook = \"${ENVOI_NO_SUCH_VARIABLE}\"", &report(Ending::Failed, None));
    assert!(told[0].contains("environment variable `ENVOI_NO_SUCH_VARIABLE` is not set"), "{told:?}");
}

#[cfg(unix)]
#[test]
fn by_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let script = "cat > \"$1\"; echo \"$ENVOI_JOB $ENVOI_OUTCOME $ENVOI_RUN_ID $ENVOI_ATTEMPT $ENVOI_DUE\" >> \"$1\"";
    let toml = format!("command = [\"/bin/sh\", \"-c\", {script:?}, \"sh\", {:?}]", file.to_str().unwrap());
    assert_eq!(tell(&toml, &report(Ending::Failed, None)), [""; 0]);
    let told = std::fs::read_to_string(&file).unwrap();
    assert!(told.contains("\"outcome\":\"failed\""), "{told}");
    assert!(told.ends_with("marts failed 20261101T000000.000Z-x 2 2026-11-01T00:00:00Z\n"), "{told}");
    for (command, words) in [
        ("[\"/bin/sh\", \"-c\", \"echo no mail today >&2; exit 3\"]", "exit status: 3: no mail today"),
        ("[\"/no/such/program\"]", "`/no/such/program` cannot be run: "),
        ("[\"/bin/sh\", \"-c\", \"exec sleep 100\"]\ntimeout = \"100ms\"", "took longer than 0.1 s"),
        ("[\"/bin/false\", \"; touch x\"]", "ended with"),
    ] {
        let told = tell(&format!("command = {command}"), &report(Ending::Failed, None));
        assert!(told.len() == 1 && told[0].contains(words), "{command}: {told:?}");
    }
}

#[cfg(unix)]
#[test]
fn of_what() {
    let tells = |on: &str, ending, before| {
        let toml = format!("command = [\"/bin/false\"]\non = [{on}]");
        !tell(&toml, &report(ending, before)).is_empty()
    };
    use Ending::{Cancelled, Failed, Success, TimedOut};
    for (on, ending, before, expected) in [
        ("\"failure\"", Failed, None, true),
        ("\"failure\"", TimedOut, None, true),
        ("\"failure\"", Success, Some(Failed), false),
        ("\"failure\"", Cancelled, None, false),
        ("\"success\"", Success, None, true),
        ("\"success\"", Failed, None, false),
        ("\"recovery\"", Success, Some(Failed), true),
        ("\"recovery\"", Success, Some(Success), false),
        ("\"recovery\"", Success, None, false),
        ("\"always\"", Cancelled, None, true),
        ("\"failure\", \"recovery\"", Success, Some(TimedOut), true),
    ] {
        assert_eq!(tells(on, ending, before), expected, "{on} {ending:?} {before:?}");
    }
}
