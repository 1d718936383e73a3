//! The functions over the sample, as DataFusion calls them.

use std::sync::Arc;

use super::call::Call;
use super::{Snapshot, definitions_of_all};
use crate::catalogue::Cell;
use crate::catalogue::tests::sample;

fn call(snapshot: &Snapshot, name: &str, arguments: &[Cell]) -> Result<Cell, String> {
    let definition = definitions_of_all().find(|d| d.name == name).unwrap();
    (definition.body)(&Call { snapshot, arguments, fields: &[] })
}

#[test]
fn no_name_is_defined_twice() {
    let mut names: Vec<_> = definitions_of_all().map(|d| d.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn names_become_oids_and_back() {
    let snapshot = sample();
    for (kind, name) in [
        ("regclass", "economy"),
        ("regclass", "pg_class"),
        ("regclass", "information_schema.tables"),
        ("regclass", "remittance_pkey"),
        ("regtype", "character varying[]"),
        ("regtype", "integer"),
        ("regproc", "array_in"),
        ("regnamespace", "lake"),
        ("regrole", "reader"),
    ] {
        let oid = call(&snapshot, &format!("envoi_{kind}"), &[name.into()]).unwrap();
        assert_eq!(call(&snapshot, &format!("envoi_{kind}_name"), &[oid]).unwrap(), name.into(), "{kind}");
    }
    let missing = call(&snapshot, "envoi_regclass", &["nothing".into()]);
    assert_eq!(missing, Err("relation \"nothing\" does not exist".to_owned()));
    assert_eq!(call(&snapshot, "to_regclass", &["nothing".into()]), Ok(Cell::Null));
}

#[test]
fn definitions_are_sql() {
    let snapshot = sample();
    let table = snapshot.tables.iter().find(|t| t.relation.name == "remittance").unwrap();
    let key = table.key.as_ref().unwrap();
    let primary = call(&snapshot, "pg_get_constraintdef", &[key.constraint.into()]).unwrap();
    assert_eq!(primary, "PRIMARY KEY (iso3, year)".into());
    let foreign = call(&snapshot, "pg_get_constraintdef", &[table.foreign[0].constraint.into()]).unwrap();
    assert_eq!(foreign, "FOREIGN KEY (iso3) REFERENCES economy(iso3)".into());
    let index = call(&snapshot, "pg_get_indexdef", &[key.index.into()]).unwrap();
    assert_eq!(index, "CREATE UNIQUE INDEX remittance_pkey ON lake.remittance USING btree (iso3, year)".into());
    let second = call(&snapshot, "pg_get_indexdef", &[key.index.into(), 2.into(), false.into()]).unwrap();
    assert_eq!(second, "year".into());
}

#[test]
fn columns_of_keys_are_named() {
    let snapshot = sample();
    let oid = snapshot.tables.iter().find(|t| t.relation.name == "remittance").unwrap().oid;
    let names = |function: &str, oid: u32, numbers: &[i64]| {
        call(&snapshot, function, &[oid.into(), numbers.to_vec().into()]).unwrap()
    };
    assert_eq!(names("envoi_key_columns", oid, &[2, 1]), vec!["year", "iso3"].into());
    assert_eq!(names("envoi_key_columns_by_number", oid, &[2, 1, 2]), vec!["iso3", "year"].into());
    // Numbers that no column has are passed over, as a join does; of none there is NULL.
    assert_eq!(names("envoi_key_columns", oid, &[99, -1, 0, 2]), vec!["year"].into());
    assert_eq!(names("envoi_key_columns", oid, &[99]), Cell::Null);
    assert_eq!(names("envoi_key_columns", 1, &[1]), Cell::Null);
    assert_eq!(names("envoi_key_columns", 1259, &[1, 2]), vec!["oid", "relname"].into());
}

#[test]
fn sizes_are_written_as_postgresql_does() {
    let snapshot = sample();
    for (bytes, text) in [
        (0, "0 bytes"),
        (10_239, "10239 bytes"),
        (10_240, "10 kB"),
        (10_485_247, "10239 kB"),
        (10_485_248, "10 MB"),
        (-123_456_789, "-118 MB"),
        (5_000_000_000_000, "4657 GB"),
    ] {
        assert_eq!(call(&snapshot, "pg_size_pretty", &[Cell::Int(bytes)]), Ok(text.into()), "{bytes}");
    }
}

#[test]
fn texts_are_formatted() {
    let snapshot = sample();
    let arguments = ["%s %I %L %% %1$s".into(), "a".into(), "B c".into(), "d'e".into()];
    assert_eq!(call(&snapshot, "format", &arguments), Ok("a \"B c\" 'd''e' % a".into()));
    assert_eq!(call(&snapshot, "quote_ident", &["select".into()]), Ok("\"select\"".into()));
}

#[test]
fn all_are_made() {
    assert!(super::functions(&Arc::new(sample())).len() > 150);
}

#[test]
fn names_of_any_depth_are_read() {
    let snapshot = sample();
    let deep = format!("int4{}", "[]".repeat(1 << 20));
    assert_eq!(call(&snapshot, "to_regtype", &[deep.into()]), Ok(1007.into()));
    let open = "(".repeat(1 << 20);
    assert_eq!(call(&snapshot, "to_regtype", &[open.into()]), Ok(Cell::Null));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd_a_name(text in ".{0,40}") {
        let snapshot = sample();
        for name in ["to_regclass", "to_regtype", "to_regproc", "to_regnamespace", "to_regrole", "to_regoper"] {
            proptest::prop_assert!(call(&snapshot, name, &[text.as_str().into()]).is_ok());
        }
        let _ = call(&snapshot, "format", &[text.as_str().into(), "a".into()]);
        let _ = call(&snapshot, "quote_ident", &[text.as_str().into()]);
        let _ = call(&snapshot, "quote_literal", &[text.as_str().into()]);
    }
}
