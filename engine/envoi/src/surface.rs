//! What a protocol adds to the sessions that it serves.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::parser::Statement;

use crate::error::Result;

/// A protocol's own catalogue, functions and dialect, in sessions made by
/// [`SessionFactory::served`](crate::SessionFactory::served).
#[async_trait]
pub trait Surface: Debug + Send + Sync {
    /// Schemas beside those of the lake.
    fn schemas(&self) -> Vec<&'static str>;
    /// Tables of one of them.
    fn tables(&self, schema: &str) -> Vec<&'static str>;
    /// Columns of a table; `None` if there is no such table.
    fn columns(&self, schema: &str, table: &str) -> Option<SchemaRef>;
    /// The rows of a table.
    ///
    /// # Errors
    /// What the lake's catalogue says when it cannot be read.
    async fn rows(&self, schema: &str, table: &str) -> Result<RecordBatch>;
    /// Functions beside the engine's own, which they replace where the name is the same.
    fn functions(&self) -> Vec<Arc<ScalarUDF>>;
    /// Brings a statement of the protocol's dialect to the engine's.
    ///
    /// # Errors
    /// What the dialect has and the engine cannot do.
    fn rewrite(&self, statement: &mut Statement) -> Result<()>;
}
