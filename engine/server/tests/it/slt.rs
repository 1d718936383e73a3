//! The engine's `.slt` files, asked through the port.

use std::path::Path;

use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::client::{Client, Message};
use crate::server::usual;

/// Files that readers cannot run, and why.
const SKIPPED: &[(&str, &str)] = &[];

struct Port(Client);

/// An error of the server.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

#[async_trait::async_trait]
impl AsyncDB for Port {
    type Error = Refused;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Refused> {
        let all = self.0.simple(sql);
        if let Some(error) = all.iter().find(|m| m.kind == 'E') {
            // Names are in other quotes there.
            return Err(Refused(error.field(b'M').unwrap_or_default().replace('"', "`")));
        }
        let Some(columns) = all.iter().find(|m| m.kind == 'T').map(Message::columns) else {
            return Ok(DBOutput::StatementComplete(0));
        };
        let types = columns.iter().map(|(_, oid)| match oid {
            20 | 21 | 23 | 26 => DefaultColumnType::Integer,
            700 | 701 | 1700 => DefaultColumnType::FloatingPoint,
            _ => DefaultColumnType::Text,
        });
        let rows = all.iter().filter(|m| m.kind == 'D');
        let cell = |v: String| if v.is_empty() { "(empty)".to_owned() } else { v };
        Ok(DBOutput::Rows {
            types: types.collect(),
            rows: rows.map(|m| m.texts().into_iter().map(cell).collect()).collect(),
        })
    }

    async fn shutdown(&mut self) {}
}

/// Values are the same if they are the same numbers, or the same words: `1.0` and `true` are written `1` and `t` there.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let truth = |t: &str| match t {
        "true" | "t" => "t".to_owned(),
        "false" | "f" => "f".to_owned(),
        other => other.to_owned(),
    };
    if truth(a) == truth(b) {
        return true;
    }
    matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()))
}

fn validator(_: sqllogictest::Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let actual: Vec<Vec<String>> = actual.iter().map(|row| words(&row.join(" "))).collect();
    let expected: Vec<Vec<String>> = expected.iter().map(|row| words(row)).collect();
    actual.len() == expected.len()
        && actual.iter().zip(&expected).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)))
}

#[test]
fn the_same_answers_through_the_port() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql/tests/sample");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut ran = 0;
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        // Readers make no tables, and see households by the rules of disclosure.
        let owner = ["create table", "create view", "household", "family", "survey", "datafusion.", "[", "{"]
            .iter()
            .any(|w| text.to_lowercase().contains(w));
        if owner || SKIPPED.iter().any(|(name, _)| *name == stem) {
            continue;
        }
        let open = || async { Ok(Port(Client::connect(usual().address))) };
        let mut runner = Runner::new(open);
        runner.with_validator(validator);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(runner.run_file_async(&file)).unwrap_or_else(|e| panic!("{stem}: {e}"));
        ran += 1;
    }
    assert!(ran >= 5, "{ran} files");
}
