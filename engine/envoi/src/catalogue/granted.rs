//! Schemas as they are for a role that there is not everything for.

use std::sync::{Arc, Weak};

use datafusion::catalog::CatalogProviderList;
use datafusion::common::DFSchema;
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, LogicalPlanBuilder};

use crate::error::{Error, Result};
use crate::privacy::{Barrier, Grants, Kept, reads_microdata};

/// Grants, and whether names are looked at: they are where the role writes them, and not in the
/// queries of marts.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) of: Arc<Grants>,
    pub(crate) written: bool,
}

impl Named {
    /// Whether a list of tables has it.
    pub(super) fn shows(&self, schema: &str, table: &str) -> bool {
        !self.written || self.of.allows(schema, table)
    }

    /// # Errors
    /// The table may not be named.
    pub(super) fn check(&self, schema: &str, table: &str) -> Result<()> {
        if self.written { self.of.check(schema, table) } else { Ok(()) }
    }
}

/// The catalogue that queries of marts and models are planned within, where that is not the session's.
#[derive(Debug, Clone)]
pub(crate) enum Within {
    /// Another one, in which names are not looked at.
    Other(Arc<dyn CatalogProviderList>),
    /// The one that the schema is part of: a mart that a mart reads is planned within the same.
    Itself(Weak<dyn CatalogProviderList>),
}

impl Within {
    /// The state with this catalogue in the place of its own.
    pub(super) fn over(&self, state: &mut SessionState) {
        let list = match self {
            Self::Other(list) => Some(Arc::clone(list)),
            Self::Itself(list) => list.upgrade(),
        };
        if let Some(list) = list {
            state.register_catalog_list(list);
        }
    }
}

/// The rows and columns of a mart that are kept for a role.
pub(super) fn kept(plan: LogicalPlan, kept: &Kept, state: &SessionState) -> Result<LogicalPlan, DataFusionError> {
    let schema: Arc<DFSchema> = Arc::clone(plan.schema());
    let mut plan = plan;
    if let Some(sql) = &kept.rows {
        let condition = state.create_logical_expr(sql, &schema)?;
        let microdata = reads_microdata(&plan)?;
        plan = LogicalPlanBuilder::from(plan).filter(condition)?.build()?;
        // What may be asked of households is looked at by itself, and must see the whole plan.
        if !microdata {
            plan = LogicalPlan::Extension(Extension { node: Arc::new(Barrier { input: plan }) });
        }
    }
    let there = schema.iter().filter(|(_, field)| !kept.denied.contains(field.name())).map(Expr::from);
    LogicalPlanBuilder::from(plan).project(there)?.build()
}

/// Why a mart cannot be planned for a role that columns are kept from.
pub(super) fn without_columns(mart: &str, grants: &Grants, error: &Error) -> Option<Error> {
    let message = error.message().to_lowercase();
    let column = grants.denied.iter().find_map(|(table, columns)| {
        let column = columns.iter().find(|column| message.contains(column.as_str()))?;
        Some(format!("{table}.{column}"))
    })?;
    Some(Error::user(format!("permission denied for table `mart.{mart}`: it reads column `{column}`")))
}
