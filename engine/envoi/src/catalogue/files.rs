//! Files as tables: `select * from 'x.parquet'`, `read_csv('x.txt')`.
//!
//! `read_…('path')` in a FROM clause is rewritten to a table named
//! `read_…(path)`, because a table is found asynchronously and a table function
//! is not; [`table`] takes the name apart again.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, Value, VisitorMut,
};
use envoi_lake::read::Limits;
use futures::FutureExt;

use super::stata::StataTable;
use super::view::StateHandle;
use super::{damage, text};
use crate::error::{Class, Error};

/// A way to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Text as the engine streams it, or as the importer reads it: `text.rs`.
    Csv(u8),
    Parquet,
    Json,
    Arrow,
    /// A statistical table as the importer reads it: typed, flagged, notes left out.
    Table,
    /// A Stata data set.
    Stata,
}

/// Function name, reader, and the endings of file names that mean it.
const READERS: [(&str, Reader, &[&str]); 7] = [
    ("read_csv", Reader::Csv(b','), &["csv"]),
    ("read_tsv", Reader::Csv(b'\t'), &["tsv"]),
    ("read_parquet", Reader::Parquet, &["parquet"]),
    ("read_json", Reader::Json, &["json", "ndjson", "jsonl"]),
    ("read_arrow", Reader::Arrow, &["arrow", "ipc", "feather"]),
    ("read_xlsx", Reader::Table, &["xlsx", "xls"]),
    ("read_dta", Reader::Stata, &["dta"]),
];

/// Turns `read_…('path')` into a table of that name; what is not one text is an error.
pub(crate) struct ReadFunctions;

impl VisitorMut for ReadFunctions {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, alias, args, .. } = factor else { return ControlFlow::Continue(()) };
        let Some(arguments) = args.as_ref() else { return ControlFlow::Continue(()) };
        let function = name.to_string().to_lowercase();
        if !READERS.iter().any(|(known, _, _)| *known == function) {
            return ControlFlow::Continue(());
        }
        let path = match arguments.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] => match &value.value {
                Value::SingleQuotedString(path) => path.clone(),
                _ => return ControlFlow::Break(wrong_arguments(&function)),
            },
            _ => return ControlFlow::Break(wrong_arguments(&function)),
        };
        if alias.is_none() {
            *alias =
                Some(TableAlias { explicit: false, name: Ident::new(function.clone()), columns: Vec::new(), at: None });
        }
        *name = ObjectName(vec![ObjectNamePart::Identifier(Ident::with_quote('"', format!("{function}({path})")))]);
        *args = None;
        ControlFlow::Continue(())
    }
}

fn wrong_arguments(function: &str) -> Error {
    Error::user(format!("`{function}` takes one text: the path of a file, or a pattern such as `{function}('*.csv')`"))
}

/// The file, files or folder that `name` means; `None` if the name does not look like one.
pub(crate) async fn table(name: &str, state: &StateHandle) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
    let Some((reader, path)) = meant(name) else { return Ok(None) };
    let remote = path.contains("://");
    if !remote && !path.contains('*') && !Path::new(path).exists() {
        return Err(Error::user(format!("file `{path}` does not exist")).into());
    }
    if reader == Reader::Table || matches!(reader, Reader::Csv(delimiter) if !text::streams(path, delimiter)) {
        return Ok(Some(Arc::new(statistical(path)?)));
    }
    if reader == Reader::Stata {
        return Ok(Some(Arc::new(StataTable::open(path)?)));
    }
    if Path::new(path).is_file() {
        match reader {
            Reader::Parquet => damage::check_parquet(Path::new(path))?,
            Reader::Arrow => damage::check_arrow(Path::new(path))?,
            _ => {}
        }
    }
    let state = state.state()?;
    let (format, ending): (Arc<dyn FileFormat>, &str) = match reader {
        Reader::Csv(delimiter) => {
            (Arc::new(CsvFormat::default().with_has_header(true).with_delimiter(delimiter)), ".csv")
        }
        Reader::Parquet => {
            (Arc::new(ParquetFormat::default().with_options(state.default_table_options().parquet)), ".parquet")
        }
        Reader::Json => (Arc::new(JsonFormat::default().with_newline_delimited(!is_array(path))), ".json"),
        _ => (Arc::new(ArrowFormat), ".arrow"),
    };
    let url = ListingTableUrl::parse(path)?;
    let whole_folder = !remote && Path::new(path).is_dir();
    let options = ListingOptions::new(format).with_file_extension(if whole_folder { ending } else { "" });
    let inferred = AssertUnwindSafe(options.infer_schema(&state, &url)).catch_unwind().await;
    let schema = match inferred {
        Ok(Ok(schema)) => schema,
        Ok(Err(e)) => return Err(named(path, Error::from_datafusion(&e, "")).into()),
        // A reader's panic over a file is the file's error.
        Err(_) => return Err(damage::damaged(Path::new(path), "its metadata makes no sense").into()),
    };
    if schema.fields().is_empty() {
        return Err(Error::user(format!("`{path}` has no columns, or there is no file of that name")).into());
    }
    let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema);
    Ok(Some(Arc::new(ListingTable::try_new(config)?)))
}

/// A reader's error with the file's name, which readers leave out; their internal errors are the file's.
fn named(path: &str, error: Error) -> Error {
    match error.class() {
        Class::Internal => damage::damaged(Path::new(path), "it is damaged, or of a kind that is not read"),
        class if error.message().contains(path) => Error::new(class, error.to_string()),
        _ => damage::damaged(Path::new(path), error.message()),
    }
}

/// The path that a table's name means; `None` if the name does not look like a file's.
pub(crate) fn meant_path(name: &str) -> Option<&str> {
    meant(name).map(|(_, path)| path)
}

/// The reader and path in `read_csv(path)` or in a plain file name.
fn meant(name: &str) -> Option<(Reader, &str)> {
    for (function, reader, _) in READERS {
        if let Some(path) = name.strip_prefix(function).and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')) {
            return Some((reader, path));
        }
    }
    // Packed text is text: `x.csv.gz`.
    let unpacked = name.strip_suffix(".gz");
    let ending = Path::new(unpacked.unwrap_or(name)).extension()?.to_str()?.to_lowercase();
    let (_, reader, _) = READERS.iter().find(|(_, _, endings)| endings.contains(&ending.as_str()))?;
    (unpacked.is_none() || matches!(reader, Reader::Csv(_))).then_some((*reader, name))
}

/// True if a JSON file is one array, not an object a line.
fn is_array(path: &str) -> bool {
    use std::io::Read;
    let mut start = [0u8; 64];
    let read = std::fs::File::open(path).and_then(|mut f| f.read(&mut start)).unwrap_or(0);
    start.get(..read).is_some_and(|s| s.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'['))
}

/// A file as the importer reads it, in memory.
fn statistical(path: &str) -> Result<MemTable, DataFusionError> {
    let bytes = std::fs::read(path).map_err(|e| Error::user(format!("cannot read `{path}`: {e}")))?;
    let batch = envoi_lake::table::read_table(&bytes, path, &Limits::default())
        .and_then(|table| table.to_record_batch())
        .map_err(Error::from)?;
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}
