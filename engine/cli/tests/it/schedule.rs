//! `envoi schedule` and `envoi history`, with jobs that are due every second.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::run::{command, envoi};
use crate::server::{Reply, Server};

/// A scheduler that runs, and what it says.
struct Running {
    child: Child,
    err: BufReader<ChildStderr>,
    heard: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, heard: String::new() }
    }

    /// Reads until a line has these words.
    fn hear(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.err.read_line(&mut line).unwrap() > 0, "it ended without `{words}`:\n{}", self.heard);
            self.heard += &line;
            if line.contains(words) {
                return line;
            }
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As SIGTERM; gives the exit code and all it said.
    fn stop(mut self) -> (Option<i32>, String) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        self.err.read_to_string(&mut self.heard).unwrap();
        (self.child.wait().unwrap().code(), self.heard)
    }
}

fn jobs(folder: &Path, text: &str) {
    std::fs::create_dir_all(folder.join("jobs")).unwrap();
    std::fs::write(folder.join("jobs/schedule.toml"), text).unwrap();
}

const EVERY_SECOND: &str = "lease = \"1s\"\nshutdown = \"20s\"\n[[job]]\nname = \"refresh\"\naction = \"fetch\"\n\
                            select = [\"ecb.fx\"]\ncron = \"* * * * * *\"\nmisfire = \"latest\"\n";

fn schedule(folder: &Path, server: &Server, more: &[&str]) -> Command {
    let mut command = command(folder, &[&["schedule", "--dir", "jobs"], more].concat());
    command.env("ENVOI__FETCH__BASE", &server.base).env("ENVOI__FETCH__PAUSE", "0").env("ENVOI__FETCH__RETRIES", "0");
    command
}

#[test]
fn when_jobs_are_due() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), &["schedule", "--list"], "");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for words in
        ["job ", "refresh  fetch   0 5 * * 1-5", "marts    run ", "quality  check ", "brief    brief ", " +00:00\n"]
    {
        assert!(out.contains(words), "`{words}` is not in\n{out}");
    }
    assert_eq!(out.lines().count(), 13);
    // A folder of one's own, found without being named.
    std::fs::create_dir_all(folder.path().join("sql/jobs")).unwrap();
    let own = "[[job]]\nname = \"mine\"\ncron = \"@hourly\"\ntime_zone = \"Asia/Kathmandu\"\n";
    std::fs::write(folder.path().join("sql/jobs/schedule.toml"), own).unwrap();
    let (code, out, _) = envoi(folder.path(), &["schedule", "--dry-run", "5"], "");
    assert!(code == 0 && out.lines().count() == 6 && out.contains(" +05:45\n"), "{out}");
    assert!(!folder.path().join("home/data").exists(), "nothing was run");
}

