//! What a connection tells of itself and of plans: SHOW and EXPLAIN.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::connection::Connection;
use super::error::Result;
use super::interrupts::Interrupts;
use super::rows::Rows;
use super::settings::{ENGINE, SETTINGS};

impl Connection {
    /// The engine's plan as lines.
    pub(super) async fn explain(
        &mut self,
        sql: &str,
        (analyze, verbose): (bool, bool),
        query: &str,
        begin: usize,
        interrupts: &Interrupts,
    ) -> Result<Rows> {
        self.apply_settings().await?;
        let words = [if analyze { "analyze " } else { "" }, if verbose { "verbose " } else { "" }].concat();
        let asked = format!("explain {words}{query}");
        let lead = asked.len() - query.len();
        let before = sql.get(..begin).unwrap_or_default();
        let shared = Arc::clone(&self.shared);
        let batches = interrupts
            .guard(async {
                let _turn = shared.begin().await?;
                let answer = async { self.session.run(&asked).await?.collect().await }.await;
                answer.map_err(|e| {
                    let moved = e.position().and_then(|at| at.checked_sub(lead));
                    super::sqlstate::of_engine(&e.clone().at(moved), query, before)
                })
            })
            .await?;
        // Whoever plans by costs, another PostgreSQL for one, reads them in the first line.
        let rows = interrupts.guard(async { Ok(self.session.estimate(query).await.ok().flatten()) }).await?;
        let rows = rows.unwrap_or(UNKNOWN).max(1);
        let cost = rows as f64 / 100.0;
        let mut lines = vec![Some(format!("Result  (cost=0.00..{cost:.2} rows={rows} width={WIDTH})"))];
        for batch in &batches {
            let kinds = batch.column_by_name("plan_type").and_then(|c| cast(c, &DataType::Utf8).ok());
            let plans = batch.column_by_name("plan").and_then(|c| cast(c, &DataType::Utf8).ok());
            let (Some(kinds), Some(plans)) = (kinds, plans) else { continue };
            let (kinds, plans) = (kinds.as_string::<i32>(), plans.as_string::<i32>());
            let all = kinds.iter().zip(plans.iter());
            // What runs, unless everything is asked for.
            let physical = all.clone().any(|(kind, _)| kind == Some("physical_plan"));
            for (kind, plan) in all {
                if verbose || analyze || !physical || kind == Some("physical_plan") {
                    lines.extend(plan.unwrap_or_default().lines().map(|l| Some(format!("  {}", without_files(l)))));
                }
            }
            debug_assert_eq!(plans.null_count(), 0);
        }
        Ok(Rows::texts(&["QUERY PLAN"], vec![lines]))
    }

    pub(super) fn show(&self, name: &str) -> Result<Rows> {
        let value = match name.to_lowercase().strip_prefix(ENGINE) {
            Some(_) => self.session.setting(name).map_err(|e| super::sqlstate::of_engine(&e, "", ""))?,
            None => self.settings().get(name)?,
        };
        Ok(Rows::texts(&[shown(name).as_str()], vec![vec![Some(value)]]))
    }

    pub(super) fn show_all(&self) -> Rows {
        let settings = self.settings();
        let own = SETTINGS
            .iter()
            .map(|s| (s.name.to_owned(), settings.get(s.name).unwrap_or_default(), s.description.to_owned()));
        let engine = self.session.settings();
        let mut all: Vec<(String, String, String)> = own.chain(engine).collect();
        all.sort_by_key(|(name, ..)| name.to_lowercase());
        let column = |of: fn(&(String, String, String)) -> String| all.iter().map(|row| Some(of(row))).collect();
        Rows::texts(
            &["name", "setting", "description"],
            vec![column(|r| r.0.clone()), column(|r| r.1.clone()), column(|r| r.2.clone())],
        )
    }
}

/// Rows of a plan of which nothing is known, as PostgreSQL has it of a table that was never looked at.
const UNKNOWN: u64 = 1_000;
/// Bytes of a row, as a plan says them.
const WIDTH: u64 = 32;

/// A line of a plan without the names of files, which are the server's own affair.
fn without_files(line: &str) -> String {
    const FILES: &str = "file_groups={";
    let Some(begin) = line.find(FILES).map(|at| at + FILES.len()) else { return line.to_owned() };
    let rest = line.get(begin..).unwrap_or_default();
    let groups = rest.split(':').next().unwrap_or_default();
    let end = rest.find("]]}").map_or(rest.len(), |at| at + 2);
    format!("{}{groups}{}", line.get(..begin).unwrap_or_default(), rest.get(end..).unwrap_or_default())
}

/// A setting as the column of SHOW is called.
pub(super) fn shown(name: &str) -> String {
    super::settings::known(name).map_or_else(|| name.to_owned(), |s| s.name.to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn plans_name_no_files() {
        let line = "DataSourceExec: file_groups={2 groups: [[a/b.parquet], [c.parquet]]}, projection=[x]";
        assert_eq!(super::without_files(line), "DataSourceExec: file_groups={2 groups}, projection=[x]");
        assert_eq!(super::without_files("FilterExec: a"), "FilterExec: a");
    }
}
