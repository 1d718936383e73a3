//! What stops a statement, a connection, a server.

use std::time::{Duration, Instant};

use envoi_server::{Limits, MemoryMarks};

use crate::client::{Client, startup};
use crate::server::{Server, Setup, usual};

/// A join that would take hours.
const ENDLESS: &str = "select count(*) from generate_series(1, 100000000) as a(x) cross join generate_series(1, 100000000) as b(y) where x * 3 = y * 7 + 1";

fn soon(begin: Instant) {
    assert!(begin.elapsed() < Duration::from_secs(60), "it took {:?}", begin.elapsed());
}

#[test]
fn what_was_cancelled_is_not_worked_on() {
    let server = Server::start(Setup::default());
    let mut c = Client::connect(server.address);
    c.simple("set statement_timeout = '300ms'");
    let from = "from generate_series(1, 1000000) as a(n), generate_series(1, 1000000) as b(n)";
    for sql in [
        // No row at all, every row, and rows of a join by keys that are all the same.
        format!("select count(*) {from} where a.n % b.n = -1"),
        format!("select count(*) {from}"),
        "select count(*) from (select 1 as k from generate_series(1, 1000000)) as a join (select 1 as k from generate_series(1, 1000000)) as b on a.k = b.k".to_owned(),
    ] {
        assert_eq!(c.error(&sql).0, "57014", "{sql}");
    }
    let begin = Instant::now();
    while server.runtime.tasks() > 0 {
        soon(begin);
        std::thread::yield_now();
    }
}

/// Stops what a client does once the server has begun it.
fn cancel_when_active(c: &Client, server: &Server) {
    let (pid, address) = (c.pid, server.address);
    let mut other = Client::connect(address);
    let begin = Instant::now();
    while other.value(&format!("select state from pg_catalog.pg_stat_activity where pid = {pid}")) != "active" {
        soon(begin);
    }
    c.cancel();
}

#[test]
fn cancel() {
    let server = usual();
    for sql in [ENDLESS, "select pg_sleep(1000)"] {
        let mut c = Client::connect(server.address);
        let mut body = sql.as_bytes().to_vec();
        body.push(0);
        c.send(&crate::client::message(b'Q', &body));
        cancel_when_active(&c, server);
        let begin = Instant::now();
        let all = c.until_ready();
        soon(begin);
        let error = all.iter().find(|m| m.kind == 'E').unwrap();
        assert_eq!(error.field(b'C').as_deref(), Some("57014"));
        assert_eq!(error.field(b'M').as_deref(), Some("canceling statement due to user request"));
        assert_eq!(c.value("select 1"), "1");
        // A request that comes when nothing runs stops nothing.
        c.cancel();
        assert_eq!(c.value("select 2"), "2");
    }
}

#[test]
fn stopped_while_the_client_does_not_read() {
    let server = usual();
    let mut other = Client::connect(server.address);
    let rows = "select value, repeat('x', 1000) from generate_series(1, 1000000) as t(value)";
    for (sql, row) in [(rows.to_owned(), 'D'), (format!("copy ({rows}) to stdout"), 'd')] {
        let mut c = Client::connect(server.address);
        c.simple("set statement_timeout = '1s'");
        let body = [sql.as_bytes(), b"\0"].concat();
        c.send(&crate::client::message(b'Q', &body));
        // The server fills what lies between and waits, in the middle of a message, until its time is over.
        other.value("select pg_sleep(2)");
        let all = c.until_ready();
        let mut number = 0;
        for message in all.iter().filter(|m| m.kind == row) {
            number += 1;
            let wanted = number.to_string();
            let begin = if row == 'D' { 6 } else { 0 };
            assert!(message.body[begin..].starts_with(wanted.as_bytes()), "row {number}");
        }
        assert!(number > 0 && number < 1_000_000, "{number}");
        let kinds: String = all.iter().map(|m| m.kind).filter(|k| *k != row).collect();
        assert_eq!(kinds, if row == 'D' { "TEZ" } else { "HEZ" });
        assert_eq!(all[all.len() - 2].field(b'C').as_deref(), Some("57014"));
        assert_eq!(c.value("select 1"), "1");
    }
}

#[test]
fn by_another_connection() {
    let server = usual();
    let mut c = Client::connect(server.address);
    c.send(&crate::client::message(b'Q', b"select pg_sleep(1000)\0"));
    let mut other = Client::connect(server.address);
    let begin = Instant::now();
    while other.value(&format!("select state from pg_catalog.pg_stat_activity where pid = {}", c.pid)) != "active" {
        soon(begin);
    }
    assert_eq!(other.value(&format!("select pg_cancel_backend({})", c.pid)), "t");
    let all = c.until_ready();
    assert_eq!(all.iter().find(|m| m.kind == 'E').unwrap().field(b'C').as_deref(), Some("57014"));
    assert_eq!(other.value(&format!("select pg_terminate_backend({})", c.pid)), "t");
    let last = c.next().unwrap();
    assert_eq!((last.field(b'S').as_deref(), last.field(b'C').as_deref()), (Some("FATAL"), Some("57P01")));
    assert!(c.next().is_none());
    // What is not one's own is not stopped, whether it is there or not.
    let mut stranger = Client::with(server.address, &[("user", "stranger")]).unwrap();
    for pid in [other.pid, 1, 2_147_483_647] {
        assert_eq!(stranger.error(&format!("select pg_cancel_backend({pid})")).0, "42501");
        assert_eq!(stranger.error(&format!("select pg_terminate_backend({pid})")).0, "42501");
    }
}

