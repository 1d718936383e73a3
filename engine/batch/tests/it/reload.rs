//! A file of jobs that is written anew while they run.

use std::time::Duration;

use crate::simulation::Simulation;

fn job(name: &str, cron: &str) -> String {
    format!("[[job]]\nname = \"{name}\"\ncron = \"{cron}\"\n")
}

fn said(s: &Simulation, words: &str) -> usize {
    s.words().iter().filter(|w| w.contains(words)).count()
}

#[test]
fn jobs_come_change_and_go() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    s.write(&job("tens", "*/10 * * * *"));
    s.start_of_file("one");
    s.minutes(6);
    s.write(&format!("{}{}", job("tens", "*/10 * * * *"), job("new", "*/3 * * * *")));
    s.minutes(5);
    assert_eq!(said(&s, "the jobs are others: new new"), 1, "{:#?}", s.words());
    assert_eq!((s.times("tens"), s.times("new")), (vec!["00:10".into()], vec!["00:12".into(), "00:15".into()]));
    // Another line begins with its next time.
    s.write(&job("tens", "*/2 * * * *"));
    s.minutes(3);
    assert_eq!(said(&s, "the jobs are others: changed tens; gone new"), 1, "{:#?}", s.words());
    assert_eq!((s.times("tens"), s.times("new").len()), (vec!["00:10".into(), "00:18".into()], 2));
    // None is no end: others may come.
    s.write("");
    s.minutes(10);
    assert_eq!((s.times("tens").len(), s.runs("one")), (2, true));
    s.write(&job("new", "*/3 * * * *"));
    s.minutes(5);
    assert_eq!(s.times("new").last().unwrap(), "00:33", "{:#?}", s.words());
    s.stop("one");
    s.minutes(1);
    assert!(s.ended["one"].is_ok());
}

#[test]
fn a_file_that_is_wrong_is_said_and_changes_nothing() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 5);
    s.write(&job("tens", "*/10 * * * *"));
    s.start_of_file("one");
    s.minutes(6);
    s.write(&job("tens", "*/10 * * *"));
    s.minutes(20);
    assert_eq!(said(&s, "schedule.toml:3:8: "), 1, "{:#?}", s.words());
    assert_eq!(said(&s, "; the jobs stay as they were"), 1);
    assert_eq!(s.times("tens"), ["00:10", "00:20", "00:30"]);
    // Words that change nothing are not told of; what is fixed is.
    s.write(&format!("# better\n{}", job("tens", "*/10 * * * *")));
    s.minutes(1);
    assert_eq!(said(&s, "the jobs are others"), 0, "{:#?}", s.words());
    s.write(&format!("lease = \"2m\"\n{}", job("tens", "*/10 * * * *")));
    s.minutes(1);
    assert_eq!(said(&s, "`lease` is taken when the scheduler starts next"), 1, "{:#?}", s.words());
}

#[test]
fn a_job_that_runs_ends_before_it_goes_or_changes() {
    let mut s = Simulation::plain("2026-03-01T00:05:00Z", 120);
    s.write(&job("tens", "*/10 * * * *"));
    s.start_of_file("one");
    s.pass(Duration::from_secs(330));
    assert_eq!(said(&s, "begins"), 1);
    // Gone, and there again with another line, before its run is over.
    s.write("");
    s.pass(Duration::from_secs(20));
    s.write(&job("tens", "*/5 * * * *"));
    s.minutes(12);
    assert_eq!(s.times("tens"), ["00:10", "00:15", "00:20"], "{:#?}", s.words());
}
