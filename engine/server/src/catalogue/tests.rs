//! The catalogue over two tables and a view.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, UInt32Type};

use super::*;

/// A table with a key, one that refers to it, and a view.
pub(crate) fn sample() -> Snapshot {
    let meta = |field: Field, description: &str| {
        field.with_metadata(HashMap::from([("description".to_owned(), description.to_owned())]))
    };
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    let economy = Schema::new(vec![
        text("iso3", false),
        meta(text("name", false), "Name"),
        text("income", true),
        Field::new("population", DataType::Int64, true),
        Field::new("area", DataType::Float64, true),
        Field::new("euro", DataType::Boolean, false),
    ]);
    let value = Field::new("value", DataType::Float64, true).with_metadata(
        [
            ("description", "Remittances received"),
            ("unit", "current US$"),
            ("source", "World Bank"),
            ("licence", "CC BY 4.0"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into(),
    );
    let remittance = Schema::new(vec![
        text("iso3", false),
        Field::new("year", DataType::Int32, false),
        value,
        text("flag", true),
        Field::new("share", DataType::Decimal128(18, 4), true),
        Field::new("revised", DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), true),
        Field::new("published", DataType::Date32, true),
        Field::new("tags", DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))), true),
        text("notes", true),
    ]);
    let view = Schema::new(vec![
        text("iso3", true),
        text("name", true),
        Field::new("year", DataType::Int32, true),
        Field::new("value", DataType::Float64, true),
    ]);
    let relation = |schema: &str, name: &str, description: &str, columns: Schema| Relation {
        schema: schema.to_owned(),
        name: name.to_owned(),
        view: false,
        description: Some(description.to_owned()),
        columns: Arc::new(columns),
        key: Vec::new(),
        references: Vec::new(),
        rows: Some(2),
        definition: None,
    };
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let definition = " SELECT r.iso3,\n    e.name,\n    r.year,\n    r.value\n   FROM (remittance r\n     JOIN economy e ON ((e.iso3 = r.iso3)));";
    let relations = vec![
        Relation { key: words(&["iso3"]), ..relation("lake", "economy", "Economies", economy) },
        Relation {
            key: words(&["iso3", "year"]),
            references: vec![Reference {
                columns: words(&["iso3"]),
                schema: "lake".to_owned(),
                table: "economy".to_owned(),
                to: words(&["iso3"]),
            }],
            ..relation("lake", "remittance", "Remittances by economy and year", remittance)
        },
        Relation {
            view: true,
            definition: Some(definition.to_owned()),
            ..relation("mart", "remittances", "Remittances with names", view)
        },
    ];
    let server = Server {
        database: "envoi_catalogue".to_owned(),
        users: words(&["postgres", "reader"]),
        current_user: "reader".to_owned(),
        version: "15.18 (envoi 0.1.0)".to_owned(),
        pid: 4711,
        started: 1_700_000_000_000_000,
        functions: Arc::default(),
        activity: vec![Activity { pid: 4711, user: "reader".to_owned(), ..Activity::default() }],
        settings: vec![("search_path".to_owned(), "lake, mart, public".to_owned())],
    };
    Snapshot::new(relations, server)
}

fn find(batch: &RecordBatch, column: &str, value: &str) -> Vec<usize> {
    let texts = batch.column_by_name(column).unwrap().as_string::<i32>();
    (0..texts.len()).filter(|&i| !texts.is_null(i) && texts.value(i) == value).collect()
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    batch.column_by_name(column).unwrap().as_string::<i32>().value(row).to_owned()
}

#[test]
fn every_relation_has_its_columns() {
    let snapshot = sample();
    assert!(shape::read().is_ok());
    let mut count = 0;
    for schema in SCHEMAS {
        for table in tables(schema) {
            let batch = rows(schema, table, &snapshot).unwrap_or_else(|e| panic!("{schema}.{table}: {e}"));
            assert_eq!(batch.schema(), columns(schema, table).unwrap(), "{schema}.{table}");
            count += 1;
        }
    }
    assert_eq!(count, 208);
}

#[test]
fn files_belong_to_relations() {
    for name in embedded::names() {
        if let Some(table) = name.strip_prefix("rows/") {
            let known = SCHEMAS.iter().any(|s| columns(s, table).is_some());
            assert!(known, "{name} is of no relation");
        }
    }
}

#[test]
fn relations_and_keys_are_there() {
    let snapshot = sample();
    let classes = rows("pg_catalog", "pg_class", &snapshot).unwrap();
    let row = find(&classes, "relname", "remittance_pkey");
    assert_eq!(row.len(), 1);
    assert_eq!(text(&classes, "relkind", row[0]), "i");
    let constraints = rows("pg_catalog", "pg_constraint", &snapshot).unwrap();
    let row = find(&constraints, "conname", "remittance_iso3_fkey")[0];
    let target = constraints.column_by_name("confrelid").unwrap().as_primitive::<UInt32Type>().value(row);
    assert_eq!(snapshot.name_of(target), Some(("lake", "economy")));
    let descriptions = rows("pg_catalog", "pg_description", &snapshot).unwrap();
    let expected = "Remittances received [current US$]; source: World Bank; licence: CC BY 4.0";
    assert_eq!(find(&descriptions, "description", expected).len(), 1);
}

#[test]
fn no_oid_is_given_twice() {
    let classes = rows("pg_catalog", "pg_class", &sample()).unwrap();
    let oids = classes.column_by_name("oid").unwrap().as_primitive::<UInt32Type>().values().to_vec();
    let mut distinct = oids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(oids.len(), distinct.len());
}
