//! What a scheduler does when, in simulated time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use envoi_batch::record::RunStatus;
use envoi_batch::schedule::{Ending, Event, Outcome};

use crate::simulation::Simulation;

/// A job of every ten minutes, with these lines more.
fn tens(more: &str) -> String {
    format!("lease = \"30s\"\nshutdown = \"60s\"\n[[job]]\nname = \"tens\"\ncron = \"*/10 * * * *\"\n{more}\n")
}

fn endings(simulation: &Simulation) -> Vec<Ending> {
    let said = simulation.said.lock().unwrap();
    let ending = |event: &Event| if let Event::Ended { ending, .. } = event { Some(*ending) } else { None };
    said.iter().filter_map(|(_, _, event)| ending(event)).collect()
}

#[test]
fn at_its_times() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 30);
    s.start("one", &tens(""), false);
    s.minutes(40);
    assert_eq!(s.times("tens"), ["00:10", "00:20", "00:30", "00:40"], "{:#?}", s.words());
    s.stop("one");
    s.minutes(1);
    let summary = s.ended.remove("one").unwrap().unwrap();
    assert_eq!((summary.begun, summary.failed, summary.stood_by), (4, 0, None));
    // Started again it goes on, and by another's name at once: the lease was given back.
    s.start("two", &tens(""), false);
    s.minutes(10);
    assert_eq!(s.times("tens").len(), 5, "{:#?}", s.words());
}

#[test]
fn what_was_missed() {
    for (policy, expected) in [
        ("misfire = \"skip\"", &["00:10", "01:10", "01:20"][..]),
        ("misfire = \"skip\"\ngrace = \"30m\"", &["00:10", "01:00", "01:10", "01:20"]),
        ("misfire = \"latest\"", &["00:10", "01:00", "01:10", "01:20"]),
        ("misfire = \"catch_up\"", &["00:10", "00:20", "00:30", "00:40", "00:50", "01:00", "01:10", "01:20"]),
    ] {
        let mut s = Simulation::plain("2026-03-01T00:05:00Z", 30);
        s.start("one", &tens(policy), false);
        s.minutes(7);
        s.kill("one");
        s.minutes(55);
        // 01:07
        s.minutes(0);
        s.start("one", &tens(policy), false);
        s.minutes(15);
        assert_eq!(s.times("tens"), expected, "{policy}: {:#?}", s.words());
    }
}

#[test]
fn a_run_that_takes_long_is_not_overtaken() {
    // The work itself sees to it that it does not overlap.
    for (policy, expected) in [
        ("", &["00:10", "00:40", "01:10"][..]),
        ("misfire = \"latest\"", &["00:10", "00:30", "01:00"]),
        ("misfire = \"catch_up\"", &["00:10", "00:20", "00:30", "00:40"]),
    ] {
        let mut s = Simulation::plain("2026-03-01T00:05:00Z", 26 * 60);
        s.start("one", &tens(policy), false);
        s.minutes(120);
        assert_eq!(s.times("tens")[..3], expected[..3], "{policy}: {:#?}", s.words());
    }
}

