//! Statements before and after.

use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::parser::Parser;

use super::output::output_names;
use super::rewrite;

fn rewritten(sql: &str) -> String {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
    rewrite(&mut statements[0]).unwrap();
    statements[0].to_string()
}

#[test]
fn statements_become_the_engine_s() {
    for (sql, expected) in [
        ("select pg_catalog.version()", "SELECT version()"),
        ("select oid from pg_class", "SELECT oid FROM pg_catalog.pg_class"),
        (
            "with pg_class as (select 1 as a) select a from pg_class",
            "WITH pg_class AS (SELECT 1 AS a) SELECT a FROM pg_class",
        ),
        ("select 'pg_class'::regclass::oid", "SELECT envoi_oid(envoi_regclass('pg_class'))"),
        ("select oid::regclass from t", "SELECT envoi_regclass_name(oid) AS oid FROM t"),
        ("select oid::regtype::text as r from t", "SELECT envoi_regtype_name(oid) AS r FROM t"),
        (
            "select timestamp '2024-03-05 07:08', '2024-03-05T07:08Z'::timestamptz, '2024-03-05 07:08:09'::timestamp",
            "SELECT TIMESTAMP '2024-03-05 07:08:00', '2024-03-05T07:08:00Z'::TIMESTAMPTZ AS \"timestamptz\", '2024-03-05 07:08:09'::TIMESTAMP AS \"timestamp\"",
        ),
        (
            "select format('%I.%s', n::regnamespace, t::regtype), 'x' || n::regclass from t",
            "SELECT format('%I.%s', envoi_regnamespace_name(n), envoi_regtype_name(t)), 'x' || envoi_regclass_name(n) FROM t",
        ),
        ("select 1 where a = any ('{r,p}'::text[])", "SELECT 1 WHERE a IN ('r', 'p')"),
        ("select 1 where a <> all (array['r'])", "SELECT 1 WHERE a NOT IN ('r')"),
        ("select 1 where a operator(pg_catalog.~) '^x' collate pg_catalog.default", "SELECT 1 WHERE a ~ '^x'"),
        ("select 1 where n not like 'pg/_' || '%' escape '/'", "SELECT 1 WHERE n NOT LIKE 'pg\\_%'"),
        ("select a[1]", "SELECT envoi_element(a, 1)"),
        ("select (information_schema._pg_expandarray(i.k)).n", "SELECT unnest(envoi_numbers(i.k))"),
        ("select 1 from t for update", "SELECT 1 FROM t"),
        (
            "select 1 from pg_type t, pg_proc p where p.oid = t.typreceive",
            "SELECT 1 FROM pg_catalog.pg_type t, pg_catalog.pg_proc p WHERE p.oid = envoi_oid(t.typreceive)",
        ),
        ("select current_schema", "SELECT current_schema()"),
        (
            "select (select pg_get_expr(d.adbin, d.adrelid, true) from pg_attrdef d where d.adrelid = a.attrelid) from pg_attribute a",
            "SELECT NULL FROM pg_catalog.pg_attribute a",
        ),
        (
            "select (select n.nspname from pg_namespace n where n.oid = c.relnamespace) from pg_class c",
            "SELECT (SELECT first_value(n.nspname) FROM pg_catalog.pg_namespace n WHERE n.oid = c.relnamespace) FROM pg_catalog.pg_class c",
        ),
    ] {
        assert_eq!(rewritten(sql), expected, "{sql}");
    }
}

#[test]
fn columns_of_keys_are_named_by_a_function() {
    let in_order = "SELECT envoi_key_columns(c.conrelid, c.conkey) FROM pg_catalog.pg_constraint c";
    let by_number = "SELECT envoi_key_columns_by_number(c.conrelid, c.conkey) FROM pg_catalog.pg_constraint c";
    for (sql, expected) in [
        (
            "(select array_agg(attname order by i) from (select unnest(conkey) as attnum, generate_subscripts(conkey, 1) \
             as i) x join pg_attribute a using (attnum) where a.attrelid = c.conrelid)",
            "SELECT envoi_key_columns(c.conrelid, conkey) FROM pg_catalog.pg_constraint c",
        ),
        (
            "(select array_agg(a.attname::text order by u.n) from unnest(c.conkey) with ordinality as u(k, n) \
             join pg_attribute a on a.attnum = u.k and c.conrelid = a.attrelid)",
            in_order,
        ),
        (
            "(select array_agg(attname order by array_position(c.conkey, attnum)) from pg_attribute \
             where attrelid = c.conrelid and attnum = any (c.conkey) and not attisdropped)",
            in_order,
        ),
        (
            "(select array_agg(a.attname order by s.i) from pg_attribute a, generate_subscripts(c.conkey, 1) as s(i) \
             where a.attrelid = c.conrelid and a.attnum = c.conkey[s.i])",
            in_order,
        ),
        ("array(select attname from pg_attribute where attrelid = c.conrelid and attnum = any (c.conkey))", by_number),
        (
            "(select string_agg(attname, ', ' order by attnum) from pg_attribute where attrelid = c.conrelid \
             and attnum = any (c.conkey))",
            "SELECT array_to_string(envoi_key_columns_by_number(c.conrelid, c.conkey), ', ') FROM pg_catalog.pg_constraint c",
        ),
    ] {
        assert_eq!(rewritten(&format!("select {sql} from pg_constraint c")), expected, "{sql}");
    }
    // Whatever asks for more is left alone.
    for sql in [
        "(select array_agg(attname) from pg_attribute where attrelid = c.conrelid and attnum = any (c.conkey) and attname > 'a')",
        "(select array_agg(attname order by attname) from pg_attribute where attrelid = c.conrelid and attnum = any (c.conkey))",
        "(select array_agg(attnum) from pg_attribute where attrelid = c.conrelid and attnum = any (c.conkey))",
        "(select array_agg(attname order by attnum desc) from pg_attribute where attrelid = c.conrelid and attnum = any (c.conkey))",
        "(select array_agg(attname) from pg_attribute where attrelid = c.conrelid or attnum = any (c.conkey))",
        "(select array_agg(attname) from pg_attribute where attrelid = attrelid and attnum = any (c.conkey))",
    ] {
        let after = rewritten(&format!("select {sql} from pg_constraint c"));
        assert!(!after.contains("envoi_key_columns"), "{after}");
    }
}

