//! What protocols do with a session beside asking: versions that stay, settings, schemas.

use datafusion::common::config::ExtensionOptions;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use super::Session;
use crate::error::{Error, Result};
use crate::options::EnvoiOptions;

impl Session {
    /// Every statement from now on sees the newest version of the lake there is now, until [`unpin`](Self::unpin).
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn pin(&self) -> Result<()> {
        self.0.view.pin(false);
        self.0.view.refresh().await?;
        self.0.view.pin(true);
        Ok(())
    }

    /// Statements see the newest version again.
    pub fn unpin(&self) {
        self.0.view.pin(false);
    }

    /// Changes a setting of `envoi`, or with no value brings it back to its default.
    ///
    /// # Errors
    /// A name that is none, a value it does not take.
    pub async fn set(&self, name: &str, value: Option<&str>) -> Result<()> {
        let Some(key) = name.to_lowercase().strip_prefix("envoi.").map(str::to_owned) else {
            return Err(Error::user(format!("setting `{name}` is not one of `envoi`")));
        };
        let state = self.0.context.state_ref();
        let mut options = self.options();
        options.set(&key, value.unwrap_or_default()).map_err(|e| Error::from_datafusion(&e, ""))?;
        if let Some(version) = options.lake_version {
            self.0.runtime.manifest(Some(version)).await?;
        }
        state.write().config_mut().options_mut().extensions.insert(options);
        self.0.plans.clear();
        Ok(())
    }

    /// The value of a setting of `envoi`.
    ///
    /// # Errors
    /// A name that is none.
    pub fn setting(&self, name: &str) -> Result<String> {
        let lower = name.to_lowercase();
        let found = self.options().entries().into_iter().find(|e| e.key == lower);
        found
            .map(|e| e.value.unwrap_or_default())
            .ok_or_else(|| Error::user(format!("setting `{name}` does not exist")))
    }

    /// All settings of `envoi`: name, value, description.
    pub fn settings(&self) -> Vec<(String, String, String)> {
        let entries = self.options().entries().into_iter();
        entries.map(|e| (e.key, e.value.unwrap_or_default(), e.description.to_owned())).collect()
    }

    /// Unqualified names are sought in these schemas, one after another.
    pub fn search(&self, schemas: Vec<String>) {
        let mut path = self.0.own.path.write();
        if *path != schemas {
            *path = schemas;
            self.0.plans.clear();
        }
    }

    /// Times are of this zone where no other is said.
    pub fn zone(&self, zone: &str) {
        let state = self.0.context.state_ref();
        let mut state = state.write();
        let execution = &mut state.config_mut().options_mut().execution;
        if execution.time_zone.as_deref() != Some(zone) {
            execution.time_zone = Some(zone.to_owned());
            self.0.plans.clear();
        }
    }

    /// How many rows a query may give, by the statistics of what it reads; `None` where they do not tell.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn estimate(&self, sql: &str) -> Result<Option<u64>> {
        let prepared = self.prepare(sql, &[]).await?;
        let session = self.clone();
        self.0.runtime.spawn(async move { session.estimated(prepared).await })?.finish().await?
    }

    async fn estimated(&self, prepared: super::Prepared) -> Result<Option<u64>> {
        let failed = |e| Error::from_datafusion(&e, prepared.sql());
        let state = self.0.context.state();
        let plan = state.optimize(&prepared.plan).map_err(failed)?;
        let plan = state.query_planner().create_physical_plan(&plan, &state).await.map_err(failed)?;
        let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).map_err(failed)?;
        let rows = known.num_rows;
        Ok(rows.get_value().and_then(|rows| u64::try_from(*rows).ok()))
    }

    fn options(&self) -> EnvoiOptions {
        let state = self.0.context.state();
        state.config_options().extensions.get::<EnvoiOptions>().cloned().unwrap_or_default()
    }
}
