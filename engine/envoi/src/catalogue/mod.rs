//! Catalogue `envoi`: what can be named in SQL.
//!
//! ```text
//! envoi.lake      tables of the lake version and editions the session sees
//! envoi.staging   the publishers' shape, kept for audit
//! envoi.mart      views of the SQL library, planned when first named
//! envoi.model     tables and views that `envoi run` published
//! envoi.session   tables and views the user makes; unqualified names are sought here,
//!                 then in mart, then in lake, then in model, then as a file
//! ```

mod damage;
mod edition;
mod files;
mod functions;
mod granted;
mod hygiene;
mod lake;
mod lake_table;
mod mart;
mod model;
mod session;
mod stata;
mod surface;
mod text;
mod view;

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, SchemaProvider};
use envoi_lake::lake::MODEL_SCHEMA;

pub(crate) use damage::{damaged, files_of, of_files};
pub(crate) use edition::{NamedEditions, as_arguments};
pub(crate) use files::{ReadFunctions, meant_path};
pub(crate) use functions::LibraryFunctions;
pub(crate) use granted::{Named, Within};
pub(crate) use lake::{LakeSchema, LakeView, Part};
pub(crate) use lake_table::{LakeTable, Microdata};
pub(crate) use mart::MartSchema;
pub(crate) use model::ModelSchema;
pub(crate) use session::SessionSchema;
pub(crate) use surface::{SurfaceSchema, SurfaceTable};
pub(crate) use view::StateHandle;

/// Name of the catalogue.
pub(crate) const CATALOGUE: &str = "envoi";
/// Schema that unqualified names are sought in first.
pub(crate) const SESSION_SCHEMA: &str = "session";

/// The catalogue of one session.
#[derive(Debug)]
pub(crate) struct EnvoiCatalogue {
    pub(crate) lake: Arc<LakeSchema>,
    pub(crate) staging: Arc<LakeSchema>,
    pub(crate) mart: Arc<MartSchema>,
    pub(crate) model: Arc<ModelSchema>,
    pub(crate) session: Arc<SessionSchema>,
    /// Those of a protocol, by name.
    pub(crate) beside: Vec<Arc<SurfaceSchema>>,
}

impl CatalogProvider for EnvoiCatalogue {
    fn schema_names(&self) -> Vec<String> {
        let own = ["lake", "mart", MODEL_SCHEMA, SESSION_SCHEMA, "staging"];
        own.into_iter().chain(self.beside.iter().map(|s| s.name)).map(str::to_owned).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        match name {
            "lake" => Some(Arc::clone(&self.lake) as Arc<dyn SchemaProvider>),
            "staging" => Some(Arc::clone(&self.staging) as Arc<dyn SchemaProvider>),
            "mart" => Some(Arc::clone(&self.mart) as Arc<dyn SchemaProvider>),
            MODEL_SCHEMA => Some(Arc::clone(&self.model) as Arc<dyn SchemaProvider>),
            SESSION_SCHEMA => Some(Arc::clone(&self.session) as Arc<dyn SchemaProvider>),
            name => {
                let found = self.beside.iter().find(|s| s.name == name)?;
                Some(Arc::clone(found) as Arc<dyn SchemaProvider>)
            }
        }
    }
}