#[test]
fn series_of_times_keep_their_bounds() {
    for (sql, expected) in [
        ("select * from generate_series(1, n)", "SELECT * FROM generate_series(1, CAST(n AS BIGINT))"),
        (
            "select * from generate_series('2020-01-01'::date, now(), '1 day'::interval)",
            "SELECT * FROM generate_series('2020-01-01'::DATE, now(), '1 day'::INTERVAL)",
        ),
        (
            "select * from generate_series($1, $2, '1 day')",
            "SELECT * FROM generate_series($1, $2, CAST('1 day' AS INTERVAL))",
        ),
    ] {
        assert_eq!(rewritten(sql), expected, "{sql}");
    }
}

#[test]
fn parameters_get_a_type_of_the_engine() {
    for (sql, expected) in [
        ("select $1::regclass", "SELECT envoi_regclass_name(CAST($1 AS TEXT)) AS regclass"),
        ("select 1 where a = any ($1::oid[])", "SELECT 1 WHERE a = ANY(CAST($1 AS BIGINT[]))"),
        ("select 1 where a = $1::varchar", "SELECT 1 WHERE a = CAST($1 AS TEXT)"),
    ] {
        assert_eq!(rewritten(sql), expected, "{sql}");
    }
}

#[test]
fn statements_of_the_engine_stay() {
    for sql in [
        "SELECT granted = 't' FROM marks",
        "SELECT (SELECT value FROM r WHERE r.iso3 = e.iso3) FROM e",
        "SELECT a IN (SELECT b FROM t) FROM u",
    ] {
        assert_eq!(rewritten(sql), sql);
    }
}

#[test]
fn columns_are_named_as_postgresql_does() {
    let sql = "select 1, count(*), a.b, c as d, x::int, '1'::int4, case when a then 1 end, true, (select max(z) from t), \
        exists (select 1), array[1], 'x'::varchar(3), 5::float8::text, true::text, not exists (select 1), pg_catalog.version(), f[1], now()::date";
    let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
    let expected = [
        "?column?", "count", "b", "d", "x", "int4", "case", "bool", "max", "exists", "array", "varchar", "text",
        "text", "?column?", "version", "f", "now",
    ];
    let names = output_names(&statement);
    let all: Vec<_> = (0..expected.len()).map(|place| names.at(place, expected.len()).unwrap()).collect();
    assert_eq!(all, expected);
    assert_eq!(names.at(0, 3), None);
}

#[test]
fn columns_beside_a_star_are_named_too() {
    let named = |sql: &str, count| {
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let names = output_names(&statement);
        (0..count).map(|place| names.at(place, count).unwrap_or("*").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(named("select *, a, a::int from t", 4), "* * a a");
    assert_eq!(named("select a, t.*, 1, u.*, sum(x) from t, u", 6), "a * * * * sum");
    assert_eq!(named("select a, * from t union select 1, 2", 2), "a *");
}

#[test]
fn comparisons_are_not_multiplied_without_end() {
    let mut expression = "a".to_owned();
    for _ in 0..12 {
        expression = format!("({expression} ~ any (array['a','b','c','d','e','f','g','h']))");
    }
    assert!(rewritten(&format!("select {expression}")).len() < 1 << 20);
}

proptest::proptest! {
    #[test]
    fn no_literal_is_too_odd_an_array(text in "[{}\"\\\\,a ]{0,20}") {
        let _ = rewritten(&format!("select 1 from pg_class where oid = any ('{text}'::oid[]) and x like '{text}' escape 'a'"));
    }
}
