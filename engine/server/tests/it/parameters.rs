//! Parameters where a plan needs their values: arguments of functions in FROM.

use crate::client::{Client, kinds};
use crate::server::usual;

const TEXT: u32 = 25;
const INT8: u32 = 20;

/// Rows of a statement with parameters, by the extended protocol; values as text.
fn rows(c: &mut Client, sql: &str, types: &[u32], values: &[Option<&[u8]>]) -> Vec<Vec<String>> {
    c.parse("", sql, types);
    c.bind("", "", values, 0);
    c.execute("", 0);
    let all = c.sync();
    if let Some(error) = all.iter().find(|m| m.kind == 'E') {
        panic!("{sql}: {:?} {:?}", error.field(b'C'), error.field(b'M'));
    }
    all.iter().filter(|m| m.kind == 'D').map(|m| m.texts()).collect()
}

fn error(c: &mut Client, sql: &str, values: &[Option<&[u8]>]) -> (String, String) {
    c.parse("", sql, &[]);
    c.bind("", "", values, 0);
    c.execute("", 0);
    let all = c.sync();
    let error = all.iter().find(|m| m.kind == 'E').unwrap();
    (error.field(b'C').unwrap(), error.field(b'M').unwrap())
}

#[test]
fn series_take_parameters() {
    let mut c = Client::connect(usual().address);
    let series = "select n from generate_series(1, $1) as t(n)";
    assert_eq!(rows(&mut c, series, &[], &[Some(b"3")]), [["1"], ["2"], ["3"]]);
    assert_eq!(rows(&mut c, series, &[23], &[Some(b"2")]), [["1"], ["2"]]);
    assert_eq!(rows(&mut c, series, &[], &[Some(b"-3")]), Vec::<Vec<String>>::new());
    assert_eq!(rows(&mut c, series, &[], &[None]), Vec::<Vec<String>>::new());
    let all = "select n, $4::text from generate_series($1::int, $2::int, $3) as t(n) where n > $1";
    assert_eq!(rows(&mut c, all, &[], &[Some(b"1"), Some(b"7"), Some(b"3"), Some(b"x")]), [["4", "x"], ["7", "x"]]);
    let computed = "select n from generate_series($1 - 1, $1 * 2) as t(n)";
    assert_eq!(rows(&mut c, computed, &[], &[Some(b"2")]), [["1"], ["2"], ["3"], ["4"]]);
    let days = "select d::date from generate_series($1::timestamp, $2::timestamp, interval '1 day') as t(d)";
    assert_eq!(
        rows(&mut c, days, &[], &[Some(b"2024-02-28"), Some(b"2024-03-01")]),
        [["2024-02-28"], ["2024-02-29"], ["2024-03-01"]]
    );
    // One statement, described before it has values and run with several.
    c.parse("s", "select n from generate_series(1, $1) as t(n)", &[]);
    c.describe(b'S', "s");
    let all = c.sync();
    assert_eq!(kinds(&all), "1tTZ");
    assert_eq!(all[1].body, [&1_i16.to_be_bytes()[..], &INT8.to_be_bytes()[..]].concat());
    assert_eq!(all[2].columns(), [("n".to_owned(), INT8)]);
    for (value, count) in [("1", 1), ("5", 5), ("0", 0)] {
        c.bind("", "s", &[Some(value.as_bytes())], 0);
        c.execute("", 0);
        assert_eq!(c.sync().iter().filter(|m| m.kind == 'D').count(), count);
    }
    let (code, message) = error(&mut c, "select * from generate_series(1, 3, $1)", &[Some(b"0")]);
    assert!(code != "XX000" && message.contains("cannot be zero"), "{code} {message}");
    // A number that no statement has takes no memory.
    c.parse("", "select * from generate_series(1, $999999999999)", &[]);
    assert_eq!(c.sync().iter().filter(|m| m.kind == 'E').count(), 1);
}

#[test]
fn prepared_by_sql_they_take_them_too() {
    let mut c = Client::connect(usual().address);
    c.simple("prepare p as select sum(n) from generate_series(1, $1) as t(n)");
    assert_eq!(c.value("execute p(4)"), "10");
    assert_eq!(c.value("execute p(100)"), "5050");
    c.simple("prepare q(int, int) as select count(*) from generate_series($1, $2)");
    assert_eq!(c.value("execute q(2, 5)"), "4");
    c.simple("prepare u as select u from unnest($1::int[]) as u order by u desc");
    assert_eq!(c.rows("execute u('{1,3,2}')"), [["3"], ["2"], ["1"]]);
}

#[test]
fn functions_of_the_library_take_parameters() {
    let mut c = Client::connect(usual().address);
    let flows = |origin: &str, inflow: &str, rule: &str| {
        format!(
            "select origin, destination, round(flow_usd_mn, 3) from bilateral_remittances( \
             stock => (select * from (values ('MEX', 'USA', 11.6), ('MEX', 'CAN', 0.1)) as t), \
             inflow => (select {origin}, {inflow}), \
             income => (select * from (values ('MEX', 20000), ('USA', 70000), ('CAN', 50000)) as t), rule => {rule}) \
             order by flow_usd_mn desc"
        )
    };
    let literal = c.rows(&flows("'MEX'", "50000", "2"));
    assert_eq!(literal.len(), 2);
    let bound = flows("$1", "$3::int", "$2");
    assert_eq!(rows(&mut c, &bound, &[TEXT], &[Some(b"MEX"), Some(b"2"), Some(b"50000")]), literal);
    let (_, message) = error(&mut c, &bound, &[Some(b"MEX"), Some(b"4"), Some(b"50000")]);
    assert!(message.contains("takes one of 1, 2, 3"), "{message}");
}

#[test]
fn arrays_are_unnested() {
    let mut c = Client::connect(usual().address);
    let unnested = "select * from unnest($1::int[])";
    assert_eq!(rows(&mut c, unnested, &[], &[Some(b"{1,NULL,3}")]), [["1"], ["NULL"], ["3"]]);
    let joined = "select c.iso3 from unnest($1::text[]) as u(code) join country c on c.iso3 = u.code where c.valid_to is null order by 1";
    assert_eq!(rows(&mut c, joined, &[], &[Some(b"{PHL,MEX}")]), [["MEX"], ["PHL"]]);
    let schema = "select * from pg_catalog.unnest($1::text[]) as u";
    assert_eq!(rows(&mut c, schema, &[], &[Some(b"{a,b}")]), [["a"], ["b"]]);
    assert_eq!(c.rows("select regexp_split_to_table('one  two,three', '[ ,]+') as w"), [["one"], ["two"], ["three"]]);
    assert_eq!(c.value("select regexp_split_to_array('a1b22c', '[0-9]+')"), "{a,b,c}");
    // The column is called by the function.
    assert_eq!(c.simple("select * from unnest(array[1])")[0].columns()[0].0, "unnest");
    assert_eq!(c.rows("select unnest from unnest(array['a', 'b'])"), [["a"], ["b"]]);
}

#[test]
fn series_of_times() {
    let mut c = Client::connect(usual().address);
    let months = [["2020-01-01 00:00:00"], ["2020-02-01 00:00:00"]];
    for bounds in [
        "'2020-01-01'::date, '2020-02-01'::date, '1 month'::interval",
        "timestamp '2020-01-01', '2020-02-01'::timestamp, interval '1 month'",
        "'2020-01-01'::timestamp, '2020-02-01'::timestamp, '1 month'",
    ] {
        assert_eq!(c.rows(&format!("select d from generate_series({bounds}) as d")), months, "{bounds}");
    }
}
