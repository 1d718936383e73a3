//! A table of the lake: the Parquet files of the editions a session sees.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, ScalarValue, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use envoi_lake::Lake;
use envoi_lake::lake::{DataFile, SourceEdition};
use envoi_lake::tables::{TableDef, UNIT};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Error;
use crate::runtime::lake_store;

/// Field metadata that say where a column's values come from.
pub(super) const PROVENANCE: [&str; 3] = ["source", "licence", "caveats"];

/// Whether a table's rows are households or people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Microdata {
    /// They are not: published figures.
    No,
    /// A table of the lake; `newest` where it is seen as nobody asks for an older edition.
    Lake { newest: bool },
    /// In the shape of a survey's publisher.
    Staged,
    /// Nobody knows: a table of no known publisher.
    Unknown,
}

/// Files with one schema.
#[derive(Debug)]
pub(crate) struct LakeTable {
    /// `lake.transfer`.
    name: String,
    schema: SchemaRef,
    microdata: Microdata,
    files: Vec<DataFile>,
    /// Column the files' bounds are of.
    lead: Option<&'static str>,
    root: object_store::path::Path,
    /// Why its rows may not be read, though it can be named.
    refused: Option<Error>,
}

impl LakeTable {
    /// A table of schema `lake`. Columns with a unit name the editions they come
    /// from, their licences and caveats in their metadata.
    pub(crate) fn lake(
        table: &'static TableDef,
        files: Vec<DataFile>,
        editions: &[SourceEdition],
    ) -> Result<Self, DataFusionError> {
        let provenance = provenance(&files, editions);
        let schema = table.schema();
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| {
                let mut metadata = field.metadata().clone();
                if metadata.contains_key(UNIT) && field.data_type() == &DataType::Float64 {
                    metadata.extend(provenance.clone());
                }
                viewed(field).with_metadata(metadata)
            })
            .collect();
        Ok(Self {
            name: String::new(),
            schema: Arc::new(Schema::new(fields)),
            microdata: Microdata::No,
            files,
            lead: table.sort.first().copied(),
            root: object_store::path::Path::default(),
            refused: None,
        })
    }

    /// A table of schema `staging` or `model`, with the schema its file has.
    pub(crate) fn stored(schema: SchemaRef, files: Vec<DataFile>) -> Result<Self, DataFusionError> {
        let fields: Vec<Field> = schema.fields().iter().map(|f| viewed(f)).collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        let root = object_store::path::Path::default();
        Ok(Self {
            name: String::new(),
            schema: Arc::new(schema),
            microdata: Microdata::No,
            files,
            lead: None,
            root,
            refused: None,
        })
    }

    /// The Arrow schema in a file's footer.
    pub(crate) async fn stored_schema(lake: &Lake, file: &DataFile) -> crate::Result<SchemaRef> {
        let bytes = lake.store().get(&file.path).await?.ok_or_else(|| {
            Error::new(
                crate::Class::Data,
                format!("file `{}` of the lake is missing; `envoi lake verify` lists what is", file.path),
            )
        })?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map_err(|e| Error::new(crate::Class::Data, format!("file `{}` of the lake is damaged: {e}", file.path)))?;
        Ok(Arc::clone(reader.schema()))
    }

    /// Says which table it is.
    pub(crate) fn named(mut self, schema: &str, table: &str) -> Self {
        self.name = format!("{schema}.{table}");
        self
    }

    /// Which table it is: `lake.transfer`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Says why its rows may not be read.
    pub(crate) fn refused(mut self, why: Option<Error>) -> Self {
        self.refused = why;
        self
    }

    /// Says whether its rows are households.
    pub(crate) fn of(mut self, microdata: Microdata) -> Self {
        self.microdata = microdata;
        self
    }

    /// Whether its rows are households.
    pub(crate) fn microdata(&self) -> Microdata {
        self.microdata
    }

    /// Puts the lake's root before the paths of the files.
    pub(crate) fn rooted(mut self, root: object_store::path::Path) -> Self {
        self.root = root;
        self
    }

    /// Files that may hold rows for the filters: those whose bounds do not exclude every value a filter allows.
    fn pruned(&self, filters: &[Expr]) -> Vec<&DataFile> {
        let wanted: Vec<Vec<&str>> =
            self.lead.map(|lead| filters.iter().filter_map(|f| allowed(f, lead)).collect()).unwrap_or_default();
        let may_hold = |file: &&DataFile| match &file.lead {
            Some((least, greatest)) => {
                wanted.iter().all(|values| values.iter().any(|v| least.as_str() <= *v && *v <= greatest.as_str()))
            }
            None => true,
        };
        self.files.iter().filter(may_hold).collect()
    }
}

