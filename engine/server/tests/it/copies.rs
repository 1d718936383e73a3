//! `COPY … TO STDOUT`.

use crate::client::{Client, kinds};
use crate::server::usual;

fn copied(c: &mut Client, sql: &str) -> String {
    let all = c.simple(sql);
    assert_eq!(
        kinds(&all).trim_matches('d'),
        "HcCZ"
            .trim_matches('d')
            .replace("Hc", &format!("H{}c", "d".repeat(all.iter().filter(|m| m.kind == 'd').count())))
    );
    all.iter().filter(|m| m.kind == 'd').map(|m| String::from_utf8(m.body.clone()).unwrap()).collect()
}

#[test]
fn text_and_csv() {
    let mut c = Client::connect(usual().address);
    let rows = "select * from (values (1, 'a\tb', null), (2, 'c\"d', 'x')) as t(a, b, c) order by a";
    assert_eq!(copied(&mut c, &format!("copy ({rows}) to stdout")), "1\ta\\tb\t\\N\n2\tc\"d\tx\n");
    assert_eq!(
        copied(&mut c, &format!("copy ({rows}) to stdout with (format csv, header, force_quote (c))")),
        "a,b,c\n1,a\tb,\n2,\"c\"\"d\",\"x\"\n"
    );
    assert_eq!(copied(&mut c, "copy (select 1, null) to stdout csv null 'n' delimiter ';'"), "1;n\n");
    let all = c.simple("copy country (iso3, name_en) to stdout");
    assert!(all.iter().any(|m| m.body == b"MEX\tMexico\n"));
    assert_eq!(all.iter().rfind(|m| m.kind == 'C').unwrap().body[..5], b"COPY "[..]);
    for (sql, sqlstate) in [
        ("copy (select 1) to stdout (format xml)", "22023"),
        ("copy (select 1) to stdout (quote '''')", "0A000"),
        ("copy (select 1) to stdout (delimiter 'ab')", "22023"),
        ("copy (select 1) to stdout (nonsense)", "42601"),
        ("copy (select 1 as a) to stdout (format csv, force_quote (b))", "42703"),
        ("copy nonsense to stdout", "42P01"),
    ] {
        assert_eq!(c.error(sql).0, sqlstate, "{sql}");
    }
}

#[test]
fn binary() {
    let mut c = Client::connect(usual().address);
    let all = c.simple("copy (select cast(1 as int), cast(null as text)) to stdout (format binary)");
    let bytes: Vec<u8> = all.iter().filter(|m| m.kind == 'd').flat_map(|m| m.body.clone()).collect();
    let mut expected = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    expected.extend(b"\0\x02\0\0\0\x04\0\0\0\x01\xff\xff\xff\xff\xff\xff");
    assert_eq!(bytes, expected);
}
