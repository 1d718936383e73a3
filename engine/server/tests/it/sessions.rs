//! Transactions and settings: each connection has its own, and pools find nothing left.

use crate::client::{Client, kinds};
use crate::server::usual;

fn status(c: &mut Client, sql: &str) -> String {
    let all = c.simple(sql);
    String::from_utf8(all.last().unwrap().body.clone()).unwrap()
}

#[test]
fn transactions() {
    let mut c = Client::connect(usual().address);
    assert_eq!(status(&mut c, "begin"), "T");
    assert_eq!(status(&mut c, "select 1"), "T");
    assert_eq!(kinds(&c.simple("begin")), "NCZ");
    assert_eq!(status(&mut c, "savepoint a"), "T");
    assert_eq!(status(&mut c, "selec"), "E");
    assert_eq!(c.error("select 1").0, "25P02");
    assert_eq!(status(&mut c, "rollback to a"), "T");
    assert_eq!(c.value("select 1"), "1");
    assert_eq!(c.tags("release savepoint a"), ["RELEASE"]);
    assert_eq!(c.error("release savepoint a").0, "3B001");
    // A transaction that failed is not kept, whatever is said.
    assert_eq!(c.tags("commit"), ["ROLLBACK"]);
    assert_eq!(status(&mut c, "select 1"), "I");
    assert_eq!(kinds(&c.simple("commit")), "NCZ");
    // Asked to write it says that it does not.
    assert_eq!(kinds(&c.simple("begin read write")), "NCZ");
    assert_eq!(c.value("show transaction_read_only"), "on");
    c.simple("rollback");
    c.simple("begin isolation level serializable");
    assert_eq!(c.value("show transaction isolation level"), "serializable");
    c.simple("commit");
    assert_eq!(c.value("show transaction_isolation"), "read committed");
    c.simple("set session characteristics as transaction isolation level repeatable read; begin");
    assert_eq!(c.value("select current_setting('transaction_isolation')"), "repeatable read");
    c.simple("rollback");
    assert_eq!(c.tags("begin; commit and chain; rollback"), ["BEGIN", "COMMIT", "ROLLBACK"]);
}

#[test]
fn settings_are_of_one_connection_and_one_transaction() {
    let server = usual();
    let (mut a, mut b) = (Client::connect(server.address), Client::connect(server.address));
    assert_eq!(kinds(&a.simple("set timezone = 'Asia/Manila'")), "SCZ");
    assert_eq!(a.value("show timezone"), "Asia/Manila");
    assert_eq!(b.value("show timezone"), "UTC");
    assert_eq!(a.value("select cast('2024-01-01 00:00:00+00' as timestamptz)"), "2024-01-01 08:00:00+08");
    assert_eq!(b.value("select cast('2024-01-01 00:00:00+00' as timestamptz)"), "2024-01-01 00:00:00+00");

    a.simple("begin; set local timezone = 'UTC'; set extra_float_digits = 3");
    assert_eq!(a.value("show timezone"), "UTC");
    a.simple("commit");
    assert_eq!(a.value("show timezone"), "Asia/Manila");
    assert_eq!(a.value("show extra_float_digits"), "3");
    a.simple("begin; set timezone = 'Europe/Paris'; rollback");
    assert_eq!(a.value("show timezone"), "Asia/Manila");
    a.simple("begin; set search_path = lake; savepoint s; set search_path = mart; rollback to s");
    assert_eq!(a.value("show search_path"), "lake");
    a.simple("rollback");

    // A setting that the engine does not take changes nothing.
    assert_eq!(a.error("set envoi.poverty_line = 'rich'").0, "22023");
    a.simple("set envoi.poverty_line = '0.5 median'");
    assert_eq!(a.value("show envoi.poverty_line"), "0.5 median");
    assert_eq!(a.value("select distinct poverty_line from national_income_effect"), "0.5 median");
    assert_ne!(b.value("show envoi.poverty_line"), "0.5 median");

    assert_eq!(a.value("select set_config('jit', 'off', false)"), "off");
    assert_eq!(a.value("select current_setting('jit')"), "off");
    assert_eq!(a.error("select set_config('envoi.poverty_line', 'rich', false)").0, "42000");

    a.simple("prepare p as select 1");
    assert_eq!(a.value("execute p"), "1");
    // What asyncpg's pool says when it takes a connection back.
    let reset = "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;";
    assert_eq!(kinds(&a.simple(reset)).matches('E').count(), 0);
    assert_eq!(a.value("show timezone"), "UTC");
    a.simple("set timezone = 'Asia/Manila'; set envoi.poverty_line = '0.5 median'");
    assert_eq!(a.tags("discard all"), ["DISCARD ALL"]);
    assert_eq!(a.value("show timezone"), "UTC");
    assert_ne!(a.value("show envoi.poverty_line"), "0.5 median");
    assert_eq!(a.error("execute p").0, "26000");
    a.simple("begin");
    assert_eq!(a.error("discard all").0, "25001");
}