#[test]
fn what_is_wrong_is_found_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = envoi(folder.path(), &["schedule", "--dir", "jobs"], "");
    assert!(code == 2 && err.starts_with("error: cannot read `jobs/schedule.toml`: "), "{err}");
    for (text, words) in [
        ("[[job]]\nname = \"a\"\ncron = \"0 0 30 2 *\"\n", "error: jobs/schedule.toml:3:8: `0 0 30 2 *` is never due"),
        (
            "[[job]]\nname = \"a\"\ncorn = \"@daily\"\n",
            "jobs/schedule.toml:3:1: unknown key `corn`; did you mean `cron`?",
        ),
        (
            "[[job]]\nname = \"a\"\naction = \"fetch\"\nselect = [\"worldbank.wdy\"]\ncron = \"@daily\"\n",
            "job `a`: unknown source `worldbank.wdy`; known are `worldbank.wdi`",
        ),
        (
            "[[job]]\nname = \"a\"\naction = \"check\"\nselect = [\"transfers\"]\ncron = \"@daily\"\n",
            "job `a`: no check reads `transfers`",
        ),
        (
            "[[job]]\nname = \"a\"\nselect = [\"corridors+\", \"tag:daly\"]\ncron = \"@daily\"\n",
            "jobs/schedule.toml:2: job `a`: no model has tag `daly`; did you mean `daily`?",
        ),
        (
            "[[job]]\nname = \"a\"\nselect = [\"coridors\"]\ncron = \"@daily\"\n",
            "job `a`: `coridors` is no model of jobs; did you mean `corridors`?",
        ),
        (
            "[[job]]\nname = \"a\"\naction = \"brief\"\ncountry = \"Mexiko\"\noutput = \"b.html\"\ncron = \"@daily\"\n",
            "job `a`: unknown economy `Mexiko`; did you mean MEX (Mexico)?",
        ),
        (
            "[[job]]\nname = \"a\"\naction = \"brief\"\noutput = \"none/b.html\"\ncron = \"@daily\"\n",
            "job `a`: `output` is in `none`, which is not a folder",
        ),
        (
            "[[job]]\nname = \"a\"\naction = \"check\"\noutput = \"report\"\ncron = \"@daily\"\n",
            "job `a`: `output = \"report\"` has no ending of a format",
        ),
        ("", "there are no jobs to run"),
        (
            "[notify.n]\ncommand = [\"true\"]\non = []\n[[job]]\nname = \"a\"\ncron = \"@daily\"\nnotify = [\"n\"]\n",
            "[notify.n]: `on` is empty, so nobody is ever told; leave it out for `failure` and `recovery`",
        ),
        (
            "[notify.n]\nwebhook = \"${ENVOI_NO_SUCH}\"\n[[job]]\nname = \"a\"\ncron = \"@daily\"\nnotify = [\"n\"]\n",
            "[notify.n]: environment variable `ENVOI_NO_SUCH` is not set",
        ),
    ] {
        jobs(folder.path(), text);
        std::fs::write(folder.path().join("jobs/corridors.sql"), "select 1 as x").unwrap();
        std::fs::write(folder.path().join("jobs/corridors.toml"), "tags = [\"daily\"]").unwrap();
        let (code, out, err) = envoi(folder.path(), &["schedule", "--dir", "jobs", "--once"], "");
        assert!(code == 2 && out.is_empty() && err.contains(words), "{text}: {code} {out}{err}");
        if !err.contains("no jobs to run") {
            let (code, out, again) = envoi(folder.path(), &["schedule", "--dir", "jobs", "--list"], "");
            assert!(code == 2 && out.is_empty() && again == err, "{text}: {code} {out}{again}");
        }
    }
    jobs(folder.path(), EVERY_SECOND);
    let (code, _, err) = envoi(folder.path(), &["schedule", "--dir", "jobs", "--metrics", "0.0.0.0:9187"], "");
    assert!(code == 2 && err.contains("is not on loopback"), "{err}");
    // A lake that cannot be written to gives no lease.
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let (code, _, err) = envoi(folder.path(), &["schedule", "--dir", "jobs", "--once", "--lake", "file/lake"], "");
    assert!(code == 1 && err.contains("cannot take the lease: ") && err.contains("nothing was done"), "{code} {err}");
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_of_a_job_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    jobs(folder.path(), EVERY_SECOND);
    // The publisher falls silent at first; then it refuses once, and then nothing is wrong but the file.
    let (asked, began) = mpsc::channel();
    let number = AtomicUsize::new(0);
    let asked = std::sync::Mutex::new(asked);
    let server = Server::new(move |_, _| {
        let _ = asked.lock().unwrap().send(());
        match number.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::ok(vec![b'x'; 5000]).stall(1500),
            _ => Reply::status(404),
        }
    });
    let mut first = Running::start(&mut schedule(folder.path(), &server, &[]));
    let due = first.hear("refresh: begins, for ");
    began.recv().unwrap();
    first.kill();
    let mut second = Running::start(&mut schedule(folder.path(), &server, &[]));
    second.hear("leads, by lease ");
    let told = second.hear("refresh: ");
    // The interrupted time is done again, or gives way to one that came since.
    assert!(told.contains("interrupted") && told.contains("the scheduler was interrupted"), "{told}");
    second.hear("refresh: begins");
    second.hear("refresh: failed after ");
    let (code, heard) = second.stop();
    assert_eq!(code, Some(0), "{heard}");
    assert!(heard.contains("stops; jobs that run have 20 s"), "{heard}");
    let (code, out, err) = envoi(folder.path(), &["history", "--job", "refresh"], "");
    assert!(code == 0 && err.is_empty() && out.starts_with("run "), "{out}{err}");
    assert!(out.contains(" refresh") && out.contains(" failed ") && out.contains("refresh: "), "{out}");
    assert!(due.contains("Z"));
    // Each try of each time was decided once.
    let (_, json, _) = envoi(folder.path(), &["history", "--json"], "");
    let runs: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let mut tries: Vec<String> = runs.iter().map(|run| run["trigger"].to_string()).collect();
    tries.sort();
    let count = tries.len();
    tries.dedup();
    assert_eq!(tries.len(), count, "{tries:?}");
}

