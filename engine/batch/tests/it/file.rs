//! `schedule.toml`: what it may say, and what is wrong with it, with line and column.

use std::time::Duration;

use envoi_batch::schedule::{Action, LineageTarget, Misfire, Schedule};

const WHOLE: &str = r#"
time_zone = "Europe/Paris"
lease = "20s"
shutdown = "1m30s"
parallel = 3

[notify.ops]
webhook = "https://hooks.example.org/x"
headers = { Authorization = "Bearer ${OPS_TOKEN}" }
on = ["failure", "recovery"]
timeout = "5s"
retries = 4

[notify.mail]
command = ["/usr/local/bin/tell", "ops"]
on = ["always"]

[lineage]
file = "lineage.ndjson"
namespace = "bank"

[metrics]
file = "envoi.prom"

[[job]]
name = "refresh"
description = "New editions"
action = "fetch"
select = ["worldbank.wdi"]
cron = "30 5 * * 1-5"
jitter = "10m"
misfire = "latest"
retries = 3
backoff = "5m"
timeout = "2h"
notify = ["ops", "mail"]

[[job]]
name = "brief"
action = "brief"
cron = "@monthly"
time_zone = "America/New_York"
output = "brief-{month}-{date}-{year}.html"
enabled = false
"#;

#[test]
fn all_that_can_be_said() {
    let s = Schedule::parse(WHOLE, "schedule.toml").unwrap();
    assert_eq!((s.lease, s.shutdown, s.parallel), (Duration::from_secs(20), Duration::from_secs(90), 3));
    assert_eq!(s.metrics_file.as_deref(), Some("envoi.prom"));
    let lineage = s.lineage.as_ref().unwrap();
    assert_eq!(
        (&lineage.target, lineage.namespace.as_str()),
        (&LineageTarget::File("lineage.ndjson".to_owned()), "bank")
    );
    let (refresh, brief) = (&s.jobs[0], &s.jobs[1]);
    assert_eq!((refresh.action, refresh.misfire, refresh.retries), (Action::Fetch, Misfire::Latest, 3));
    assert_eq!((refresh.cron.zone().name(), refresh.cron.text()), ("Europe/Paris", "30 5 * * 1-5"));
    assert_eq!(refresh.notify.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ops", "mail"]);
    assert_eq!(brief.cron.zone().name(), "America/New_York");
    assert!(refresh.enabled && !brief.enabled);
    // The file is named by the clock of the job.
    let due = "2026-03-01T03:00:00Z".parse().unwrap();
    assert_eq!(brief.output(due).as_deref(), Some("brief-2026-02-2026-02-28-2026.html"));
    let waits: Vec<u64> = (1..7).map(|n| refresh.wait(n).as_secs()).collect();
    assert_eq!(waits, [300, 600, 1200, 2400, 3600, 3600]);
    // Secrets are not in what is printed of it.
    assert!(!format!("{s:?}").contains("hooks.example.org/x") && !format!("{s:?}").contains("OPS_TOKEN"));
    assert_eq!(Schedule::parse("", "x").unwrap().jobs.len(), 0);
}

#[test]
fn all_that_is_wrong() {
    let job = |more: &str| format!("[[job]]\nname = \"a\"\ncron = \"@daily\"\n{more}\n");
    for (text, words) in [
        ("x = 1".to_owned(), "s.toml:1:1: unknown key `x`"),
        (job("tiem_zone = \"UTC\""), "s.toml:4:1: unknown key `tiem_zone`; did you mean `time_zone`?"),
        (
            job("time_zone = \"Europe/Pariss\""),
            "s.toml:4:13: unknown time zone `Europe/Pariss`; did you mean `Europe/Paris`?",
        ),
        (job("action = \"fetsch\""), "s.toml:4:10: unknown action `fetsch`; did you mean `fetch`?"),
        (job("action = \"fetch\""), "s.toml:1:1: job `a`: `select` must name datasets"),
        (job("action = \"brief\""), "job `a`: `output` must name the page"),
        (job("action = \"brief\"\noutput = \"{day}.html\""), "`{day}` in `output` stands for nothing"),
        (job("output = \"x\""), "`output` means nothing to action `run`"),
        (job("prune = true\nselect = [\"a\"]"), "`prune` takes out what the whole project no longer has"),
        (job("prune = true\naction = \"check\""), "`prune` means nothing to action `check`"),
        (job("misfire = \"catchup\""), "s.toml:4:11: unknown misfire policy `catchup`; did you mean `catch_up`?"),
        (job("retries = -1"), "s.toml:4:11: -1 is not from 0 to 100"),
        (job("timeout = \"5 fortnights\""), "s.toml:4:11: `5 fortnights` is not a length of time; write such as `90s`"),
        (job("timeout = \"1ms\""), "is too short; 1 s is the least"),
        (job("jitter = \"99999999999999999999d\""), "is not a length of time"),
        (job("notify = [\"ops\"]"), "s.toml:4:11: there is no [notify.ops] for `ops`"),
        (job("notify = [\"opps\"]\n[notify.ops]\ncommand = [\"x\"]"), "did you mean `ops`?"),
        (job("jitter = \"25h\""), "s.toml:4:10: a jitter of 90000 s is longer than the 86400 s between two times"),
        (job("") + &job(""), "s.toml:6:8: there are two jobs `a`"),
        ("[[job]]\nname = \"a\"".to_owned(), "missing key `cron`"),
        ("[[job]]\nname = \"../a\"\ncron = \"@daily\"".to_owned(), "s.toml:2:8: `../a` cannot name a job"),
        ("[[job]]\nname = \"a\"\ncron = \"0 0 30 2 *\"".to_owned(), "s.toml:3:8: `0 0 30 2 *` is never due"),
        ("[[job]]\nname = \"a\"\ncron = \"0 0 * *\"".to_owned(), "s.toml:3:8: a cron line has five fields"),
        ("[[job]\n".to_owned(), "s.toml:1:"),
        (
            "[notify.a]\nwebhook = \"http://example.org\"".to_owned(),
            "http://example.org is neither https nor of this machine",
        ),
        ("[notify.a]\nwebhook = \"https://me:geheim@example.org\"".to_owned(), "holds a name or password"),
        ("[notify.a]\nwebhook = \"https://${x-y}\"".to_owned(), "names no environment variable"),
        ("[notify.a]\ncommand = []".to_owned(), "`command` must name a program"),
        (
            "[notify.a]\ncommand = [\"x\"]\non = [\"failed\"]".to_owned(),
            "s.toml:3:7: `failed` is no end of a job; did you mean `failure`?",
        ),
        ("[notify.a]".to_owned(), "give either `webhook` or `command`"),
        ("[notify.a]\nwebhook = \"https://x.org\"\nheaders = { \"a b\" = \"c\" }".to_owned(), "cannot be a header"),
        ("[lineage]\nfile = \"x\"\nurl = \"https://x.org\"".to_owned(), "give either `file` or `url`"),
        ("parallel = 0".to_owned(), "0 is not from 1 to 256"),
    ] {
        let told = Schedule::parse(&text, "s.toml").unwrap_err().to_string();
        assert!(told.contains(words) && told.starts_with("s.toml:"), "{text}\n{told}");
        assert!(!told.contains("geheim") && !told.contains('\n'), "{told}");
    }
}
