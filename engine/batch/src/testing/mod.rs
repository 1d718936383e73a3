//! Tests of a model, run over a version of the lake that nobody else sees yet.

mod unit;

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use envoi::lake::lake::BuiltModel;
use envoi::lake::{Manifest, Printable};
use envoi::library::quoted;
use envoi::{Result, Session};

use crate::build::{Context, Failed};
use crate::project::{Model, Reconcile, RowCount, Severity, TestConfig};
use crate::record::TestRecord;

pub(crate) use unit::{check as check_unit_test, unit_tests};

/// Runs all tests of a model; what a test cannot be asked is an error.
pub(crate) async fn run(
    context: &Context,
    model: &Model,
    candidate: &Arc<Manifest>,
    built: &BuiltModel,
) -> Result<Vec<TestRecord>> {
    let mut records = freshness(context, model, candidate);
    if model.config.test.is_empty() {
        return Ok(records);
    }
    let session = context.session(model, candidate).await?;
    for test in &model.config.test {
        let name = test.name.clone().unwrap_or_else(|| described(test));
        let table = format!("model.{}", model.name);
        let found = found(&session, test, &table, built)
            .await
            .map_err(|e| envoi::Error::new(e.class(), format!("test `{name}`: {e}")))?;
        records.push(TestRecord { name, passed: found.is_none(), blocks: test.severity == Severity::Error, found });
    }
    Ok(records)
}

/// How old the editions of inputs are; needs no query, and is looked at whether they changed or not: a publisher
/// that stopped changes nothing.
pub(crate) fn freshness(context: &Context, model: &Model, candidate: &Manifest) -> Vec<TestRecord> {
    let mut records = Vec::new();
    for fresh in &model.config.freshness {
        let table = &fresh.table;
        let editions = context.prints.editions(candidate, table);
        let newest = editions.iter().map(|(_, vintage)| *vintage).max();
        let age = newest.map(|v| (context.now.date_naive() - v).num_days());
        let found = match (newest, age) {
            (Some(newest), Some(age)) if age > fresh.max_age.days() => {
                Some(format!("its newest edition, {newest}, is {age} days old"))
            }
            (None, _) => Some("it has no edition".to_owned()),
            _ => None,
        };
        let name = format!("freshness of {table} within {} days", fresh.max_age.days());
        records.push(TestRecord { name, passed: found.is_none(), blocks: fresh.severity == Severity::Error, found });
    }
    records
}

/// What a test says, as its name.
fn described(test: &TestConfig) -> String {
    let column = test.column.as_deref().unwrap_or_default();
    match () {
        () if !test.not_null.is_empty() => format!("not_null ({})", test.not_null.join(", ")),
        () if !test.unique.is_empty() => format!("unique ({})", test.unique.join(", ")),
        () if !test.accepted_values.is_empty() => format!("accepted_values ({column})"),
        () => match (&test.expression, &test.relationships, &test.row_count, &test.reconcile) {
            (Some(expression), ..) => {
                format!("expression ({})", expression.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            (_, Some(to), ..) => format!("relationships ({column} in {to})"),
            (_, _, Some(_), _) => "row_count".to_owned(),
            (.., Some(r)) => format!("reconcile ({})", r.total),
            _ => "nothing".to_owned(),
        },
    }
}

/// Finds beforehand what a test cannot be asked: the model has the columns that are expected of it.
pub(crate) async fn check(session: &Session, model: &Model, test: &TestConfig) -> Result<()> {
    let asked = match (asked(test, &format!("model.{}", model.name))?, &test.row_count) {
        (Some(sql), _) => sql,
        (None, Some(RowCount { same_as: Some(other), .. })) => format!("select count(*) from {other}"),
        _ => return Ok(()),
    };
    let named = |e: envoi::Error| {
        let name = test.name.clone().unwrap_or_else(|| described(test));
        envoi::Error::new(e.class(), format!("test `{name}`: {e}"))
    };
    session.draft(&asked).await.map(drop).map_err(named)
}

/// The query of what violates a test, where it is one.
fn asked(test: &TestConfig, table: &str) -> Result<Option<String>> {
    if let Some(plain) = test.plain() {
        return Ok(Some(plain.violations(table)));
    }
    if let (Some(to), Some(column)) = (&test.relationships, &test.column) {
        let Some((other, key)) = to.rsplit_once('.') else {
            return Err(envoi::Error::user(format!("`relationships = \"{to}\"` names no column"))
                .with_hint("write the table and its column, such as `lake.country.iso3`"));
        };
        return Ok(Some(format!(
            "select distinct a.{column} from {table} as a left anti join {other} as b on a.{column} = b.{key} where a.{column} is not null",
            column = quoted(column),
            key = quoted(key)
        )));
    }
    Ok(test.reconcile.as_ref().map(|reconcile| reconciled(reconcile, table)))
}

/// What violates a test; `None` if nothing does.
async fn found(session: &Session, test: &TestConfig, table: &str, built: &BuiltModel) -> Result<Option<String>> {
    match (asked(test, table)?, &test.row_count) {
        (Some(sql), _) => violations(session, &sql).await,
        (None, Some(count)) => counted(session, count, table, built).await,
        (None, None) => Ok(None),
    }
}

/// Rows that a query gives, counted, with the first of them.
pub(crate) async fn violations(session: &Session, sql: &str) -> Result<Option<String>> {
    const SHOWN: usize = 3;
    let mut answer = session.run(sql).await?;
    let (mut count, mut shown) = (0, Vec::new());
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        count += batch.num_rows();
        let room = SHOWN.saturating_sub(shown.len());
        shown.extend((0..batch.num_rows().min(room)).filter_map(|row| text(&batch, row)));
    }
    let rows = if count == 1 { "row" } else { "rows" };
    Ok((count > 0).then(|| format!("{count} {rows}, such as {}", shown.join("; "))))
}

/// A row as text.
fn text(batch: &RecordBatch, row: usize) -> Option<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut cells = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()).take(6) {
        let cell = ArrayFormatter::try_new(column.as_ref(), &options).ok()?;
        cells.push(format!("{} {}", field.name(), Printable(&cell.value(row).to_string())));
    }
    Some(cells.join(", "))
}

