//! The one place that builds sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList, MemorySchemaProvider};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionContext;
use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::var_samp_udaf;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::optimizer::Analyzer;
use datafusion::prelude::SessionConfig;
use envoi_lake::Manifest;
use parking_lot::RwLock;

use super::arithmetic::Checked;
use super::lateral::Computed;
use super::members::Memberships;
use super::moments::Moments;
use super::multisets::Multisets;
use super::single::SingleValues;
use super::truths::Truths;
use super::{Inner, Session};
use crate::catalogue::{
    CATALOGUE, EnvoiCatalogue, LakeSchema, LakeView, MartSchema, ModelSchema, Named, Part, SESSION_SCHEMA,
    SessionSchema, StateHandle, SurfaceSchema, Within,
};
use crate::config::Config;
use crate::economies::economies;
use crate::error::{Error, Result};
use crate::operators::Planner;
use crate::options::EnvoiOptions;
use crate::privacy::{Gate, Role};
use crate::runtime::Runtime;
use crate::shared;
use crate::surface::Surface;

/// Schemas that unqualified names are sought in, after what the session made.
const PATH: [&str; 3] = ["mart", "lake", "model"];

/// What a session may take; `None`: what the runtime has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// Partitions that a query is planned with.
    pub partitions: Option<usize>,
    /// Bytes for its queries alone.
    pub memory: Option<usize>,
}

/// Makes sessions that differ in nothing but their own settings.
#[derive(Debug, Clone)]
pub struct SessionFactory {
    runtime: Arc<Runtime>,
    options: EnvoiOptions,
}

impl SessionFactory {
    /// Sessions over the runtime's lake, seeing what the configuration says.
    pub fn new(runtime: Arc<Runtime>, config: &Config) -> Self {
        let options =
            EnvoiOptions { as_of: config.as_of(), lake_version: config.lake_version(), ..EnvoiOptions::default() };
        Self { runtime, options }
    }

    /// A session of the owner: local files may be read and written.
    ///
    /// Reads the newest manifest. A version or date that does not exist is an error.
    pub async fn owner(&self) -> Result<Session> {
        self.build(None, None, None).await
    }

    /// A session of a role that is not the owner: it reads the catalogue, no files, changes
    /// nothing but its own settings, and is shown no household (`docs/privacy.md`).
    ///
    /// Every session of a role is made of clones of one [`Role`], which counts over all of them.
    pub async fn reader(&self, role: &Role) -> Result<Session> {
        self.build(Some(Gate::new(role)), None, None).await
    }

    /// A session of a role that comes in by a protocol: it has the protocol's catalogue, functions and dialect too.
    pub async fn served(&self, role: &Role, surface: Arc<dyn Surface>) -> Result<Session> {
        self.build(Some(Gate::new(role)), Some(surface), None).await
    }

    /// Looks whether what the grants of a role name is there, and their conditions can be asked.
    ///
    /// # Errors
    /// A schema, table or column that there is none of, with near ones; a condition that is none;
    /// columns of households without which none could be kept safe.
    pub async fn check(&self, role: &Role) -> Result<()> {
        let Some(grants) = Gate::new(role).grants() else { return Ok(()) };
        let session = self.build(None, None, None).await?;
        let (grants, role) = (Arc::clone(&grants), role.clone());
        let reader = self.build(Some(Gate::new(&role)), None, None).await?;
        self.runtime.spawn(async move { session.checked(&reader, &grants).await })?.finish().await?
    }

    /// A session of the owner that reads one manifest, published or not, and looks for no newer one.
    ///
    /// # Errors
    /// Functions of the library that are not as they should be.
    pub async fn over(&self, manifest: Arc<Manifest>, bounds: Bounds) -> Result<Session> {
        let options = EnvoiOptions { lake_version: None, ..self.options.clone() };
        let factory = Self { runtime: Arc::clone(&self.runtime), options };
        factory.build(None, None, Some((manifest, bounds))).await
    }

    async fn build(
        &self,
        gate: Option<Gate>,
        surface: Option<Arc<dyn Surface>>,
        over: Option<(Arc<Manifest>, Bounds)>,
    ) -> Result<Session> {
        let (given, bounds) = over.map_or((None, Bounds::default()), |(manifest, bounds)| (Some(manifest), bounds));
        let pinned = given.is_some();
        let newest = match given {
            Some(manifest) => manifest,
            None => self.runtime.manifest(None).await?,
        };
        if let Some(version) = self.options.lake_version {
            self.runtime.manifest(Some(version)).await?;
        }
        let state = Arc::new(StateHandle::default());
        let view = Arc::new(LakeView::new(Arc::clone(&self.runtime), Arc::clone(&state), newest));
        view.pin(pinned);
        let parts = Parts { state: &state, view: &view, gate: gate.as_ref() };
        let grants = gate.as_ref().and_then(Gate::grants);
        // The queries of marts may name what their reader may not.
        let within = grants.as_ref().map(|of| {
            let unwritten = Named { of: Arc::clone(of), written: false };
            Within::Other(Arc::new_cyclic(|list: &Weak<MemoryCatalogProviderList>| {
                let itself = Within::Itself(Weak::clone(list) as Weak<dyn CatalogProviderList>);
                let within = parts.catalogue(Some(unwritten), Some(itself), Vec::new());
                let list = MemoryCatalogProviderList::new();
                list.register_catalog(CATALOGUE.to_owned(), Arc::new(within));
                list
            }))
        });
        let context = self.context(surface.is_none(), bounds)?;
        let beside = surface.iter().flat_map(|surface| {
            surface.schemas().into_iter().map(|name| Arc::new(SurfaceSchema { name, surface: Arc::clone(surface) }))
        });
        let catalogue = parts.catalogue(grants.map(|of| Named { of, written: true }), within, beside.collect());
        let (own, model) = (Arc::clone(&catalogue.session), Arc::clone(&catalogue.model));
        #[expect(clippy::disallowed_methods, reason = "the factory mounts the catalogue and the functions")]
        {
            context.register_catalog(CATALOGUE, Arc::new(catalogue));
            for function in envoi_functions::all_scalars(economies) {
                context.register_udf(function.as_ref().clone());
            }
            for function in envoi_functions::all_aggregates() {
                context.register_udaf(function.as_ref().clone());
            }
            context.register_udaf(super::sums::checked(&sum_udaf()));
            for function in super::ranks::functions() {
                context.register_udwf(function);
            }
            context.register_udaf(bool_and_udaf().as_ref().clone().with_aliases(["every"]));
            context.register_udaf(var_samp_udaf().as_ref().clone().with_aliases(["variance"]));
            for function in super::scalars::functions() {
                context.register_udf(function);
            }
            for function in super::bounded::functions(&context.state()) {
                context.register_udf(function);
            }
            for function in surface.iter().flat_map(|surface| surface.functions()) {
                context.register_udf(function.as_ref().clone());
            }
        }
        state.tie(context.state_weak_ref());
        Ok(Session(Arc::new(Inner {
            context,
            runtime: Arc::clone(&self.runtime),
            view,
            own,
            model,
            plans: self.runtime.plans().open(),
            names: Mutex::new(None),
            gate,
            surface,
        })))
    }