#[test]
fn time() {
    let mut c = Client::connect(usual().address);
    c.simple("set statement_timeout = '300ms'");
    for sql in
        [ENDLESS, "select pg_sleep(100)", "copy (select pg_sleep(100)) to stdout", "select 1; select pg_sleep(100)"]
    {
        let begin = Instant::now();
        assert_eq!(
            c.error(sql),
            ("57014".to_owned(), "canceling statement due to statement timeout".to_owned()),
            "{sql}"
        );
        soon(begin);
    }
    c.simple("set statement_timeout = 0");
    assert_eq!(c.value("select 1"), "1");
    c.simple("set statement_timeout = '300ms'");
    // By the extended protocol too, and in the midst of rows.
    c.parse("", "select value, pg_sleep(0.01) from generate_series(1, 100000) as t(value)", &[]);
    c.bind("", "", &[], 0);
    c.execute("", 0);
    let all = c.sync();
    assert_eq!(all.iter().find(|m| m.kind == 'E').unwrap().field(b'C').as_deref(), Some("57014"));
}

#[test]
fn a_client_that_goes_is_not_worked_for() {
    let server = usual();
    let mut c = Client::connect(server.address);
    let pid = c.pid;
    c.send(&crate::client::message(b'Q', format!("{ENDLESS}\0").as_bytes()));
    let mut other = Client::connect(server.address);
    let states = format!("select count(*) from pg_catalog.pg_stat_activity where pid = {pid}");
    let begin = Instant::now();
    while other.value(&states) != "1" {
        soon(begin);
    }
    drop(c);
    while other.value(&states) != "0" {
        soon(begin);
    }
}

#[test]
fn a_slow_reader_holds_little() {
    let mut c = Client::connect(usual().address);
    // Rows of some hundred megabytes of which nothing is read: the server waits, others go on.
    c.send(&crate::client::message(
        b'Q',
        b"select value, repeat('x', 100) from generate_series(1, 3000000) as t(value)\0",
    ));
    let mut other = Client::connect(usual().address);
    assert_eq!(other.value("select 1"), "1");
    let all = c.until_ready();
    assert_eq!(all.iter().filter(|m| m.kind == 'D').count(), 3_000_000);
}

#[test]
fn too_many_connections_are_told() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let server = Server::start(Setup { limits, ..Setup::default() });
    let (_a, b) = (Client::connect(server.address), Client::connect(server.address));
    let refused = Client::with(server.address, &[("user", "tester")]).err().unwrap();
    assert_eq!((refused.field(b'S').as_deref(), refused.field(b'C').as_deref()), (Some("FATAL"), Some("53300")));
    drop(b);
    let begin = Instant::now();
    while Client::with(server.address, &[("user", "tester")]).is_err() {
        soon(begin);
    }
}

#[test]
fn memory_of_the_process() {
    let with = |refuse: usize, end: usize| {
        let limits = Limits { memory: Some(MemoryMarks { refuse, end }), ..Limits::default() };
        Server::start(Setup { limits, ..Setup::default() })
    };
    // Above the lower mark a query begins alone, and none beside it.
    let server = with(1, usize::MAX);
    let mut c = Client::connect(server.address);
    assert_eq!(c.value("select 1"), "1");
    let begin = Instant::now();
    while server.runtime.tasks() > 0 {
        soon(begin);
    }
    c.send(&crate::client::message(b'Q', b"select pg_sleep(1000)\0"));
    // It has begun, before there is another beside which it would be refused.
    while server.runtime.tasks() == 0 {
        soon(begin);
    }
    let mut other = Client::connect(server.address);
    loop {
        soon(begin);
        let all = other.simple("select 1");
        if let Some(error) = all.iter().find(|m| m.kind == 'E') {
            assert_eq!(error.field(b'C').as_deref(), Some("53200"));
            break;
        }
    }
    c.cancel();
    let all = c.until_ready();
    assert_eq!(all.iter().find(|m| m.kind == 'E').unwrap().field(b'C').as_deref(), Some("57014"));
    assert_eq!(other.value("select 1"), "1");
    // Above the upper one the statement that has run longest ends, and its connection goes on.
    let server = with(usize::MAX, 1);
    let mut c = Client::connect(server.address);
    let (state, what) = c.error(ENDLESS);
    assert_eq!(state, "53200", "{what}");
    c.simple("begin");
    assert_eq!(c.simple("rollback").last().unwrap().kind, 'Z');
}

#[test]
fn a_login_takes_no_longer_than_it_may() {
    let limits = Limits { login: Duration::from_secs(2), ..Limits::default() };
    let server = Server::start(Setup { limits, ..Setup::default() });
    let mut silent = Client::silent(server.address);
    let begin = Instant::now();
    assert!(silent.next().is_none());
    soon(begin);
    let mut half = Client::silent(server.address);
    let packet = startup(&[("user", "tester")]);
    half.send(&packet[..packet.len() - 3]);
    assert!(half.next().is_none());
    assert_eq!(Client::connect(server.address).value("select 1"), "1");
}

#[test]
fn idle_transactions_end() {
    let mut c = Client::connect(usual().address);
    c.simple("set idle_in_transaction_session_timeout = 100; begin");
    let last = c.next().unwrap();
    assert_eq!((last.field(b'S').as_deref(), last.field(b'C').as_deref()), (Some("FATAL"), Some("25P03")));
    assert!(c.next().is_none());
    let mut c = Client::connect(usual().address);
    c.simple("set idle_session_timeout = 100");
    assert_eq!(c.next().unwrap().field(b'C').as_deref(), Some("57P05"));
}

#[test]
fn a_server_that_stops_says_so() {
    let server = Server::start(Setup::default());
    let mut c = Client::connect(server.address);
    drop(server);
    assert_eq!(c.next().unwrap().field(b'C').as_deref(), Some("57P01"));
    assert!(c.next().is_none());
}
