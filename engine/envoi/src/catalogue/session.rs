//! Schema `session`: what the user makes, and where unqualified names are sought.

use std::sync::Arc;

use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;

use super::files;
use super::lake::LakeSchema;
use super::mart::MartSchema;
use super::view::StateHandle;

/// Tables and views of this session; names it does not have are those of
/// `mart`, then of `lake`, then files.
#[derive(Debug)]
pub(crate) struct SessionSchema {
    pub(crate) own: MemorySchemaProvider,
    pub(crate) mart: Arc<MartSchema>,
    pub(crate) lake: Arc<LakeSchema>,
    pub(crate) state: Arc<StateHandle>,
    /// The owner may query files; a served connection may not.
    pub(crate) files: bool,
}

#[async_trait::async_trait]
impl SchemaProvider for SessionSchema {
    fn table_names(&self) -> Vec<String> {
        self.own.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if let Some(own) = self.own.table(name).await? {
            return Ok(Some(own));
        }
        if let Some(mart) = self.mart.table(name).await? {
            return Ok(Some(mart));
        }
        if let Some(lake) = self.lake.table(name).await? {
            return Ok(Some(lake));
        }
        if self.files { files::table(name, &self.state).await } else { Ok(None) }
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        self.own.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        self.own.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.own.table_exist(name)
    }
}
