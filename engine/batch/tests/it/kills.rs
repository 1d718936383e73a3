//! Kills, restarts, clocks that are set, stores that fail, two schedulers: under catch-up no due time
//! is lost, and none is done twice.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use envoi_batch::schedule::{Outcome, Schedule};
use proptest::prelude::*;

use crate::simulation::Simulation;

const JOBS: &str = r#"
lease = "4m"

[[job]]
name = "often"
cron = "*/5 * * * *"
misfire = "catch_up"
retries = 3
backoff = "20s"

[[job]]
name = "hourly"
cron = "7 * * * *"
time_zone = "Europe/Paris"
misfire = "catch_up"
jitter = "3m"
"#;

#[derive(Debug, Clone)]
enum Happens {
    Kill(&'static str),
    Start(&'static str),
    Clock(&'static str, i64),
    Failing(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let who = prop_oneof![Just("one"), Just("other")];
    prop_oneof![
        4 => who.clone().prop_map(Happens::Kill),
        6 => who.clone().prop_map(Happens::Start),
        2 => (who, prop_oneof![Just(0i64), -7200i64..7200, Just(-90_000), Just(10_000)]).prop_map(|(w, s)| Happens::Clock(w, s)),
        1 => prop_oneof![Just(0u64), Just(50), Just(400)].prop_map(Happens::Failing),
    ]
}

/// Every due time from the first that was done to the last, once each.
fn check(simulation: &Simulation, job: &str) -> Result<(), TestCaseError> {
    let done = simulation.done(job);
    let schedule = Schedule::parse(JOBS, "schedule.toml").unwrap();
    let line = &schedule.jobs.iter().find(|j| j.name == job).unwrap().cron;
    let due: Vec<DateTime<Utc>> = done.keys().copied().collect();
    for pair in due.windows(2) {
        prop_assert_eq!(line.next(pair[0]), Some(pair[1]), "{} lost a time; {}", job, simulation.words().join("\n"));
    }
    for (due, count) in &done {
        prop_assert_eq!(*count, 1, "{} at {}; {}", job, due, simulation.words().join("\n"));
    }
    Ok(())
}

/// `ENVOI_KILL_CASES=1000 cargo test -p envoi-batch --test it kills` for the long run.
fn cases() -> u32 {
    std::env::var("ENVOI_KILL_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_done_twice(
        seed in any::<u64>(),
        events in prop::collection::vec((1u64..900, happens()), 1..40),
    ) {
        // Every third first try fails, after a while that differs.
        let does = move |_: &_, due: DateTime<Utc>, attempt: u32| {
            let number = due.timestamp().unsigned_abs() / 300 + u64::from(attempt);
            let outcome = if number.is_multiple_of(3) && attempt == 1 { Outcome::failed("no luck") } else { Outcome::success("done") };
            (Duration::from_secs(number * 7 % 150), outcome)
        };
        let mut simulation = Simulation::new("2026-10-24T22:00:00Z", 1500, seed, Arc::new(does));
        simulation.start("one", JOBS, false);
        simulation.minutes(6);
        for (seconds, event) in events {
            match event {
                Happens::Kill(who) => simulation.kill(who),
                Happens::Start(who) if simulation.runs(who) => {}
                Happens::Start(who) => simulation.start(who, JOBS, false),
                Happens::Clock(who, wrong) => simulation.set_clock(who, wrong),
                Happens::Failing(often) => simulation.failing.store(often, Ordering::SeqCst),
            }
            simulation.pass(Duration::from_secs(seconds));
        }
        // In the end one runs, with a clock and a store that are right, until all is made up for.
        simulation.failing.store(0, Ordering::SeqCst);
        simulation.kill("one");
        simulation.kill("other");
        simulation.start("last", JOBS, false);
        simulation.minutes(60 * 8);
        let before = simulation.done("often").len();
        check(&simulation, "often")?;
        check(&simulation, "hourly")?;
        simulation.minutes(60 * 4);
        prop_assert!(simulation.done("often").len() > before, "it does not go on; {}", simulation.words().join("\n"));
        check(&simulation, "often")?;
        check(&simulation, "hourly")?;
    }
}