#[test]
fn failures_are_tried_again_with_growing_waits() {
    let does = |_: &_, _: DateTime<Utc>, attempt: u32| {
        let outcome = if attempt < 4 { Outcome::failed(format!("no luck {attempt}")) } else { Outcome::success("") };
        (Duration::from_secs(1), outcome)
    };
    let jobs = "[[job]]\nname = \"tens\"\ncron = \"0 * * * *\"\nretries = 3\nbackoff = \"1m\"";
    let mut s = Simulation::new("2026-03-01T00:59:00Z", 0, 1, Arc::new(does));
    s.start("one", jobs, false);
    s.minutes(15);
    let begun: Vec<String> =
        s.words().into_iter().filter(|w| w.contains("begins")).map(|w| w[..8].to_owned()).collect();
    assert_eq!(begun, ["01:00:00", "01:01:01", "01:03:02", "01:07:03"]);
    assert_eq!(s.times("tens"), ["01:00"]);
    // Killed between two tries, it waits for the rest of the time only.
    let mut s = Simulation::new("2026-03-01T00:59:00Z", 0, 1, Arc::new(does));
    s.start("one", jobs, false);
    s.minutes(5);
    s.kill("one");
    s.start("one", jobs, false);
    s.minutes(10);
    assert!(s.words().iter().any(|w| w.starts_with("01:07:03") && w.contains("begins try 4")), "{:#?}", s.words());
    // Tries are counted; what is of no use is not tried again.
    let hopeless = |_: &_, due: DateTime<Utc>, _: u32| {
        let even = due.timestamp() / 3600 % 2 == 0;
        (Duration::from_secs(1), if even { Outcome::hopeless("wrong") } else { Outcome::failed("no luck") })
    };
    let mut s = Simulation::new("2026-03-01T00:59:00Z", 0, 1, Arc::new(hopeless));
    s.start("one", jobs, false);
    s.minutes(119);
    s.stop("one");
    s.minutes(1);
    assert_eq!(endings(&s), [Ending::Failed; 5]);
    assert_eq!(s.ended["one"].as_ref().unwrap().failed, 2);
}

#[test]
fn too_long() {
    let does = |_: &_, _: DateTime<Utc>, attempt: u32| {
        (Duration::from_secs(if attempt == 1 { 10_000 } else { 10 }), Outcome::success(""))
    };
    let mut s = Simulation::new("2026-03-01T00:05:00Z", 0, 1, Arc::new(does));
    s.start("one", &tens("timeout = \"90s\"\nretries = 1\nbackoff = \"5s\""), false);
    s.minutes(9);
    assert_eq!(endings(&s), [Ending::TimedOut, Ending::Success], "{:#?}", s.words());
    assert!(s.words().iter().any(|w| w.contains("timed out after 90.0 s: took longer than 90 s")), "{:#?}", s.words());
}

#[test]
fn asked_to_stop_in_the_middle() {
    // Within the grace it ends well.
    let mut s = Simulation::plain("2026-03-01T00:09:00Z", 90);
    s.start("one", &tens(""), false);
    s.pass(Duration::from_secs(90));
    s.stop("one");
    s.pass(Duration::from_secs(70));
    assert_eq!(endings(&s), [Ending::Success], "{:#?}", s.words());
    assert!(s.ended.contains_key("one"));
    // Beyond it, it is stopped, and done again after the next start.
    let mut s = Simulation::plain("2026-03-01T00:09:00Z", 300);
    s.start("one", &tens(""), false);
    s.pass(Duration::from_secs(90));
    s.stop("one");
    s.pass(Duration::from_secs(59));
    assert!(!s.ended.contains_key("one"));
    s.pass(Duration::from_secs(2));
    assert!(s.ended.contains_key("one"));
    assert_eq!(endings(&s), [Ending::Cancelled], "{:#?}", s.words());
    s.start("one", &tens(""), false);
    s.minutes(6);
    assert_eq!(s.times("tens"), ["00:10"], "{:#?}", s.words());
}

#[test]
fn work_that_does_not_stop_or_panics() {
    let does = |_: &_, _: DateTime<Utc>, _: u32| -> (Duration, Outcome) { panic!("the table is on fire") };
    let mut s = Simulation::new("2026-03-01T00:09:00Z", 0, 1, Arc::new(does));
    s.start("one", &tens(""), false);
    s.minutes(12);
    assert_eq!(endings(&s), [Ending::Failed; 2], "{:#?}", s.words());
    assert!(s.words().iter().any(|w| w.contains("internal error, please report: the table is on fire")));
}

