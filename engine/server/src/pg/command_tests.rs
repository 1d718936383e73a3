//! Statements and what they ask.

use super::super::words::words;
use super::*;

fn of(sql: &str) -> Result<Command> {
    command(sql, &words(sql)?)
}

#[test]
fn transactions() {
    assert_eq!(of("BEGIN").unwrap(), Command::Begin(Begin::default()));
    let write = Begin { write: true, isolation: Some("repeatable read") };
    assert_eq!(of("begin isolation level repeatable read, read write").unwrap(), Command::Begin(write));
    assert_eq!(of("START TRANSACTION READ ONLY DEFERRABLE").unwrap(), Command::Begin(Begin::default()));
    assert_eq!(of("COMMIT AND CHAIN").unwrap(), Command::Commit { chain: true });
    assert_eq!(of("end work").unwrap(), Command::Commit { chain: false });
    assert_eq!(of("ROLLBACK TO SAVEPOINT \"A b\"").unwrap(), Command::RollbackTo("A b".to_owned()));
    assert_eq!(of("release Sp").unwrap(), Command::Release("sp".to_owned()));
    assert!(of("begin nonsense").is_err());
    assert!(of("commit prepared 'x'").is_err());
}

#[test]
fn settings() {
    let set = |name: &str, value: Option<&str>, local| Command::Set {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        local,
    };
    assert_eq!(of("SET extra_float_digits = 3").unwrap(), set("extra_float_digits", Some("3"), false));
    assert_eq!(of("set local TimeZone to 'Europe/Paris'").unwrap(), set("timezone", Some("Europe/Paris"), true));
    assert_eq!(of("SET TIME ZONE -5").unwrap(), set("timezone", Some("-5"), false));
    assert_eq!(of("SET TIME ZONE LOCAL").unwrap(), set("timezone", None, false));
    assert_eq!(of("SET NAMES 'UTF8'").unwrap(), set("client_encoding", Some("UTF8"), false));
    assert_eq!(of("SET search_path TO mart, \"Lake\"").unwrap(), set("search_path", Some("mart, Lake"), false));
    assert_eq!(of("SET SESSION AUTHORIZATION DEFAULT").unwrap(), set("session_authorization", None, false));
    assert_eq!(of("set envoi.as_of = '2024-01-01'").unwrap(), set("envoi.as_of", Some("2024-01-01"), false));
    assert_eq!(of("RESET statement_timeout").unwrap(), set("statement_timeout", None, false));
    assert_eq!(of("SHOW TRANSACTION ISOLATION LEVEL").unwrap(), Command::Show("transaction_isolation".to_owned()));
    assert!(matches!(
        of("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").unwrap(),
        Command::SetTransaction { session: true, .. }
    ));
    assert_eq!(of("SET x").unwrap_err().sqlstate, "42601");
}

#[test]
fn cursors_and_copies() {
    let Command::Declare(d) = of("declare c binary no scroll cursor with hold for select 1 as for_").unwrap() else {
        panic!("no cursor")
    };
    assert_eq!((d.name.as_str(), d.binary, d.hold, d.query.as_str()), ("c", true, true, "select 1 as for_"));
    let fetch = |direction| Command::Fetch { cursor: "c".to_owned(), direction, shown: true };
    assert_eq!(of("FETCH FORWARD 100 FROM c").unwrap(), fetch(Direction::Forward(100)));
    assert_eq!(of("fetch all in c").unwrap(), fetch(Direction::All));
    assert_eq!(of("fetch c").unwrap(), fetch(Direction::Forward(1)));
    assert_eq!(of("fetch 5 c").unwrap(), fetch(Direction::Forward(5)));
    assert_eq!(of("fetch backward 5 from c").unwrap(), fetch(Direction::Backward(5)));
    assert_eq!(of("fetch -2 from c").unwrap(), fetch(Direction::Backward(2)));
    assert_eq!(of("fetch last in c").unwrap(), fetch(Direction::Absolute(-1)));
    assert_eq!(of("fetch relative -3 c").unwrap(), fetch(Direction::Relative(-3)));
    assert_eq!(of("fetch absolute c").unwrap_err().sqlstate, "42601");
    let Command::CopyOut(copy) =
        of("COPY (select a, (1) from t) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER ';', FORCE_QUOTE (a, b))")
            .unwrap()
    else {
        panic!("no copy")
    };
    assert_eq!(copy.query, "select a, (1) from t");
    let option = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
    assert_eq!(
        copy.options,
        [
            option("format", Some("csv")),
            option("header", None),
            option("delimiter", Some(";")),
            option("force_quote", Some("a, b"))
        ]
    );
    let Command::CopyOut(copy) = of("copy mart.\"T\" (a, b) to stdout csv header").unwrap() else { panic!("no copy") };
    assert_eq!(copy.query, "select a, b from mart.\"T\"");
    assert_eq!(of("copy t from stdin").unwrap_err().sqlstate, READ_ONLY);
    assert_eq!(of("copy t to '/tmp/x'").unwrap_err().sqlstate, "42501");
    assert_eq!(of("copy (select 1) to program 'sh'").unwrap_err().sqlstate, "42501");
}

#[test]
fn statements_of_the_engine() {
    assert_eq!(of("select 1").unwrap(), Command::Query);
    assert_eq!(of("with a as (select 1) select * from a").unwrap(), Command::Query);
    let Command::Explain { analyze, query, .. } = of("explain (analyze, costs off) select 1").unwrap() else {
        panic!("no plan")
    };
    assert_eq!((analyze, query.as_str()), (true, "select 1"));
    let Command::Prepare { name, types, query, .. } = of("prepare p (int, numeric(3)) as select $1").unwrap() else {
        panic!("not prepared")
    };
    assert_eq!((name.as_str(), types.len(), query.as_str()), ("p", 2, "select $1"));
    assert_eq!(of("listen x").unwrap_err().sqlstate, FEATURE_NOT_SUPPORTED);
}
