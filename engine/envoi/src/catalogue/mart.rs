//! Schema `mart`: views of the SQL library, planned when first named.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::FieldRef;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::{TableType, ViewTable};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::VisitMut;
use envoi_lake::tables::{DESCRIPTION, UNIT};

use super::edition::{self, AllAt, Edition};
use super::functions::{mart_name, mart_query};
use super::granted::{self, Named, Within};
use super::lake::LakeView;
use super::lake_table::PROVENANCE;
use super::view::StateHandle;
use crate::error::Error;
use crate::library::{Mart, mart, marts};
use crate::privacy::Gate;
use crate::session::{parsed, statement};

/// The schema. Plans are kept for as long as the session sees the same lake.
#[derive(Debug)]
pub(crate) struct MartSchema {
    pub(crate) state: Arc<StateHandle>,
    pub(crate) view: Arc<LakeView>,
    pub(crate) plans: Mutex<HashMap<(String, String), Arc<dyn TableProvider>>>,
    /// Of a session that is not the owner's: marts over microdata are made safe.
    pub(crate) gate: Option<Gate>,
    /// Of a role that there is not everything for.
    pub(crate) grants: Option<Named>,
    /// Where the tables of its queries are sought; `None`: where the session's are.
    pub(crate) within: Option<Within>,
}

impl MartSchema {
    async fn planned(
        &self,
        state: &SessionState,
        sql: &str,
        edition: Option<Edition>,
    ) -> Result<LogicalPlan, DataFusionError> {
        let mut statement = statement(state, sql)?;
        if let (Some(edition), Statement::Statement(query)) = (edition, &mut statement)
            && let ControlFlow::Break(error) = query.visit(&mut AllAt(edition))
        {
            return Err(error.into());
        }
        state.statement_to_plan(statement).await
    }

    /// A mart is part of the program; that it cannot be planned is a bug, or a column that is kept from a role.
    fn unplanned(&self, mart: &Mart, name: &str, error: &Error) -> Error {
        let kept = self.grants.as_ref().and_then(|grants| granted::without_columns(&mart.name, &grants.of, error));
        kept.unwrap_or_else(|| Error::internal(format!("mart `{name}`: {error}")))
    }
}

#[async_trait::async_trait]
impl SchemaProvider for MartSchema {
    fn table_names(&self) -> Vec<String> {
        let shown = |m: &&Mart| self.grants.as_ref().is_none_or(|grants| grants.shows("mart", &m.name));
        marts().map(|all| all.iter().filter(shown).map(|m| m.name.clone()).collect()).unwrap_or_default()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let (base, edition) = edition::split(name);
        let Some(mart) = mart(mart_name(base))? else { return Ok(None) };
        if let Some(grants) = &self.grants {
            grants.check("mart", &mart.name)?;
        }
        let key = (name.to_owned(), self.view.key());
        if let Some(known) = self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let mut state = self.state.state()?;
        if let Some(within) = &self.within {
            within.over(&mut state);
        }
        let sql = mart_query(mart, base, &self.state.options().conventions, |sql| parsed(&state, sql))?;
        let plan = self
            .planned(&state, &sql, edition)
            .await
            .map_err(|e| self.unplanned(mart, name, &Error::from_datafusion(&e, &sql)))?;
        let plan = documented(plan, mart)?;
        let plan = match &self.gate {
            Some(gate) => gate.mart(plan)?,
            None => plan,
        };
        let plan = match self.grants.as_ref().and_then(|grants| grants.of.of("mart", &mart.name)) {
            Some(kept) => granted::kept(plan, &kept, &state)?,
            None => plan,
        };
        let view: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, Some(sql)));
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        // What the session saw before is not asked for again.
        plans.retain(|(_, seen), _| *seen == key.1);
        plans.insert(key, Arc::clone(&view));
        Ok(Some(view))
    }

    fn table_exist(&self, name: &str) -> bool {
        mart(mart_name(edition::split(name).0)).is_ok_and(|m| m.is_some())
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>, DataFusionError> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }
}

/// Lays unit and description of each column over the plan as field metadata.
/// The TOML and the query must have the same columns in the same order.
fn documented(plan: LogicalPlan, mart: &Mart) -> Result<LogicalPlan, DataFusionError> {
    let schema = Arc::clone(plan.schema());
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let written: Vec<&str> = mart.meta.column.iter().map(|c| c.name.as_str()).collect();
    if names != written {
        return Err(
            Error::internal(format!("mart `{}` has columns {names:?}, its TOML says {written:?}", mart.name)).into()
        );
    }
    let provenance = provenance(&plan)?;
    let columns: Vec<Expr> = schema
        .iter()
        .zip(&mart.meta.column)
        .map(|((qualifier, field), column)| {
            let field: &FieldRef = field;
            let mut metadata = field.metadata().clone();
            metadata.insert(DESCRIPTION.to_owned(), column.description.clone());
            metadata.remove(UNIT);
            if let Some(unit) = &column.unit {
                metadata.insert(UNIT.to_owned(), unit.clone());
                metadata.extend(provenance.clone());
            }
            Expr::from((qualifier, field)).alias_with_metadata(field.name(), Some(FieldMetadata::from(metadata)))
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Sources, licences and caveats of all tables below a plan: an aggregate or a
/// ratio forgets those of its arguments.
fn provenance(plan: &LogicalPlan) -> Result<HashMap<String, String>, DataFusionError> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            for field in scan.source.schema().fields() {
                for key in PROVENANCE {
                    let texts = field.metadata().get(key).into_iter().flat_map(|t| t.split("; ")).map(str::to_owned);
                    found.entry(key).or_default().extend(texts);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let joined =
        |(key, texts): (&str, BTreeSet<String>)| (key.to_owned(), texts.into_iter().collect::<Vec<_>>().join("; "));
    Ok(found.into_iter().filter(|(_, texts)| !texts.is_empty()).map(joined).collect())
}
