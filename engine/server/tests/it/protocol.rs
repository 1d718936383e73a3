//! Messages in the order PostgreSQL sends them, with the values in them.

use crate::client::{Client, kinds, message};
use crate::server::usual;

#[test]
fn simple_queries() {
    let mut c = Client::connect(usual().address);
    let all = c.simple("select 1 as one, 'a' as a, null as n, 2.5::float8 as f");
    assert_eq!(kinds(&all), "TDCZ");
    let columns = all[0].columns();
    assert_eq!(columns.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["one", "a", "n", "f"]);
    assert_eq!(columns.iter().map(|(_, oid)| *oid).collect::<Vec<_>>(), [20, 25, 25, 701]);
    assert_eq!(all[1].texts(), ["1", "a", "NULL", "2.5"]);
    assert_eq!(all[2].body, b"SELECT 1\0");
    assert_eq!(all[3].body, b"I");
    assert_eq!(kinds(&c.simple("")), "IZ");
    assert_eq!(kinds(&c.simple(" -- nothing\n ; ; ")), "IZ");
    assert_eq!(kinds(&c.simple("select 1; select 2 where false; show timezone")), "TDCTCTDCZ");
    // The first that fails ends the text.
    assert_eq!(kinds(&c.simple("select 1; select nonsense; select 2")), "TDCEZ");
}

#[test]
fn casts_are_called_by_what_is_cast() {
    let mut c = Client::connect(usual().address);
    let all = c.simple("select year::text, count(*), 'x'::varchar, year as y from remittance_vs_oda group by year order by year limit 1");
    let names: Vec<(String, u32)> = all[0].columns();
    let names: Vec<(&str, u32)> = names.iter().map(|(n, oid)| (n.as_str(), *oid)).collect();
    assert_eq!(names, [("year", 25), ("count", 20), ("varchar", 1043), ("y", 23)]);
    assert_eq!(c.rows("select iso3, iso3::text from country where iso3 = 'MEX' order by iso3"), [["MEX", "MEX"]]);
}

#[test]
fn texts_without_a_type_are_truths_where_truths_are_compared() {
    let mut c = Client::connect(usual().address);
    let count =
        |c: &mut Client, condition: &str| c.value(&format!("select count(*) from remittance_vs_oda where {condition}"));
    let exceeding = count(&mut c, "remit_exceeds_oda");
    for condition in [
        "remit_exceeds_oda = 't'",
        "remit_exceeds_oda = 'True'",
        "'yes' = remit_exceeds_oda",
        "remit_exceeds_oda in ('true')",
        "remit_exceeds_oda not in ('False')",
        "remit_exceeds_oda > 'f'",
    ] {
        assert_eq!(count(&mut c, condition), exceeding, "{condition}");
    }
    let known = count(&mut c, "remit_exceeds_oda is not null");
    assert_eq!(count(&mut c, "remit_exceeds_oda in ('True', 'False')"), known);
    assert_eq!(count(&mut c, "remit_exceeds_oda not in ('True', 'False')"), "0");
    // Texts stay texts.
    assert_eq!(c.value("select count(*) from (values ('true'), ('t')) as v(x) where x in ('t', 'f')"), "1");
    assert!(c.error("select 1 from remittance_vs_oda where remit_exceeds_oda = 'perhaps'").0 != "XX000");
}

#[test]
fn columns_of_relations_name_their_relation() {
    let mut c = Client::connect(usual().address);
    let origins = |c: &mut Client, sql: &str| -> Vec<(String, u16)> {
        let all = c.simple(sql);
        let origins = all[0].origins();
        let mut name = |oid: u32| if oid == 0 { String::new() } else { c.value(&format!("select {oid}::regclass")) };
        origins.into_iter().map(|(oid, number)| (name(oid), number)).collect()
    };
    let of = |name: &str, number| (name.to_owned(), number);
    assert_eq!(
        origins(&mut c, "select iso3, year + 1, remittance_usd as r from remittance_vs_oda limit 1"),
        [of("remittance_vs_oda", 1), of("", 0), of("remittance_vs_oda", 6)]
    );
    let joined =
        "select i.*, o.iso3 from lake.indicator i join lake.observation o on o.indicator = i.indicator limit 1";
    let all = origins(&mut c, joined);
    assert_eq!((all[0].clone(), all[all.len() - 1].0.as_str()), (of("indicator", 1), "observation"));
    assert_eq!(origins(&mut c, "select oid, relname from pg_class limit 1"), [of("pg_class", 1), of("pg_class", 2)]);
    // What is prepared says it too.
    c.parse("", "select name_en from lake.country where iso3 = $1", &[]);
    c.describe(b'S', "");
    assert_eq!(c.sync()[2].origins()[0].1, 4);
}

#[test]
fn databases() {
    for database in ["envoi", "postgres", "tester"] {
        assert!(Client::with(usual().address, &[("user", "tester"), ("database", database)]).is_ok());
    }
    let refused = Client::with(usual().address, &[("user", "tester"), ("database", "nonsense")]).err().unwrap();
    assert_eq!((refused.field(b'S').as_deref(), refused.field(b'C').as_deref()), (Some("FATAL"), Some("3D000")));
}

