//! Settings as statements change them, and statements that SQL prepares.

use std::sync::PoisonError;

use datafusion_common::ScalarValue;

use super::connection::Connection;
use super::error::{PgError, Result, UNDEFINED_OBJECT};
use super::interrupts::Interrupts;
use super::portal::Statement;
use super::settings::{Settings, known};
use super::sqlstate::of_engine;
use super::value::{Format, decode};
use super::wire::backend;

impl Connection {
    /// Changes a setting, for the connection or until the transaction ends.
    pub(super) async fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let before = self.settings();
        if local {
            if !self.transaction.is_open() {
                let message = "SET LOCAL can only be used in transaction blocks";
                backend::notice(&mut self.out, "WARNING", "25P01", message, None);
                return Ok(());
            }
            self.transaction.local(&before);
        }
        let mut settings = before.clone();
        settings.set(name, value)?;
        self.restore(settings);
        if let Err(error) = self.apply_settings().await {
            self.restore(before);
            // The engine did not take it, so what it had stays.
            self.apply_settings().await?;
            return Err(error);
        }
        if !local {
            self.transaction.lasting(name, value);
        }
        Ok(())
    }

    /// Puts settings in place of those there are, and tells the client of those it is to know.
    pub(super) fn restore(&mut self, settings: Settings) {
        let before =
            std::mem::replace(&mut *self.settings.lock().unwrap_or_else(PoisonError::into_inner), settings.clone());
        let names = before.changed().keys().chain(settings.changed().keys());
        let mut told: Vec<&String> = names.filter(|n| before.get(n).ok() != settings.get(n).ok()).collect();
        told.sort();
        told.dedup();
        for name in told {
            let Some(setting) = known(name).filter(|s| s.reported) else { continue };
            if let Ok(value) = settings.get(name) {
                if setting.name == "application_name" {
                    self.backend.named(&value);
                }
                backend::parameter_status(&mut self.out, setting.name, &value);
            }
        }
    }

    /// Brings the engine's session to the settings, where they changed: those of the engine, the zone, the path.
    pub(super) async fn apply_settings(&mut self) -> Result<()> {
        let settings = self.settings();
        let (now, then) = (settings.engine(), self.applied.engine());
        for name in now.keys().chain(then.keys()) {
            let (now, then) = (now.get(name), then.get(name));
            if now != then {
                self.session.set(name, now.copied()).await.map_err(|e| {
                    match e.message().contains("unknown setting") {
                        true => {
                            PgError::new(UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
                        }
                        false => PgError { sqlstate: "22023", ..of_engine(&e, "", "") },
                    }
                })?;
            }
        }
        let path = settings.get("search_path")?;
        let schemas = path.split(',').map(|s| s.trim().trim_matches('"').to_owned()).filter(|s| !s.is_empty());
        self.session.search(schemas.collect());
        let zone = settings.get("timezone")?;
        self.session.zone(&engine_zone(&zone));
        self.applied = settings;
        Ok(())
    }

    /// `PREPARE name (types) AS query`.
    pub(super) async fn prepare(
        &mut self,
        name: String,
        types: &[String],
        query: &str,
        begin: usize,
    ) -> Result<String> {
        if self.statements.contains_key(&name) {
            return Err(PgError::new("42P05", format!("prepared statement \"{name}\" already exists")));
        }
        let oid = |text: &String| {
            crate::catalogue::named_oid(text)
                .ok_or_else(|| PgError::new(UNDEFINED_OBJECT, format!("type \"{text}\" does not exist")))
        };
        let types = types.iter().map(oid).collect::<Result<Vec<u32>>>()?;
        let statement = self.statement(query, &types).await.map_err(|mut e| {
            e.position = e.position.map(|at| at + begin);
            e
        })?;
        self.keep(name, statement)?;
        Ok("PREPARE".to_owned())
    }

    /// The values of `EXECUTE name (…)`: constants, which the engine computes.
    pub(super) async fn arguments(
        &mut self,
        statement: &Statement,
        arguments: Option<&str>,
        interrupts: &Interrupts,
    ) -> Result<Vec<ScalarValue>> {
        let Some(arguments) = arguments.filter(|a| !a.trim().is_empty()) else {
            return match statement.parameters.len() {
                0 => Ok(Vec::new()),
                expected => Err(wrong_number(expected, 0)),
            };
        };
        let asked = format!("select {arguments}");
        let first = interrupts
            .guard(async {
                // One row is asked for; of more the first rows are enough to see it.
                let first = async { self.session.run(&asked).await?.next().await.transpose() }.await;
                first.map_err(|e| of_engine(&e, "", ""))
            })
            .await?;
        let Some(batch) = first.as_ref().filter(|b| b.num_rows() == 1) else {
            return Err(wrong_number(statement.parameters.len(), 0));
        };
        if batch.num_columns() != statement.parameters.len() {
            return Err(wrong_number(statement.parameters.len(), batch.num_columns()));
        }
        let value = |(column, oid): (&arrow::array::ArrayRef, &u32)| -> Result<ScalarValue> {
            let wrong = |e: datafusion_common::DataFusionError| PgError::new("22P02", e.strip_backtrace());
            let value = ScalarValue::try_from_array(column, 0).map_err(wrong)?;
            // A literal without a type is what the parameter is.
            match value.try_as_str().flatten() {
                Some(text) => decode(*oid, Format::Text, Some(text.as_bytes()), &self.style()),
                None => Ok(value),
            }
        };
        batch.columns().iter().zip(&statement.parameters).map(value).collect()
    }
}

fn wrong_number(expected: usize, got: usize) -> PgError {
    let mut error = PgError::new("42601", "wrong number of parameters for prepared statement");
    error.detail = Some(format!("Expected {expected} parameters but got {got}."));
    error
}

/// The zone as the engine below writes it: POSIX's spelling has the other sign.
fn engine_zone(zone: &str) -> String {
    let Some((shown, _)) = zone.strip_prefix('<').and_then(|z| z.split_once('>')) else { return zone.to_owned() };
    if shown.contains(':') { shown.to_owned() } else { format!("{shown}:00") }
}