#[test]
fn settings_come_with_the_first_packet() {
    let parameters = [
        ("user", "tester"),
        ("options", "-c statement_timeout=90s -c search_path=lake"),
        ("TimeZone", "Asia/Tokyo"),
        ("application_name", "a test"),
    ];
    let mut c = Client::with(usual().address, &parameters).unwrap();
    assert!(c.told.contains(&("TimeZone".to_owned(), "Asia/Tokyo".to_owned())));
    assert!(c.told.contains(&("server_version".to_owned(), "15.18".to_owned())));
    assert_eq!(c.value("show statement_timeout"), "90s");
    assert_eq!(c.error("select * from remittance_vs_oda").0, "42P01");
    c.simple("set timezone = 'UTC'");
    c.simple("reset timezone");
    assert_eq!(c.value("show timezone"), "Asia/Tokyo");
    c.simple("reset all");
    assert_eq!(c.value("show application_name"), "a test");
    let refused = Client::with(usual().address, &[("user", "tester"), ("options", "-c nonsense=1")]).err().unwrap();
    assert_eq!((refused.field(b'S').unwrap().as_str(), refused.field(b'C').unwrap().as_str()), ("FATAL", "42704"));
}

#[test]
fn names_are_sought_in_the_path() {
    let mut c = Client::connect(usual().address);
    assert_ne!(c.value("select count(*) from country"), "0");
    c.simple("set search_path = mart");
    assert_eq!(c.error("select count(*) from country").0, "42P01");
    assert_ne!(c.value("select count(*) from lake.country"), "0");
    c.simple("set search_path to default");
    assert_ne!(c.value("select count(*) from country"), "0");
}

#[test]
fn statements_that_sql_prepares() {
    let mut c = Client::connect(usual().address);
    c.simple("prepare q (text, int) as select $1, $2 + 1");
    assert_eq!(c.rows("execute q ('a', 1)"), [["a", "2"]]);
    assert_eq!(c.rows("execute q (null, 40 + 1)"), [["NULL", "42"]]);
    assert_eq!(c.error("execute q ('a')").0, "42601");
    assert_eq!(c.error("prepare q as select 1").0, "42P05");
    c.simple("deallocate q");
    assert_eq!(c.error("deallocate q").0, "26000");
}

#[test]
fn microdata_are_shown_by_the_rules() {
    let mut c = Client::connect(usual().address);
    assert_eq!(c.error("select household_id, income_total from household").0, "42501");
    assert_ne!(c.value("select count(*) from household"), "0");
    // Groups of too few are left out, and it is said.
    let all = c.simple("select size_persons, count(*) from household group by size_persons");
    let note = all.iter().find(|m| m.kind == 'N').and_then(|m| m.field(b'M'));
    assert!(note.is_some_and(|n| n.contains("households")), "{} messages", all.len());
    // The same through what is prepared, declared and copied.
    c.parse("", "select income_total from household", &[]);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("42501"));
    assert_eq!(c.error("copy (select income_total from household) to stdout").0, "42501");
    assert_eq!(c.error("declare c cursor with hold for select income_total from household").0, "42501");
    assert_eq!(c.error("explain analyze select count(*) from household").0, "42501");
}
