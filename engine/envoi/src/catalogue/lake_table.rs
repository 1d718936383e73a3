//! A table of the lake: the Parquet files of the editions a session sees.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, ScalarValue, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::execution::SessionState;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExecBuilder;
use envoi_lake::Lake;
use envoi_lake::lake::{DataFile, SourceEdition};
use envoi_lake::tables::{TableDef, UNIT};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Error;
use crate::privacy::{BarrierExec, Kept};
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
    /// The columns there are.
    schema: SchemaRef,
    /// The columns of the files: more, where some are kept from a role.
    stored: SchemaRef,
    /// Rows that do not meet it are kept from a role.
    condition: Option<Expr>,
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
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            name: String::new(),
            stored: Arc::clone(&schema),
            condition: None,
            schema,
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
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let (stored, root) = (Arc::clone(&schema), object_store::path::Path::default());
        let (name, microdata) = (String::new(), Microdata::No);
        Ok(Self { name, schema, stored, condition: None, microdata, files, lead: None, root, refused: None })
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

    /// Takes away what is kept from a role.
    ///
    /// # Errors
    /// A condition that cannot be planned over the columns of the table.
    pub(crate) fn granted(mut self, kept: &Kept, state: &SessionState) -> Result<Self, DataFusionError> {
        let there = self.stored.fields().iter().filter(|f| !kept.denied.contains(f.name())).cloned();
        self.schema = Arc::new(Schema::new_with_metadata(there.collect::<Vec<_>>(), self.stored.metadata().clone()));
        let columns = DFSchema::try_from(Arc::clone(&self.stored))?;
        self.condition = kept.rows.as_deref().map(|sql| state.create_logical_expr(sql, &columns)).transpose()?;
        Ok(self)
    }

    /// Whether rows of it are kept from the session.
    pub(crate) fn keeps_rows(&self) -> bool {
        self.condition.is_some()
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

/// Whether a condition can tell of a row by nothing but its truth: it cannot fail.
fn is_leakproof(filter: &Expr) -> bool {
    let plain = |e: &Expr| matches!(e, Expr::Column(_) | Expr::Literal(..));
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            is_leakproof(left) && is_leakproof(right)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => op.supports_propagation() && plain(left) && plain(right),
        Expr::InList(list) => plain(&list.expr) && list.list.iter().all(plain),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => plain(inner),
        Expr::Between(between) => plain(&between.expr) && plain(&between.low) && plain(&between.high),
        _ => false,
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

/// A condition over the columns of the files, whatever the table is called in the statement.
fn unqualified(condition: Expr) -> Expr {
    let plain = |e: Expr| match e {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))),
        other => Ok(Transformed::no(other)),
    };
    // Nothing in it fails.
    condition.clone().transform(plain).map_or(condition, |done| done.data)
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
        use TableProviderFilterPushDown::{Inexact, Unsupported};
        let taken =
            |filter: &&Expr| if self.condition.is_none() || is_leakproof(filter) { Inexact } else { Unsupported };
        Ok(filters.iter().map(taken).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        self.condition.is_none().then(|| statistics(&self.schema, self.files.iter()))
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
        let places = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let places = places.into_iter().map(|at| self.stored.index_of(self.schema.field(at).name()));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let Some(condition) = &self.condition else { return self.read(state, places, filters, limit).await };
        // What is read, for the condition too; then rows are taken out, and with them its columns.
        let used = condition.column_refs();
        let mut read = places.clone();
        read.extend(used.iter().filter_map(|column| self.stored.index_of(column.name()).ok()));
        read.sort_unstable();
        read.dedup();
        let conditions: Vec<Expr> = std::iter::once(condition).chain(filters).cloned().collect();
        let kept: Vec<usize> = places.iter().filter_map(|at| read.binary_search(at).ok()).collect();
        let input = self.read(state, read, &conditions, None).await?;
        let columns = DFSchema::try_from(input.schema())?;
        let all = conjunction(conditions.into_iter().map(unqualified)).unwrap_or_else(|| lit(true));
        let rows = FilterExecBuilder::new(state.create_physical_expr(all, &columns)?, input);
        Ok(Arc::new(BarrierExec::new(Arc::new(rows.apply_projection(Some(kept))?.build()?))))
    }
}

impl LakeTable {
    /// Reads columns of the files by their places in them.
    async fn read(
        &self,
        state: &dyn Session,
        places: Vec<usize>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let files = self.pruned(filters);
        if files.is_empty() {
            // A scan of no files has no partition, which joins cannot use.
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.stored, Some(&places))?)));
        }
        let statistics = statistics(&self.stored, files.iter().copied());
        let listed: Vec<PartitionedFile> = files
            .iter()
            .map(|file| {
                let path = file.path.split('/').fold(self.root.clone(), |path, part| path.join(part));
                let rows = Arc::new(self::statistics(&self.stored, std::iter::once(*file)));
                PartitionedFile::new(path.to_string(), file.bytes).with_statistics(rows)
            })
            .collect();
        let groups = FileGroup::new(listed).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(lake_store()?, Arc::new(ParquetSource::new(Arc::clone(&self.stored))))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(places))?
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