#[cfg(unix)]
#[test]
fn of_two_one_leads_and_the_other_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    jobs(folder.path(), EVERY_SECOND);
    let server = Server::new(|_, _| Reply::status(404));
    let mut one = Running::start(&mut schedule(folder.path(), &server, &[]));
    one.hear("refresh: failed after ");
    let mut other = Running::start(&mut schedule(folder.path(), &server, &[]));
    let told = other.hear("stands by: ");
    assert!(told.contains(&format!("process {} leads", one.child.id())), "{told}");
    // One that is to do what is due leaves it to the leader.
    let once = schedule(folder.path(), &server, &["--once"]).output().unwrap();
    let err = String::from_utf8(once.stderr).unwrap();
    assert!(once.status.success() && err.contains("leads and does what is due"), "{err}");
    one.kill();
    other.hear("leads, by lease ");
    other.hear("refresh: begins");
    let (code, _) = other.stop();
    assert_eq!(code, Some(0));
    // It gave the lease back: the next one does not wait.
    let mut next = Running::start(&mut schedule(folder.path(), &server, &[]));
    let told = next.hear("lease");
    assert!(told.contains("leads, by lease "), "{told}");
    next.stop();
}

#[test]
fn once_writes_what_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[metrics]\nfile = \"envoi.prom\"\n[lineage]\nfile = \"lineage.ndjson\"\n\
        [[job]]\nname = \"page\"\naction = \"brief\"\ncron = \"* * * * * *\"\noutput = \"brief-{year}.html\"\n\
        [[job]]\nname = \"quality\"\naction = \"check\"\nselect = [\"observation\"]\ncron = \"* * * * * *\"\noutput = \"quality.csv\"\n";
    jobs(folder.path(), text);
    let once = || envoi(folder.path(), &["schedule", "--dir", "jobs", "--once"], "");
    let (code, _, err) = once();
    assert_eq!(code, 0, "{err}");
    assert!(!err.contains("begins"), "a new job begins with its next time: {err}");
    let names = || -> Vec<String> {
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let written = || {
        let names = names();
        names.iter().any(|name| name == "quality.csv") && names.iter().any(|name| name.starts_with("brief-2"))
    };
    // The next second comes.
    for _ in 0..50 {
        if written() {
            break;
        }
        let (code, _, err) = once();
        assert_eq!(code, 0, "{err}");
    }
    assert!(written(), "{:?}", names());
    let metrics = std::fs::read_to_string(folder.path().join("envoi.prom")).unwrap();
    assert!(metrics.contains("envoi_job_runs_total{job=\"page\",outcome=\"success\"} "), "{metrics}");
    let lineage = std::fs::read_to_string(folder.path().join("lineage.ndjson")).unwrap();
    assert!(lineage.contains("\"eventType\":\"COMPLETE\""), "{lineage}");
    let (code, out, err) = envoi(folder.path(), &["history"], "");
    assert!(code == 0 && out.contains(" page ") && out.contains(" success"), "{out}{err}");
}