/// Strings are read as views: no copy per value, and comparisons look at four bytes first.
fn viewed(field: &Field) -> Field {
    match field.data_type() {
        DataType::Utf8 => field.clone().with_data_type(DataType::Utf8View),
        _ => field.clone(),
    }
}

/// The texts that a filter allows for a column: `column = 'a'`, `column in ('a', 'b')`, or several with OR.
fn allowed<'a>(filter: &'a Expr, column: &str) -> Option<Vec<&'a str>> {
    let is_column = |e: &Expr| matches!(e, Expr::Column(c) if c.name() == column);
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(left) => Some(vec![text(right)?]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_column(right) => Some(vec![text(left)?]),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut both = allowed(left, column)?;
            both.extend(allowed(right, column)?);
            Some(both)
        }
        Expr::InList(list) if !list.negated && is_column(&list.expr) => list.list.iter().map(text).collect(),
        _ => None,
    }
}

fn text(value: &Expr) -> Option<&str> {
    match value {
        Expr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text), _) => {
            text.as_deref()
        }
        _ => None,
    }
}

fn provenance(files: &[DataFile], editions: &[SourceEdition]) -> HashMap<String, String> {
    let seen: BTreeSet<(&str, chrono::NaiveDate)> = files.iter().map(|f| (f.source_id.as_str(), f.vintage)).collect();
    let of = |get: &dyn Fn(&SourceEdition) -> Option<String>| {
        let texts: BTreeSet<String> =
            editions.iter().filter(|e| seen.contains(&(e.source_id.as_str(), e.vintage))).filter_map(get).collect();
        texts.into_iter().collect::<Vec<_>>().join("; ")
    };
    let [source, licence, caveats] = PROVENANCE;
    let pairs = [
        (source, of(&|e| Some(format!("{} {}", e.source_id, e.vintage)))),
        (licence, of(&|e| Some(e.licence.clone()))),
        (caveats, of(&|e| e.caveats.clone())),
    ];
    pairs.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key.to_owned(), text)).collect()
}

#[async_trait::async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(statistics(&self.schema, self.files.iter()))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        if let Some(error) = &self.refused {
            return Err(error.clone().into());
        }
        let files = self.pruned(filters);
        if files.is_empty() {
            // A scan of no files has no partition, which joins cannot use.
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let statistics = statistics(&self.schema, files.iter().copied());
        let listed: Vec<PartitionedFile> = files
            .iter()
            .map(|file| {
                let path = file.path.split('/').fold(self.root.clone(), |path, part| path.join(part));
                let rows = Arc::new(self::statistics(&self.schema, std::iter::once(*file)));
                PartitionedFile::new(path.to_string(), file.bytes).with_statistics(rows)
            })
            .collect();
        let groups = FileGroup::new(listed).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(lake_store()?, Arc::new(ParquetSource::new(Arc::clone(&self.schema))))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let format = ParquetFormat::new().with_options(state.default_table_options().parquet);
        format.create_physical_plan(state, config).await
    }
}

/// Row counts are exact from the manifest; nothing else is known without opening files.
fn statistics<'a>(schema: &Schema, files: impl Iterator<Item = &'a DataFile>) -> Statistics {
    let (rows, bytes) = files.fold((0u64, 0u64), |(rows, bytes), f| (rows + f.rows, bytes + f.bytes));
    let exact = |n: u64| usize::try_from(n).map_or(Precision::Absent, Precision::Exact);
    Statistics {
        num_rows: exact(rows),
        total_byte_size: exact(bytes).to_inexact(),
        column_statistics: Statistics::unknown_column(schema),
    }
}
