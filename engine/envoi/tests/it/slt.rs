//! `sql/tests`: statements with the rows they must give, over a matrix of settings.
//!
//! Update the expected rows with `ENVOI_UPDATE=1 cargo test -p envoi slt`, and read the difference.

use std::path::{Path, PathBuf};

use envoi::Session;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::lakes::{
    blocking, editions_lake, publishers_lake, rows, sample_lake, session, survey_lake, territories_lake,
    two_surveys_lake,
};

/// Threads, batch size and memory: answers must not depend on them.
const MATRIX: [(&str, usize, &str); 4] =
    [("1", 8192, "1GiB"), ("4", 8192, "1GiB"), ("4", 7, "1GiB"), ("2", 512, "32MiB")];

struct Engine(Session);

#[async_trait::async_trait]
impl AsyncDB for Engine {
    type Error = envoi::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, envoi::Error> {
        let answer = self.0.run(sql).await?;
        if answer.kind != envoi::AnswerKind::Rows {
            return Ok(DBOutput::StatementComplete(0));
        }
        let types = answer.schema.fields().iter().map(|f| column_type(f.data_type())).collect();
        let batches = answer.collect().await?;
        let mut all = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                all.push(batch.columns().iter().map(|c| crate::lakes::cell(c, row)).collect());
            }
        }
        Ok(DBOutput::Rows { types, rows: all })
    }

    async fn shutdown(&mut self) {}
}

fn column_type(data_type: &arrow::datatypes::DataType) -> DefaultColumnType {
    match data_type {
        t if t.is_floating() => DefaultColumnType::FloatingPoint,
        t if t.is_integer() => DefaultColumnType::Integer,
        _ => DefaultColumnType::Text,
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql/tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "slt"));
    files.sort();
    assert!(!files.is_empty());
    // While one of them is written.
    if let Ok(wanted) = std::env::var("ENVOI_SLT") {
        files.retain(|p| p.file_stem().is_some_and(|stem| *stem == *wanted));
    }
    files
}

fn check(folder: &'static str, lake: &'static Path) {
    let update = std::env::var_os("ENVOI_UPDATE").is_some();
    for file in files(folder) {
        for (threads, batch, memory) in MATRIX.iter().take(if update { 1 } else { MATRIX.len() }) {
            let file = file.clone();
            blocking(async move {
                let open = || async {
                    let session = session(lake, &[("runtime.threads", threads), ("runtime.memory", memory)]).await;
                    rows(&session, &format!("set datafusion.execution.batch_size = {batch}")).await;
                    Ok(Engine(session))
                };
                let mut runner = Runner::new(open);
                if update {
                    let done = runner
                        .update_test_file(
                            &file,
                            " ",
                            sqllogictest::default_validator,
                            sqllogictest::default_normalizer,
                            sqllogictest::default_column_validator,
                        )
                        .await;
                    done.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
                } else {
                    let done = runner.run_file_async(&file).await;
                    done.unwrap_or_else(|e| panic!("threads {threads}, batch {batch}, memory {memory}: {e}"));
                }
            });
        }
    }
}

#[test]
fn sample() {
    check("sample", sample_lake());
}

#[test]
fn editions() {
    check("editions", editions_lake());
}

#[test]
fn territories() {
    check("territories", territories_lake());
}

#[test]
fn surveys() {
    check("surveys", survey_lake());
}

#[test]
fn two_surveys() {
    check("two_surveys", two_surveys_lake());
}

#[test]
fn publishers() {
    if let Some(lake) = publishers_lake() {
        check("publishers", lake);
    }
}
