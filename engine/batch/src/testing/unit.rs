//! Unit tests: what a query makes of given rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use envoi::lake::Manifest;
use envoi::{Draft, Error, Result, Session};
use serde_json::Value;

use crate::build::{Context, Failed};
use crate::hint::hint_of_all;
use crate::project::{Model, UnitTest};

/// Runs the unit tests of a model; the first that fails is its failure.
pub(crate) async fn unit_tests(context: &Context, model: &Model, manifest: &Arc<Manifest>) -> Result<(), Failed> {
    for test in &model.config.unit_test {
        let session = context.session(model, manifest).await.map_err(|e| Failed::at("test", model, &e))?;
        let found =
            run(&session, model, test).await.map_err(|e| Failed::of_test(format!("unit test `{}`: {e}", test.name)))?;
        if let Some(found) = found {
            return Err(Failed::of_test(format!("unit test `{}` failed: {found}", test.name)));
        }
    }
    Ok(())
}

/// Finds beforehand what a unit test names that there is not, and values that no column can have.
pub(crate) async fn check(session: &Session, model: &Model, draft: &Draft, test: &UnitTest) -> Result<()> {
    // Those that it names: what they read in turn stays as it is.
    let mut read: BTreeSet<&str> = model.tables.iter().map(String::as_str).collect();
    let own: Vec<String> = model.reads.iter().map(|name| format!("model.{name}")).collect();
    read.extend(own.iter().map(String::as_str));
    for table in test.given.keys() {
        let is = |known: &&str| *known == table || known.rsplit('.').next() == Some(table.as_str());
        if !read.iter().any(is) {
            let near = hint_of_all(table, read.iter().copied());
            return Err(Error::user(format!("`given` has rows of `{table}`, which the query does not read{near}")));
        }
    }
    given(session, test).await?;
    expected(&draft.schema, test).map(|_| ())
}

/// Rows of the tables that a test gives, by their plain names.
async fn given(session: &Session, test: &UnitTest) -> Result<Vec<(String, RecordBatch)>> {
    let mut given = Vec::new();
    for (table, rows) in &test.given {
        let columns = session.draft(&format!("select * from {table}")).await?.schema;
        let name = table.rsplit('.').next().unwrap_or(table);
        given.push((name.to_owned(), rows_of(table, &columns, rows)?));
    }
    Ok(given)
}

/// The rows that a test expects, of the columns that it names.
fn expected(schema: &SchemaRef, test: &UnitTest) -> Result<RecordBatch> {
    let wanted: Vec<&String> = columns_of(&test.expect);
    if let Some(unknown) = wanted.iter().find(|w| schema.index_of(w).is_err()) {
        let names = schema.fields().iter().map(|f| f.name().as_str());
        return Err(Error::user(format!("the query gives no column `{unknown}`{}", hint_of_all(unknown, names))));
    }
    let shown = schema.fields().iter().filter(|f| wanted.is_empty() || wanted.contains(&f.name()));
    let part = nullable(&Schema::new(shown.cloned().collect::<Vec<_>>()));
    rows_of("expect", &part, &test.expect)
}

async fn run(session: &Session, model: &Model, test: &UnitTest) -> Result<Option<String>> {
    let given = given(session, test).await?;
    for (name, rows) in given.iter().cloned() {
        session.put_rows(&name, rows.schema(), vec![rows])?;
    }
    let names: Vec<&str> = given.iter().map(|(name, ..)| name.as_str()).collect();
    let sql = redirected(&model.compiled, &names)?;
    let answer = session.run(&sql).await?;
    let wanted = expected(&answer.schema, test)?;
    let mut found = Vec::new();
    for batch in &answer.collect().await? {
        let shown = wanted.schema();
        let columns = shown.fields().iter().filter_map(|f| batch.column_by_name(f.name()).cloned()).collect();
        found.extend(texts(&RecordBatch::try_new(shown, columns).map_err(|e| Error::user(e.to_string()))?)?);
    }
    Ok(difference(&texts(&wanted)?, &found))
}

fn columns_of(rows: &[toml::Table]) -> Vec<&String> {
    let mut all: Vec<&String> = rows.iter().flat_map(|r| r.keys()).collect();
    all.sort();
    all.dedup();
    all
}

fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| Field::new(f.name(), f.data_type().clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Rows of TOML as rows of a table; columns that are left out are NULL.
fn rows_of(table: &str, columns: &SchemaRef, rows: &[toml::Table]) -> Result<RecordBatch> {
    for column in columns_of(rows) {
        if columns.index_of(column).is_err() {
            let names = columns.fields().iter().map(|f| f.name().as_str());
            return Err(Error::user(format!("`{table}` has no column `{column}`{}", hint_of_all(column, names))));
        }
    }
    let wrong = |e: arrow::error::ArrowError| Error::user(format!("rows of `{table}`: {e}"));
    let values: Vec<Value> =
        rows.iter().map(|row| Value::Object(row.iter().map(|(k, v)| (k.clone(), json(v))).collect())).collect();
    let loose = nullable(columns);
    let mut decoder = ReaderBuilder::new(Arc::clone(&loose)).build_decoder().map_err(wrong)?;
    decoder.serialize(&values).map_err(wrong)?;
    let batch = decoder.flush().map_err(wrong)?.unwrap_or_else(|| RecordBatch::new_empty(loose));
    // The columns keep what is known of them, but that they are never empty.
    let fields = columns.fields().iter().map(|f| f.as_ref().clone().with_nullable(true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, batch.columns().to_vec()).map_err(wrong)
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(s) => Value::from(s.as_str()),
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(n) => Value::from(*n),
        toml::Value::Boolean(b) => Value::from(*b),
        toml::Value::Datetime(d) => Value::from(d.to_string()),
        toml::Value::Array(all) => all.iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(table.iter().map(|(k, v)| (k.clone(), json(v))).collect()),
    }
}

/// The query with the given tables by their plain names, which the session has.
fn redirected(sql: &str, given: &[&str]) -> Result<String> {
    let mut text = sql.to_owned();
    let mut named = envoi::named(sql)?;
    named.sort_by_key(|n| std::cmp::Reverse(n.position));
    named.dedup_by_key(|n| n.position);
    for name in named {
        let (Some(at), [_, .., last]) = (name.position, name.parts.as_slice()) else { continue };
        if !given.contains(&last.as_str()) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '"')).unwrap_or(rest.len());
        text.replace_range(at..at + end, &format!("session.\"{last}\""));
    }
    Ok(text)
}

fn texts(batch: &RecordBatch) -> Result<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let wrong = |e: arrow::error::ArrowError| Error::user(e.to_string());
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        columns.push((field.name().clone(), ArrayFormatter::try_new(column.as_ref(), &options).map_err(wrong)?));
    }
    let row = |row| columns.iter().map(|(n, c)| format!("{n} {}", c.value(row))).collect::<Vec<_>>().join(", ");
    Ok((0..batch.num_rows()).map(row).collect())
}

/// The first row that is in one and not in the other.
fn difference(expected: &[String], found: &[String]) -> Option<String> {
    let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
    for row in expected {
        *counts.entry(row).or_default() += 1;
    }
    for row in found {
        *counts.entry(row).or_default() -= 1;
    }
    let missing = counts.iter().find(|(_, n)| **n > 0).map(|(row, _)| format!("there is no row {row}"));
    let more =
        counts.iter().find(|(_, n)| **n < 0).map(|(row, _)| format!("there is a row {row} that is not expected"));
    match (missing, more) {
        (Some(missing), Some(more)) => Some(format!("{missing}; {more}")),
        (missing, more) => missing.or(more),
    }
}