async fn counted(session: &Session, count: &RowCount, table: &str, built: &BuiltModel) -> Result<Option<String>> {
    let rows = match built.model.is_view() {
        true => number(session, &format!("select count(*) from {table}")).await?.unwrap_or_default() as u64,
        false => built.model.rows,
    };
    let bound = |wrong: bool, what: &str, n: u64| wrong.then(|| format!("{rows} rows, {what} {n}"));
    let same = match &count.same_as {
        Some(other) => {
            let others = number(session, &format!("select count(*) from {other}")).await?.unwrap_or_default() as u64;
            (others != rows).then(|| format!("{rows} rows, `{other}` has {others}"))
        }
        None => None,
    };
    let min = count.min.and_then(|min| bound(rows < min, "at least", min));
    let max = count.max.and_then(|max| bound(rows > max, "at most", max));
    Ok(min.or(max).or(same))
}

/// The number that a query gives.
async fn number(session: &Session, sql: &str) -> Result<Option<f64>> {
    let rows = session.run(sql).await?.collect().await?;
    let column = rows.iter().find(|b| b.num_rows() > 0).and_then(|b| b.columns().first().cloned());
    let Some(column) = column.filter(|c| !c.is_null(0)) else { return Ok(None) };
    let integer = column.as_primitive_opt::<Int64Type>().map(|c| c.value(0) as f64);
    Ok(integer.or_else(|| column.as_primitive_opt::<Float64Type>().map(|c| c.value(0))))
}

fn reconciled(test: &Reconcile, table: &str) -> String {
    let (total, tolerance) = (&test.total, test.tolerance);
    let by = |alias: &str| test.by.iter().map(|c| format!("{alias}{c}, ")).collect::<String>();
    let group = if test.by.is_empty() { String::new() } else { format!(" group by {}", test.by.join(", ")) };
    let on = match test.by.is_empty() {
        true => "true".to_owned(),
        false => {
            let equal = test.by.iter().map(|c| format!("(ours.{c} is not distinct from theirs.{c})"));
            equal.collect::<Vec<_>>().join(" and ")
        }
    };
    let named: String = test.by.iter().map(|c| format!("coalesce(ours.{c}, theirs.{c}) as {c}, ")).collect();
    format!(
        "select {named}ours.total as total, theirs.total as against
from (select {}cast({total} as double) as total from {table}{group}) as ours
full join (select {}cast(total as double) as total from (\n{}\n)) as theirs on {on}
where (ours.total is distinct from theirs.total)
    and coalesce(abs(ours.total - theirs.total) > {tolerance:e} * abs(theirs.total), true)",
        by(""),
        by(""),
        test.against.trim().trim_end_matches(';'),
    )
}

impl Failed {
    pub(super) fn of_test(what: String) -> Self {
        Self { step: "test", what, tests: Vec::new(), passing: false, cancelled: false }
    }
}