#[test]
fn errors_say_what_and_where() {
    let mut c = Client::connect(usual().address);
    let all = c.simple("select 'ä',\n  iso3, nonsense from country");
    let error = all.iter().find(|m| m.kind == 'E').unwrap();
    assert_eq!(error.field(b'S').as_deref(), Some("ERROR"));
    assert_eq!(error.field(b'V').as_deref(), Some("ERROR"));
    assert_eq!(error.field(b'C').as_deref(), Some("42703"));
    assert_eq!(error.field(b'P').as_deref(), Some("21"), "characters, not bytes");
    for (sql, sqlstate) in [
        ("selec 1", "42601"),
        ("select 'never ends", "42601"),
        ("select * from nonsense", "42P01"),
        ("select nonsense(1)", "42883"),
        ("select 1/0", "22012"),
        ("select cast('x' as int)", "22P02"),
        ("insert into country select * from country", "25006"),
        ("create table x (a int)", "25006"),
        ("drop table country", "25006"),
        ("copy country from stdin", "25006"),
        ("copy country to '/tmp/x'", "42501"),
        ("select * from '/etc/passwd'", "42P01"),
        ("fetch from nothing", "34000"),
        ("execute nothing", "26000"),
        ("set nonsense = 1", "42704"),
        ("set datafusion.runtime.memory_limit = '1G'", "42704"),
        ("set envoi.as_of = 'soon'", "22023"),
        ("show nonsense", "42704"),
        ("listen x", "0A000"),
        ("savepoint a", "25P01"),
    ] {
        let (got, message) = c.error(sql);
        assert_eq!(got, sqlstate, "{sql}: {message}");
        assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
    }
    // The place is in the text that was sent, not in one of its statements.
    let all = c.simple("select 1; select\n nonsense");
    assert_eq!(all.iter().find(|m| m.kind == 'E').unwrap().field(b'P').as_deref(), Some("19"));
}

#[test]
fn extended_queries() {
    let mut c = Client::connect(usual().address);
    c.parse(
        "q",
        "select iso3, year, remittance_usd from remittance_vs_oda where iso3 = $1 and year > $2 order by year",
        &[],
    );
    c.describe(b'S', "q");
    let all = c.sync();
    assert_eq!(kinds(&all), "1tTZ");
    let oids: Vec<u32> = all[1].body[2..].chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
    assert_eq!(oids[0], 25);
    assert!([23, 20].contains(&oids[1]), "{oids:?}");
    assert_eq!(all[2].columns()[2], ("remittance_usd".to_owned(), 701));

    // Again and again with other values, in text and in binary.
    let year = 2021_i32;
    for format in [0, 1] {
        let year = match (format, oids[1]) {
            (0, _) => year.to_string().into_bytes(),
            (_, 23) => year.to_be_bytes().to_vec(),
            _ => i64::from(year).to_be_bytes().to_vec(),
        };
        c.bind("", "q", &[Some(b"MEX"), Some(&year)], format);
        c.execute("", 0);
        let all = c.sync();
        assert_eq!(kinds(&all[..1]), "2");
        let rows: Vec<_> = all.iter().filter(|m| m.kind == 'D').map(|m| m.row()).collect();
        assert!(!rows.is_empty());
        assert_eq!(rows[0][0].as_deref(), Some(&b"MEX"[..]));
        let first = rows[0][1].clone().unwrap();
        match format {
            0 => assert_eq!(first, b"2022"),
            _ => assert_eq!(i32::from_be_bytes(first.try_into().unwrap()), 2022),
        }
    }

    // What nobody says a type of is text; a list is a list.
    c.parse("", "select pg_cancel_backend($1)", &[]);
    c.describe(b'S', "");
    assert_eq!(c.sync()[1].body[2..], 20_u32.to_be_bytes());
    c.parse("", "select $1, $2::int + 1, iso3 from country where iso3 = any($3) order by iso3", &[]);
    c.describe(b'S', "");
    let all = c.sync();
    assert_eq!(kinds(&all), "1tTZ");
    let oids: Vec<u32> = all[1].body[2..].chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
    assert_eq!(oids, [25, 23, 1009]);
    c.bind("", "", &[None, Some(b"41"), Some(b"{MEX,PHL}")], 0);
    c.execute("", 0);
    let all = c.sync();
    let rows: Vec<_> = all.iter().filter(|m| m.kind == 'D').map(|m| m.texts()).collect();
    assert_eq!(rows, [["NULL", "42", "MEX"], ["NULL", "42", "PHL"]]);
}

