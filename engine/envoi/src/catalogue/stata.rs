//! A Stata file as a table: only the variables that a query needs are decoded, by all threads.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use envoi_lake::read::{Batches, Dta, Limits};

use crate::error::Error;

/// The rows of a Stata file; their types are those of [`Dta`].
#[derive(Debug)]
pub(super) struct StataTable(Dta);

impl StataTable {
    pub(super) fn open(path: &str) -> Result<Self> {
        let cannot = |e: std::io::Error| Error::user(format!("cannot read `{path}`: {e}"));
        let limits = Limits::default();
        limits.check_file(std::fs::metadata(path).map_err(cannot)?.len(), path).map_err(Error::from)?;
        let bytes = std::fs::read(path).map_err(cannot)?;
        Ok(Self(Dta::open(bytes.into(), path, &limits).map_err(Error::from)?))
    }
}

#[async_trait]
impl TableProvider for StataTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let config = state.config();
        let batches = self.0.batches(projection.map(Vec::as_slice), config.batch_size()).map_err(Error::from)?;
        let schema = projection.map_or_else(|| Ok(self.schema()), |p| self.schema().project(p).map(Arc::new))?;
        let rows = self.0.rows();
        let each = rows.div_ceil(config.target_partitions().max(1)).max(config.batch_size());
        let part = |first: usize| -> Arc<dyn PartitionStream> {
            let rows = batches.clone().between(first..first + each);
            Arc::new(Part { schema: Arc::clone(&schema), rows })
        };
        let parts = (0..rows.max(1)).step_by(each).map(part).collect();
        Ok(Arc::new(StreamingTableExec::try_new(Arc::clone(&schema), parts, None, [], false, limit)?))
    }
}

/// Some of the rows.
#[derive(Debug)]
struct Part {
    schema: SchemaRef,
    rows: Batches,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.clone().map(|batch| batch.map_err(|e| DataFusionError::from(Error::from(e))));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(rows)))
    }
}
