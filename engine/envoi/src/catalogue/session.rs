//! Schema `session`: what the user makes, and where unqualified names are sought.

use std::sync::Arc;

use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use parking_lot::RwLock;

use super::files;
use super::lake::LakeSchema;
use super::mart::MartSchema;
use super::model::ModelSchema;
use super::view::StateHandle;

/// Tables and views of this session; names it does not have are those of the
/// schemas of the path, `mart`, `lake` and `model` unless it was changed, then files.
#[derive(Debug)]
pub(crate) struct SessionSchema {
    pub(crate) own: MemorySchemaProvider,
    pub(crate) mart: Arc<MartSchema>,
    pub(crate) model: Arc<ModelSchema>,
    pub(crate) lake: Arc<LakeSchema>,
    pub(crate) state: Arc<StateHandle>,
    /// The owner may query files; a served connection may not.
    pub(crate) files: bool,
    pub(crate) staging: Arc<LakeSchema>,
    /// Schemas that unqualified names are sought in, one after another.
    pub(crate) path: RwLock<Vec<String>>,
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
        let path = self.path.read().clone();
        for schema in &path {
            let found = match schema.as_str() {
                "mart" => self.mart.table(name).await?,
                "lake" => self.lake.table(name).await?,
                "model" => self.model.table(name).await?,
                "staging" => self.staging.table(name).await?,
                _ => None,
            };
            if found.is_some() {
                return Ok(found);
            }
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