    /// Without an `information_schema` of the engine where a protocol has its own.
    fn context(&self, information_schema: bool, bounds: Bounds) -> Result<SessionContext> {
        let mut config = SessionConfig::new()
            .with_option_extension(self.options.clone())
            .with_default_catalog_and_schema(CATALOGUE, SESSION_SCHEMA)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(information_schema)
            .with_target_partitions(bounds.partitions.unwrap_or(self.runtime.threads()))
            .with_parquet_pruning(true);
        let options = config.options_mut();
        // A star join of 10 million rows: 0.5 s with it, over a minute without.
        options.optimizer.use_statistics_registry = true;
        // Point lookups 3.6 times as fast, nothing lost on full scans.
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        // Units and descriptions are metadata of columns, and a union of some whose metadata differ is
        // planned with other metadata than it is said to have; the check takes that for an error.
        options.execution.skip_physical_aggregate_schema_check = true;
        // Errors name the place in the statement.
        options.sql_parser.collect_spans = true;
        let environment = self.runtime.environment(bounds.memory)?;
        let mut rules = Analyzer::new().rules;
        rules.insert(0, Arc::new(Memberships));
        rules.insert(0, Arc::new(Computed));
        rules.insert(0, Arc::new(SingleValues));
        rules.insert(0, Arc::new(Multisets));
        rules.push(Arc::new(Checked::new(&environment.memory_pool)));
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_analyzer_rules(rules)
            .with_runtime_env(environment)
            .with_default_features()
            .with_relation_planners(vec![Arc::new(Planner), Arc::new(shared::Planner)])
            .with_query_planner(Arc::new(Planner));
        state
            .expr_planners()
            .get_or_insert_default()
            .extend([Arc::new(Truths) as Arc<dyn ExprPlanner>, Arc::new(Moments)]);
        #[expect(clippy::disallowed_methods, reason = "this is the one place that builds a context")]
        Ok(SessionContext::new_with_state(state.build()))
    }

    /// The runtime that the sessions share.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }
}

/// What the schemas of a session are made of.
struct Parts<'a> {
    state: &'a Arc<StateHandle>,
    view: &'a Arc<LakeView>,
    gate: Option<&'a Gate>,
}

impl Parts<'_> {
    fn catalogue(
        &self,
        grants: Option<Named>,
        within: Option<Within>,
        beside: Vec<Arc<SurfaceSchema>>,
    ) -> EnvoiCatalogue {
        let part = |part| Arc::new(LakeSchema { view: Arc::clone(self.view), part, grants: grants.clone() });
        let (lake, staging) = (part(Part::Lake), part(Part::Staging));
        let mart = Arc::new(MartSchema {
            state: Arc::clone(self.state),
            view: Arc::clone(self.view),
            plans: Mutex::new(HashMap::new()),
            gate: self.gate.cloned(),
            grants: grants.clone(),
            within: within.clone(),
        });
        let model = Arc::new(ModelSchema {
            state: Arc::clone(self.state),
            view: Arc::clone(self.view),
            plans: Mutex::new(HashMap::new()),
            expected: RwLock::new(HashMap::new()),
            reader: self.gate.is_some(),
            grants,
            within,
        });
        let session = Arc::new(SessionSchema {
            own: MemorySchemaProvider::new(),
            mart: Arc::clone(&mart),
            model: Arc::clone(&model),
            lake: Arc::clone(&lake),
            state: Arc::clone(self.state),
            files: self.gate.is_none(),
            staging: Arc::clone(&staging),
            path: RwLock::new(PATH.map(str::to_owned).to_vec()),
        });
        EnvoiCatalogue { lake, staging, mart, model, session, beside }
    }
}

/// Opens the lake and starts the runtime, as configured; the usual way in.
///
/// Without a lake named, the default one in the user's data folder is used if it
/// was ever made; otherwise the sample lake, which is written there first.
pub async fn open(config: &Config) -> Result<SessionFactory> {
    let lake = crate::sample::default_or_sample(config).await?;
    let runtime = Runtime::new(config, lake).map_err(|e| Error::new(e.class(), format!("cannot start: {e}")))?;
    Ok(SessionFactory::new(runtime, config))
}