#[test]
fn two_schedulers_on_one_lake() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 30);
    s.start("one", &tens(""), false);
    s.start("other", &tens(""), false);
    s.minutes(30);
    assert_eq!(s.times("tens"), ["00:10", "00:20", "00:30"], "{:#?}", s.words());
    assert!(s.words().iter().any(|w| w.contains("other stands by: one leads")), "{:#?}", s.words());
    // The leader dies in the middle of a run: the other takes over and does it again.
    s.minutes(5);
    s.pass(Duration::from_secs(10));
    s.kill("one");
    s.minutes(25);
    assert_eq!(s.times("tens"), ["00:10", "00:20", "00:30", "00:40", "00:50", "01:00"], "{:#?}", s.words());
    let interrupted = endings(&s).into_iter().filter(|e| *e == Ending::Interrupted).count();
    assert_eq!(interrupted, 1, "{:#?}", s.words());
}

#[test]
fn the_other_finishes_what_a_dead_leader_began() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 120);
    s.start("one", &tens(""), false);
    s.start("other", &tens(""), false);
    s.minutes(6);
    s.kill("one");
    s.minutes(5);
    assert_eq!(endings(&s), [Ending::Interrupted, Ending::Success], "{:#?}", s.words());
    assert_eq!(s.times("tens"), ["00:10"]);
}

#[test]
fn a_leader_that_loses_its_lease_begins_nothing() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 600);
    s.start("one", &tens(""), false);
    s.minutes(6);
    // The store is gone in the middle of a run: the lease cannot be renewed.
    s.failing.store(1000, std::sync::atomic::Ordering::SeqCst);
    s.minutes(30);
    let words = s.words();
    let lost = words.iter().position(|w| w.contains("the lease is lost")).unwrap();
    assert!(!words[lost..].iter().any(|w| w.contains("begins")), "{words:#?}");
    // It comes back, and so does the scheduler.
    s.failing.store(0, std::sync::atomic::Ordering::SeqCst);
    s.minutes(40);
    let done = s.done("tens");
    assert!(done.len() >= 2 && done.values().all(|c| *c == 1), "{:#?}", s.words());
}

#[test]
fn clocks_that_are_set() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    s.start("one", &tens(""), false);
    s.minutes(10);
    // Back by an hour: what was done is not done again.
    s.set_clock("one", -3600);
    s.minutes(50);
    assert_eq!(s.times("tens"), ["00:10"], "{:#?}", s.words());
    // Right again: what is due is done.
    s.set_clock("one", 0);
    s.minutes(10);
    assert_eq!(s.times("tens").last().unwrap(), "01:10", "{:#?}", s.words());
    // On by a day: the times between are missed.
    s.set_clock("one", 86_400);
    s.minutes(10);
    let done = s.done("tens").len();
    assert!(done <= 5, "{:#?}", s.words());
    s.kill("one");
    s.start("one", &tens(""), false);
    s.minutes(10);
    assert!(s.words().iter().any(|w| w.contains("the clock is behind what was done already")), "{:#?}", s.words());
    assert_eq!(s.done("tens").len(), done);
}

#[test]
fn once_does_what_is_due_and_ends() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    s.start("first", &tens(""), true);
    s.minutes(1);
    // New, nothing is due.
    assert_eq!(s.ended["first"].as_ref().unwrap().begun, 0);
    s.minutes(38);
    s.start("second", &tens(""), true);
    s.minutes(1);
    let summary = s.ended["second"].as_ref().unwrap();
    assert_eq!((summary.begun, summary.failed), (1, 0), "{:#?}", s.words());
    assert_eq!(s.times("tens"), ["00:40"]);
    s.start("third", &tens(""), true);
    s.minutes(1);
    assert_eq!(s.ended["third"].as_ref().unwrap().begun, 0);
    // What comes while it runs is for the next call.
    let mut long = Simulation::plain("2026-03-01T00:05:00Z", 900);
    long.start("first", &tens(""), true);
    long.minutes(6);
    long.start("second", &tens(""), true);
    long.minutes(60);
    assert_eq!((long.ended["second"].as_ref().unwrap().begun, long.times("tens").len()), (1, 1), "{:#?}", long.words());
    // One that leads sees to it.
    s.start("leads", &tens(""), false);
    s.pass(Duration::from_secs(5));
    s.start("fourth", &tens(""), true);
    s.minutes(2);
    assert_eq!(s.ended["fourth"].as_ref().unwrap().stood_by.as_deref(), Some("leads"), "{:#?}", s.words());
}