#[test]
fn portals_stop_and_go_on() {
    let mut c = Client::connect(usual().address);
    c.simple("begin");
    c.parse("", "select value from generate_series(1, 5) as t(value)", &[]);
    c.bind("p", "", &[], 0);
    c.execute("p", 2);
    c.execute("p", 2);
    c.execute("p", 2);
    c.execute("p", 2);
    let all = c.sync();
    assert_eq!(kinds(&all), "12DDsDDsDCCZ");
    assert_eq!(all.last().unwrap().body, b"T");
    assert_eq!(all[8].texts(), ["5"]);
    assert_eq!(all[9].body, b"SELECT 1\0");
    // The transaction's end is the portal's.
    c.simple("commit");
    c.execute("p", 0);
    let all = c.sync();
    assert_eq!((kinds(&all).as_str(), all[0].field(b'C').as_deref()), ("EZ", Some("34000")));
}

#[test]
fn after_an_error_all_is_passed_over_until_sync() {
    let mut c = Client::connect(usual().address);
    c.parse("a", "selec", &[]);
    c.parse("b", "select 1", &[]);
    c.bind("", "b", &[], 0);
    c.execute("", 0);
    assert_eq!(kinds(&c.sync()), "EZ");
    c.bind("", "b", &[], 0);
    let all = c.sync();
    assert_eq!(all[0].field(b'C').as_deref(), Some("26000"), "it was passed over");
    // Flush sends what there is without an end.
    c.parse("b", "select 1", &[]);
    c.send(&message(b'H', &[]));
    assert_eq!(c.next().unwrap().kind, '1');
    c.parse("b", "select 1", &[]);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("42P05"));
    let mut close = b"S".to_vec();
    close.extend(b"b\0");
    c.send(&message(b'C', &close));
    c.parse("b", "select 1; select 2", &[]);
    let all = c.sync();
    assert_eq!((kinds(&all).as_str(), all[1].field(b'C').as_deref()), ("3EZ", Some("42601")));
}

#[test]
fn values_that_do_not_fit_their_parameters() {
    let mut c = Client::connect(usual().address);
    c.parse("q", "select $1::int8", &[20]);
    c.bind("", "q", &[Some(b"abc")], 0);
    assert_eq!(c.sync()[1].field(b'C').as_deref(), Some("22P02"));
    c.bind("", "q", &[Some(b"abc")], 1);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("22P03"));
    c.bind("", "q", &[Some(b"99999999999999999999")], 0);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("22003"));
    c.bind("", "q", &[], 0);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("08P01"));
    c.parse("r", "select $2", &[]);
    assert_eq!(kinds(&c.sync()), "1Z");
    c.parse("s", "select $0", &[]);
    assert_eq!(c.sync()[0].field(b'C').as_deref(), Some("42P02"));
}

#[test]
fn times_and_numbers_by_patterns() {
    let mut c = Client::connect(usual().address);
    c.simple("set timezone = 'Europe/Berlin'");
    for (sql, text) in [
        ("to_char(timestamp '2024-03-05 07:08:09', 'YYYY-MM-DD HH24:MI:SS')", "2024-03-05 07:08:09"),
        ("to_char(timestamptz '2024-07-05 07:08:00Z', 'HH24:MI TZH')", "09:08 +02"),
        ("to_char(date '2024-03-05', 'FMDay, DD Mon YYYY')", "Tuesday, 05 Mar 2024"),
        ("to_char(1234567.891, 'FM9,999,999.00')", "1,234,567.89"),
        ("to_char(42, '000')", " 042"),
        ("to_char(null::date, 'YYYY')", "NULL"),
        ("to_char(interval '26 hours', 'HH24:MI')", "26:00"),
        ("pg_typeof(1.5), pg_typeof(now())", "double precision"),
    ] {
        assert_eq!(c.rows(&format!("select {sql}"))[0][0], text, "{sql}");
    }
    let years = "select to_char(period, 'YYYY') as y, count(*) from lake.observation group by 1 order by 1 limit 1";
    assert_eq!(c.rows(years)[0][0].len(), 4);
    assert_eq!(c.error("select to_char('a'::text, 'YYYY')").0, "42883");
}

#[test]
fn tables_of_the_search_path_as_grafana_asks() {
    let mut c = Client::connect(usual().address);
    let path = "string_to_array(current_setting('search_path'), ',')";
    let within = format!(
        "quote_ident(table_schema) in (select case when trim(s[i]) = '\"$user\"' then user else trim(s[i]) end \
         from generate_series(array_lower({path}, 1), array_upper({path}, 1)) as i, {path} s)"
    );
    let rows = c.rows(&format!(
        "select case when {within} then quote_ident(table_name) \
         else quote_ident(table_schema) || '.' || quote_ident(table_name) end as \"table\" \
         from information_schema.tables where quote_ident(table_schema) not in ('information_schema', 'pg_catalog') \
         order by case when {within} then 0 else 1 end, 1"
    ));
    assert!(rows.contains(&vec!["remittance_vs_oda".to_owned()]), "{rows:?}");
    let bare = rows.iter().take_while(|r| !r[0].contains('.')).count();
    assert!(bare > 5 && rows.iter().skip(bare).all(|r| r[0].contains('.')), "{rows:?}");
}
