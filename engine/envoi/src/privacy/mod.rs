//! Disclosure control: what somebody who is not the owner may learn of households.
//!
//! ```text
//! statement -> gate: deny by default, by the nodes of its logical plan
//!           -> rule: a table of microdata must be aggregated; every aggregate over it gets
//!                    a hidden column, and a node above that sees whole answers
//!           -> node: cells that rest on too few households, or on one, become NULL;
//!                    so do those that would give them away by subtraction
//! ```
//! What lies above that node sees nothing but what was released: HAVING, ORDER BY, LIMIT,
//! joins and windows over released cells tell no more than the cells do. Below it only
//! expressions are allowed of which it is known what they can tell (`class`). What cannot
//! be made safe is refused, with the reason. `docs/privacy.md` states the rules for users.

mod barrier;
mod calls;
mod cell;
mod class;
mod gate;
mod grants;
mod measures;
mod memory;
mod node;
mod owner;
mod rule;
mod suppress;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use barrier::{Barrier, BarrierExec, Barriers};
pub(crate) use gate::{Gate, reads_microdata};
pub use grants::Grants;
pub(crate) use grants::Kept;
pub(crate) use node::Nodes;
pub(crate) use owner::watched;

use memory::Memory;

use crate::error::Error;

/// When a cell of microdata may be shown. One for each role.
#[derive(Debug, Clone, PartialEq)]
pub struct DisclosureRules {
    /// Distinct households that a cell needs, of those that contribute to it. At least 2.
    pub min_households: u64,
    /// The most that one household may contribute to a sum, as a share of it from 0 to 1.
    pub max_share: f64,
    /// Extremes, medians and quantiles need `min_households` times this many.
    pub order_factor: u64,
    /// Statements of one form over microdata that differ in their literals only.
    pub near_same_queries: usize,
    /// Sets of households that a role may see cells of, over all its statements; those that
    /// follow from others by adding and subtracting count for nothing.
    pub cells: usize,
    /// Statements over microdata that may fail while they run: a failure tells of rows.
    pub failures: u32,
}

impl Default for DisclosureRules {
    fn default() -> Self {
        Self { min_households: 10, max_share: 0.5, order_factor: 3, near_same_queries: 100, cells: 1_000, failures: 5 }
    }
}

/// Takes the line that is written for every statement over microdata: one line of
/// `key=value`, literals replaced by `?`, control characters escaped.
pub trait Audit: Debug + Send + Sync {
    /// Writes a line, without blocking for long.
    fn record(&self, line: &str);
}

/// Somebody who is not the owner: an analyst, a BI tool. Clones share one memory of what was
/// asked, so every session of a role must be made of clones of one value.
#[derive(Clone)]
pub struct Role(pub(crate) Arc<RoleState>);

impl Role {
    /// A role with its rules and nothing asked yet.
    ///
    /// # Errors
    /// Rules that protect nobody: fewer than 2 households, a share that is not within 0 to 1, a factor of 0.
    pub fn new(name: impl Into<String>, rules: DisclosureRules) -> crate::Result<Self> {
        Self::audited(name, rules, None)
    }

    /// A role whose statements over microdata are written to an audit log.
    ///
    /// # Errors
    /// As [`Role::new`].
    pub fn audited(
        name: impl Into<String>,
        rules: DisclosureRules,
        audit: Option<Arc<dyn Audit>>,
    ) -> crate::Result<Self> {
        let wrong = |what: String| Err(Error::user(format!("rules of disclosure: {what}")));
        if rules.min_households < 2 {
            return wrong(format!("`min_households` of {} protects nobody; expected 2 or more", rules.min_households));
        }
        if !(rules.max_share > 0.0 && rules.max_share <= 1.0) {
            return wrong(format!("`max_share` is {}; expected above 0, up to 1", rules.max_share));
        }
        if rules.order_factor == 0 {
            return wrong("`order_factor` is 0; expected 1 or more".to_owned());
        }
        let name = name.into();
        Ok(Self(Arc::new(RoleState { name, rules, grants: Arc::default(), memory: Mutex::default(), audit })))
    }

    /// The role, for which there is no more of the lake than is granted.
    ///
    /// What the grants name is looked at by [`SessionFactory::check`](crate::SessionFactory::check).
    #[must_use]
    pub fn with_grants(self, grants: Grants) -> Self {
        let RoleState { name, rules, audit, .. } = self.0.as_ref();
        let state = RoleState {
            name: name.clone(),
            rules: rules.clone(),
            grants: Arc::new(grants),
            memory: Mutex::default(),
            audit: audit.clone(),
        };
        Self(Arc::new(state))
    }

    /// The role's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

impl Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("name", &self.0.name).field("rules", &self.0.rules).finish_non_exhaustive()
    }
}

/// A role with what it has been told so far.
pub(crate) struct RoleState {
    pub(crate) name: String,
    pub(crate) rules: DisclosureRules,
    pub(crate) grants: Arc<Grants>,
    pub(crate) memory: Mutex<Memory>,
    audit: Option<Arc<dyn Audit>>,
}

impl Debug for RoleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleState").field("name", &self.name).finish_non_exhaustive()
    }
}

impl RoleState {
    /// Writes an audit line; `shape` is the statement's plan without its literals.
    pub(crate) fn record(&self, outcome: &str, shape: &str) {
        if let Some(audit) = &self.audit {
            let name: String = self.name.chars().flat_map(char::escape_default).collect();
            let shape: String = shape.chars().flat_map(char::escape_debug).collect();
            audit.record(&format!("microdata role={name} {outcome} shape={shape}"));
        }
    }

    /// Counts a statement that failed while it read households.
    pub(crate) fn failed(&self) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).failures += 1;
        self.record("outcome=failed", "");
    }
}

/// What a statement's nodes have to say to whoever asked, filled while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<BTreeSet<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(note);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