#[test]
fn once_counts_from_when_it_leads() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    s.start("first", &tens(""), true);
    s.minutes(1);
    // A leader that was killed: its lease runs for half a minute more, and the time comes meanwhile.
    s.minutes(33);
    s.start("dead", &tens(""), false);
    s.pass(Duration::from_secs(46));
    s.kill("dead");
    s.pass(Duration::from_secs(5));
    s.start("second", &tens(""), true);
    s.minutes(2);
    assert_eq!(s.ended["second"].as_ref().unwrap().begun, 1, "{:#?}", s.words());
    assert_eq!(s.times("tens").last().unwrap(), "00:40", "{:#?}", s.words());
}

#[test]
fn jitter_is_the_same_every_time() {
    let toml = tens("jitter = \"4m\"");
    let begun = |seed: u64| {
        let does = |_: &_, _: DateTime<Utc>, _: u32| (Duration::from_secs(1), Outcome::success(""));
        let mut s = Simulation::new("2026-03-01T00:05:00Z", 0, seed, Arc::new(does));
        s.start("one", &toml, false);
        s.minutes(60);
        assert_eq!(s.times("tens").len(), 6, "{:#?}", s.words());
        s.words().into_iter().filter(|w| w.contains("begins")).map(|w| w[..8].to_owned()).collect::<Vec<_>>()
    };
    let times = begun(1);
    assert_eq!(times, begun(2));
    let on_time = times.iter().filter(|t| t.ends_with("0:00")).count();
    assert!(on_time < 2, "{times:?}");
}

#[test]
fn times_that_change_are_those_of_a_new_job() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    let daily = tens("misfire = \"catch_up\"").replace("*/10 * * * *", "0 0 * * *");
    s.start("one", &daily, false);
    s.minutes(60 * 20);
    s.kill("one");
    s.start("one", &tens("misfire = \"catch_up\""), false);
    s.minutes(30);
    assert_eq!(s.times("tens"), ["20:10", "20:20", "20:30"], "{:#?}", s.words());
}

#[test]
fn state_does_not_pile_up() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 1);
    let jobs = tens("").replace("*/10", "*").replace("30s", "3m");
    for _ in 0..3 {
        s.start("one", &jobs, false);
        s.minutes(300);
        s.stop("one");
        s.minutes(1);
    }
    s.start("one", &jobs, false);
    s.minutes(1);
    assert!(s.files("schedule") < 2 * 610, "{}", s.files("schedule"));
    assert!(s.files("lease") < 400, "{}", s.files("lease"));
    assert!(s.done("tens").len() >= 900);
}

#[test]
fn how_many_at_a_time() {
    let mut jobs = "parallel = 2\n".to_owned();
    for n in 0..5 {
        jobs += &format!("[[job]]\nname = \"j{n}\"\ncron = \"0 * * * *\"\n");
    }
    let mut s = Simulation::plain("2026-03-01T00:59:00Z", 60);
    s.start("one", &jobs, false);
    s.minutes(10);
    let begun: Vec<String> =
        s.words().into_iter().filter(|w| w.contains("begins")).map(|w| w[..5].to_owned()).collect();
    assert_eq!(begun, ["01:00", "01:00", "01:01", "01:01", "01:02"], "{:#?}", s.words());
    let status = RunStatus::Success;
    assert!((0..5).all(|n| s.done(&format!("j{n}")).len() == 1), "{status:?}");
}
