//! Schemas of a protocol: `pg_catalog` and the like.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, SchemaProvider, Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use crate::surface::Surface;

/// A schema whose tables a protocol makes.
#[derive(Debug)]
pub(crate) struct SurfaceSchema {
    pub(crate) name: &'static str,
    pub(crate) surface: Arc<dyn Surface>,
}

#[async_trait::async_trait]
impl SchemaProvider for SurfaceSchema {
    fn table_names(&self) -> Vec<String> {
        self.surface.tables(self.name).into_iter().map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(columns) = self.surface.columns(self.name, name) else { return Ok(None) };
        let table =
            SurfaceTable { schema: self.name, table: name.to_owned(), columns, surface: Arc::clone(&self.surface) };
        Ok(Some(Arc::new(table)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.surface.columns(self.name, name).is_some()
    }
}

/// A table whose rows are made when it is read.
#[derive(Debug)]
pub(crate) struct SurfaceTable {
    schema: &'static str,
    table: String,
    columns: SchemaRef,
    surface: Arc<dyn Surface>,
}

#[async_trait::async_trait]
impl TableProvider for SurfaceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let rows: RecordBatch = self.surface.rows(self.schema, &self.table).await?;
        let table = MemTable::try_new(Arc::clone(&self.columns), vec![vec![rows]])?;
        table.scan(state, projection, filters, limit).await
    }
}
