//! Optimised plans of statements a session runs again.
//!
//! Dashboards and scripts repeat a statement over a lake that has not changed.
//! Analysis and optimisation are a third of the time of a mart (7 of 22 ms for
//! `remittance_vs_oda_by_group`), so their result is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::DataFusionError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use crate::catalogue::LakeTable;

/// Statements whose plan is kept; the one unused for longest goes first.
const KEPT: usize = 64;
/// Longer statements are written by programs and seldom come twice.
const LONGEST: usize = 16 << 10;

/// The plans of one session.
#[derive(Debug, Default)]
pub(super) struct Plans(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Newest use first.
    plans: VecDeque<Plan>,
    /// Counts what changed the session, so that a plan made before a change is not kept after it.
    changes: u64,
}

#[derive(Debug)]
struct Plan {
    sql: String,
    /// The lake as the plan saw it.
    view: String,
    plan: Arc<LogicalPlan>,
}

impl Plans {
    /// The optimised plan of a statement over the same lake, and the count of changes to give to [`Plans::keep`].
    pub(super) fn find(&self, sql: &str, view: &str) -> (Option<Arc<LogicalPlan>>, u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.plans.iter().position(|p| p.sql == sql && p.view == view);
        let plan = place.and_then(|p| kept.plans.remove(p));
        let found = plan.as_ref().map(|p| Arc::clone(&p.plan));
        if let Some(plan) = plan {
            kept.plans.push_front(plan);
        }
        (found, kept.changes)
    }

    /// Keeps a plan unless the session changed since `changes` was read.
    pub(super) fn keep(&self, sql: &str, view: &str, plan: &Arc<LogicalPlan>, changes: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.changes != changes || sql.len() > LONGEST {
            return;
        }
        kept.plans.push_front(Plan { sql: sql.to_owned(), view: view.to_owned(), plan: Arc::clone(plan) });
        kept.plans.truncate(KEPT);
    }

    /// Forgets all: a setting or a table of the session changed.
    pub(super) fn clear(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.plans.clear();
        kept.changes += 1;
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
