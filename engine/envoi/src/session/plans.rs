//! Optimised plans of statements a session runs again.
//!
//! Dashboards and scripts repeat a statement over a lake that has not changed.
//! Analysis and optimisation are a third of the time of a mart (7 of 22 ms for
//! `remittance_vs_oda_by_group`), so their result is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use crate::catalogue::LakeTable;

/// Statements of a session whose plan is kept; the one unused for longest goes first.
const KEPT: usize = 64;
/// Plans of all sessions. Those of a dashboard take some 150 kB each, which the memory pool does not see: 500
/// connections that keep as many as they may would take gigabytes.
const ALL: usize = 2048;
/// Longer statements are written by programs and seldom come twice.
const LONGEST: usize = 16 << 10;

/// The plans of all sessions of a runtime.
#[derive(Debug, Default)]
pub(crate) struct PlanStore(Mutex<Store>);

#[derive(Debug, Default)]
struct Store {
    /// By session and statement.
    sessions: HashMap<u64, HashMap<String, Plan>>,
    /// How many there are.
    count: usize,
    /// Goes up with each use.
    clock: u64,
    /// Goes up with each session.
    opened: u64,
}

#[derive(Debug)]
struct Plan {
    /// The lake as the plan saw it.
    view: String,
    plan: Arc<LogicalPlan>,
    used: u64,
}

impl PlanStore {
    /// A place for the plans of one session.
    pub(super) fn open(self: &Arc<Self>) -> Plans {
        let mut store = self.lock();
        store.opened += 1;
        Plans { store: Arc::clone(self), session: store.opened, changes: Mutex::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn forget(&mut self, session: u64) {
        let gone = self.sessions.remove(&session);
        self.count -= gone.map_or(0, |plans| plans.len());
    }

    /// Takes out what was not used for longest, of one session or of all.
    fn evict(&mut self, of: Option<u64>) {
        let sessions = self.sessions.iter().filter(|(session, _)| of.is_none_or(|of| of == **session));
        let oldest = sessions
            .flat_map(|(session, plans)| plans.iter().map(|(sql, plan)| (plan.used, *session, sql)))
            .min_by_key(|(used, ..)| *used)
            .map(|(_, session, sql)| (session, sql.clone()));
        if let Some((session, sql)) = oldest
            && let Some(plans) = self.sessions.get_mut(&session)
            && plans.remove(&sql).is_some()
        {
            self.count -= 1;
            if plans.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }
}

/// The plans of one session; they go with it.
#[derive(Debug)]
pub(super) struct Plans {
    store: Arc<PlanStore>,
    session: u64,
    /// Counts what changed the session, so that a plan made before a change is not kept after it.
    changes: Mutex<u64>,
}

impl Plans {
    /// The optimised plan of a statement over the same lake, and the count of changes to give to [`Plans::keep`].
    pub(super) fn find(&self, sql: &str, view: &str) -> (Option<Arc<LogicalPlan>>, u64) {
        let changes = *self.changes();
        let mut store = self.store.lock();
        store.clock += 1;
        let clock = store.clock;
        let plan = store.sessions.get_mut(&self.session).and_then(|plans| plans.get_mut(sql));
        let found = plan.filter(|plan| plan.view == view).map(|plan| {
            plan.used = clock;
            Arc::clone(&plan.plan)
        });
        (found, changes)
    }

    /// Keeps a plan unless the session changed since `changes` was read.
    pub(super) fn keep(&self, sql: &str, view: &str, plan: &Arc<LogicalPlan>, changes: u64) {
        let now = self.changes();
        if *now != changes || sql.len() > LONGEST {
            return;
        }
        let mut store = self.store.lock();
        store.clock += 1;
        let plan = Plan { view: view.to_owned(), plan: Arc::clone(plan), used: store.clock };
        let plans = store.sessions.entry(self.session).or_default();
        let is_new = plans.insert(sql.to_owned(), plan).is_none();
        let own = plans.len();
        store.count += usize::from(is_new);
        if own > KEPT {
            store.evict(Some(self.session));
        } else if store.count > ALL {
            store.evict(None);
        }
    }

    /// Forgets all: a setting or a table of the session changed.
    pub(super) fn clear(&self) {
        let mut changes = self.changes();
        *changes += 1;
        self.store.lock().forget(self.session);
    }

    fn changes(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Plans {
    fn drop(&mut self) {
        self.store.lock().forget(self.session);
    }
}

/// Whether the plan, not yet optimised, gives the same answer whenever it runs:
/// it reads tables of the lake only and calls nothing like `now()` or `random()`.
pub(super) fn repeatable(plan: &LogicalPlan) -> Result<bool, DataFusionError> {
    let mut steady = true;
    plan.apply_with_subqueries(|node| {
        steady &= match node {
            LogicalPlan::TableScan(scan) => {
                source_as_provider(&scan.source).is_ok_and(|p| p.downcast_ref::<LakeTable>().is_some())
            }
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::Statement(_) => false,
            _ => true,
        };
        node.apply_expressions(|e| {
            e.apply(|e| {
                steady &= match e {
                    Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
                    Expr::Placeholder(_) | Expr::ScalarVariable(..) => false,
                    _ => true,
                };
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(if steady { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(steady)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Arc<LogicalPlan> {
        Arc::new(LogicalPlan::default())
    }

    #[test]
    fn a_session_keeps_so_many_and_all_so_many() {
        let store = Arc::new(PlanStore::default());
        let first = store.open();
        for statement in 0..=KEPT {
            first.keep(&format!("select {statement}"), "lake", &nothing(), 0);
            assert!(first.find("select 1", "lake").0.is_some() || statement == 0);
        }
        assert_eq!(store.lock().count, KEPT);
        assert!(first.find("select 0", "lake").0.is_none(), "the one unused for longest goes");
        assert!(first.find("select 2", "other").0.is_none(), "another lake has other plans");
        let others: Vec<Plans> = (0..ALL / KEPT).map(|_| store.open()).collect();
        for other in &others {
            (0..KEPT).for_each(|statement| other.keep(&format!("select {statement}"), "lake", &nothing(), 0));
        }
        assert_eq!(store.lock().count, ALL);
        assert!(first.find("select 1", "lake").0.is_none(), "nobody asked for those of the first for longest");
        drop(others);
        assert_eq!(store.lock().count, 0);
    }

    #[test]
    fn changes_forget() {
        let store = Arc::new(PlanStore::default());
        let plans = store.open();
        let (_, before) = plans.find("select 1", "lake");
        plans.keep("select 1", "lake", &nothing(), before);
        plans.clear();
        assert!(plans.find("select 1", "lake").0.is_none());
        plans.keep("select 1", "lake", &nothing(), before);
        assert!(plans.find("select 1", "lake").0.is_none(), "made before the change");
    }
}