#[cfg(unix)]
#[test]
fn prometheus_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    jobs(folder.path(), EVERY_SECOND);
    let server = Server::new(|_, _| Reply::status(404));
    let mut command = schedule(folder.path(), &server, &["--metrics", "127.0.0.1:0"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let err = BufReader::new(child.stderr.take().unwrap());
    let mut running = Running { child, err, heard: String::new() };
    running.hear("refresh: failed after ");
    let address = line.trim().strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\nenvoi_scheduler_leader 1\n"), "{answer}");
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn the_history_of_a_lake() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake/run");
    std::fs::create_dir_all(&lake).unwrap();
    let history = |arguments: &[&str]| envoi(folder.path(), &[&["history", "--lake", "lake"], arguments].concat(), "");
    let (code, out, err) = history(&[]);
    assert!(code == 0 && out.is_empty() && err.starts_with("no run yet"), "{out}{err}");
    let record = |id: &str, status: &str, failure: serde_json::Value| {
        let model = serde_json::json!({
            "name": "ratio", "materialisation": "table", "status": if status == "failed" { "failed" } else { "published" },
            "reason": "query changed", "attempts": 1, "seconds": 0.25, "rows": 217, "bytes": 4096, "sha256": null,
            "inputs": [], "error": null,
            "tests": [{"name": "unique (iso3)", "passed": status != "failed", "blocks": true, "found": "3 rows"}],
        });
        let text = serde_json::json!({
            "run_id": id, "trigger": {"kind": "manual"}, "selectors": ["+ratio"], "from": null, "to": null,
            "full_refresh": false, "started_at": "2026-11-27T18:30:00Z", "finished_at": "2026-11-27T18:30:07.5Z",
            "status": status, "lake_version": 4, "published_version": null, "models": [model], "failure": failure,
            "engine": "envoi 0.1.0",
        });
        std::fs::write(lake.join(format!("{id}.json")), text.to_string()).unwrap();
    };
    record("20261127T183000.000Z-a", "success", serde_json::Value::Null);
    let failure = serde_json::json!({"model": "ratio", "step": "test", "message": "unique (iso3): 3 rows\u{1b}[2J", "blocked": ["map"]});
    record("20261127T193000.000Z-b", "failed", failure);
    std::fs::write(lake.join("20261127T203000.000Z-c.json"), "{").unwrap();
    let (code, out, err) = history(&[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.starts_with("passed over: `run/20261127T203000.000Z-c.json` is damaged"), "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.len() == 3 && lines[1].starts_with("20261127T193000.000Z-b") && !out.contains('\u{1b}'), "{out}");
    assert!(lines[1].contains("failed   ratio: unique (iso3): 3 rows") && lines[2].ends_with("1 published"), "{out}");
    let (_, out, _) = history(&["--failed", "--model", "ratio", "-q"]);
    assert!(out.lines().count() == 2, "{out}");
    let (_, out, _) = history(&["--model", "none", "-q"]);
    assert_eq!(out, "");
    let (code, out, _) = history(&["20261127T19"]);
    for words in [
        "status     failed",
        "by         hand",
        "took       7.5 s",
        "asked for  +ratio",
        "published  nothing",
        "failure    ratio (test): unique (iso3): 3 rows",
        "blocked    map",
        "ratio: unique (iso3): 3 rows",
        "model  status  why            took    rows  size     tests",
    ] {
        assert!(code == 0 && out.contains(words), "`{words}` is not in\n{out}");
    }
    let (_, out, _) = history(&["20261127T18", "--json"]);
    let run: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(run["run_id"], "20261127T183000.000Z-a");
    let (code, _, err) = history(&["1999"]);
    assert!(code == 1 && err.contains("has no run `1999`"), "{code} {err}");
}

/// The scheduler looks every five seconds: this waits for it to say so.
#[cfg(unix)]
#[test]
fn jobs_are_taken_from_the_file_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    jobs(folder.path(), EVERY_SECOND);
    let server = Server::new(|_, _| Reply::status(404));
    let mut running = Running::start(&mut schedule(folder.path(), &server, &[]));
    running.hear("refresh: failed after ");
    jobs(folder.path(), &EVERY_SECOND.replace("ecb.fx", "ecb.fy"));
    running.hear("job `refresh`: unknown source `ecb.fy`");
    running.hear("refresh: failed after ");
    jobs(folder.path(), &EVERY_SECOND.replace("refresh", "other"));
    running.hear("the jobs are others: new other; gone refresh");
    running.hear("other: begins");
    let (code, heard) = running.stop();
    assert!(code == Some(0) && heard.contains("; the jobs stay as they were"), "{heard}");
}
