//! The statements that clients were seen to send, planned and run over the catalogue, and what PostgreSQL answers.
//!
//! With `RECORDED_OUT` set to a folder, the answers are written there. `RECORDED_ONLY` names one client.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::parser::Parser;

use super::rewrite;
use crate::catalogue::tests::sample;
use crate::catalogue::{SCHEMAS, Snapshot, rows, tables};
use crate::functions::functions;

/// What fails, and has to.
const REFUSED: [(&str, &str); 5] = [
    // A session's matter, which is not done in functions.
    ("asyncpg", "Invalid function 'set_config'"),
    ("asyncpg (3)", "Invalid function 'set_config'"),
    ("asyncpg (4)", "Unsupported SQL type int4range"),
    // A column of a step that is called by its function; asked only where a file of spellings is wanted.
    ("casing", "No field named count"),
    // Relations have no row types here.
    ("psycopg2 and pg8000 (3)", "type \"economy\" does not exist"),
];

#[expect(clippy::disallowed_methods, reason = "the catalogue is tried without a lake")]
fn context(snapshot: &Arc<Snapshot>) -> SessionContext {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema("envoi", "session")
        .with_create_default_catalog_and_schema(false)
        .with_target_partitions(2);
    let options = config.options_mut();
    options.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
    options.optimizer.use_statistics_registry = true;
    options.execution.skip_physical_aggregate_schema_check = true;
    options.sql_parser.collect_spans = true;
    let context = SessionContext::new_with_config(config);
    let catalogue = Arc::new(MemoryCatalogProvider::new());
    for schema in SCHEMAS {
        let provider = Arc::new(MemorySchemaProvider::new());
        for table in tables(schema) {
            let batch = rows(schema, table, snapshot).unwrap();
            let table_provider = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
            provider.register_table(table.to_owned(), Arc::new(table_provider)).unwrap();
        }
        catalogue.register_schema(schema, provider).unwrap();
    }
    catalogue.register_schema("session", Arc::new(MemorySchemaProvider::new())).unwrap();
    context.register_catalog("envoi", catalogue);
    for function in functions(snapshot) {
        context.register_udf(function.as_ref().clone());
    }
    context
}

async fn answer(context: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>, String> {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).map_err(|e| format!("parse: {e}"))?;
    let statement = statements.first_mut().ok_or("nothing")?;
    rewrite(statement).map_err(|e| format!("rewrite: {e}"))?;
    let text = statement.to_string();
    let statement = datafusion::sql::parser::Statement::Statement(Box::new(statement.clone()));
    let plan = context.state().statement_to_plan(statement).await.map_err(|e| format!("plan: {e}\n    {text}"))?;
    let frame = context.execute_logical_plan(plan).await.map_err(|e| format!("plan: {e}\n    {text}"))?;
    frame.collect().await.map_err(|e| format!("run: {e}\n    {text}"))
}

fn shown(batches: &[RecordBatch]) -> String {
    let options = FormatOptions::default().with_null("\\N");
    let mut lines = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            lines.push(columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("\t"));
        }
    }
    lines.join("\n")
}

/// Names and statements of a file; `{lake.economy}` stands for an oid.
fn statements(file: &Path, snapshot: &Snapshot) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let blocks = text.split("\n-- ").map(|b| b.trim_start_matches("-- "));
    let blocks = blocks.filter_map(|b| b.split_once('\n'));
    blocks
        .map(|(name, sql)| {
            let mut sql = sql.trim().trim_end_matches(';').to_owned();
            while let Some((before, rest)) = sql.split_once("{oid:") {
                let (name, after) = rest.split_once('}').unwrap();
                let (schema, relation) = name.split_once('.').unwrap();
                let oid = snapshot.oid_of(Some(schema), relation).unwrap_or_default();
                sql = format!("{before}{oid}{after}");
            }
            (name.trim().to_owned(), sql)
        })
        .collect()
}

/// PostgreSQL's answers by client and statement, for those that are the same here.
fn expected(file: &Path) -> HashMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap();
    let blocks = text.split("\n## ").map(|b| b.trim_start_matches("## ")).filter_map(|b| b.split_once('\n'));
    blocks.map(|(name, rows)| (name.to_owned(), rows.trim_end_matches('\n').to_owned())).collect()
}

/// An answer as it is compared: lines in order, and oids, which differ from server to server, as `#`.
fn comparable(shown: &str) -> String {
    let mut lines: Vec<String> =
        shown.lines().map(|line| line.split('\t').map(cell).collect::<Vec<_>>().join("\t")).collect();
    lines.sort();
    lines.join("\n").trim_end_matches('\n').to_owned()
}

fn cell(text: &str) -> String {
    let text = match text {
        "true" => "t",
        "false" => "f",
        other => other,
    };
    let mut out = String::new();
    let mut digits = String::new();
    let flush = |digits: &mut String, out: &mut String| {
        out.push_str(if (5..=10).contains(&digits.len()) { "#" } else { digits.as_str() });
        digits.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        flush(&mut digits, &mut out);
        out.push(c);
    }
    flush(&mut digits, &mut out);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_statements_run() {
    let snapshot = Arc::new(sample());
    let context = context(&snapshot);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let out = std::env::var("RECORDED_OUT").ok();
    let only = std::env::var("RECORDED_ONLY").ok();
    let expected = expected(&folder.join("expected.txt"));
    let mut failed = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "sql")) {
        let client = file.file_stem().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| *o != client) {
            continue;
        }
        let mut report = String::new();
        for (name, sql) in statements(&file, &snapshot) {
            count += 1;
            match answer(&context, &sql).await {
                Ok(batches) => {
                    let shown = shown(&batches);
                    if let Some(known) = expected.get(&format!("{client}: {name}"))
                        && comparable(&shown) != *known
                    {
                        let ours = comparable(&shown);
                        failed.push(format!("{client}: {name}: PostgreSQL answers\n{known}\nand not\n{ours}"));
                    }
                    report += &format!("## {name}\n{shown}\n");
                }
                Err(fault) if REFUSED.iter().any(|(n, why)| *n == name && fault.contains(why)) => {}
                Err(fault) => {
                    report += &format!("## {name}\n!! {fault}\n");
                    let short: String = fault.chars().take(600).collect();
                    failed.push(format!("{client}: {name}: {short}"));
                }
            }
        }
        if let Some(out) = &out {
            std::fs::write(format!("{out}/{client}.txt"), report).unwrap();
        }
    }
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_planned() {
    let context = context(&Arc::new(sample()));
    for (sql, planned) in [
        // A cast tells the engine nothing of a parameter's type; who binds it reads the cast.
        ("select typname from pg_type where oid = any($1::oid[])", None),
        ("select relname from pg_class where oid = $1::regclass", None),
        ("select relname from pg_class where oid = $1", Some("UInt32")),
        ("select relname from pg_class where relname in ($1)", Some("Utf8")),
        ("select nspname = any(current_schemas(true)) from pg_namespace where nspname like $1", Some("Utf8")),
    ] {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        rewrite(&mut statement).unwrap();
        let statement = datafusion::sql::parser::Statement::Statement(Box::new(statement));
        let plan = context.state().statement_to_plan(statement).await.unwrap();
        let types = plan.get_parameter_types().unwrap();
        let first = types.get("$1").cloned().flatten().map(|t| t.to_string());
        assert_eq!(first.as_deref(), planned, "{sql}");
    }
}
