//! The gate: statements of a role are refused by their logical plan, not by their text.
//!
//! What is not on the list is refused: a new kind of node, or statement, is none that a
//! reader may use until somebody has thought about it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::source_as_provider;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Aggregate, Expr, Filter, LogicalPlan, Prepare, Statement, TableScan};

use super::barrier::Barrier;
use super::grants::Grants;
use super::node::{Disclosed, HouseholdRows};
use super::rule::{Author, Rule, microdata, without_grouping};
use super::{Notes, RoleState};
use crate::catalogue::{CATALOGUE, LakeTable, SurfaceTable};
use crate::error::{Class, Error};
use crate::operators::is_computed;
use crate::shared::unshared;

type Result<T> = std::result::Result<T, DataFusionError>;

/// Settings that a reader may change, for its own session.
const SETTINGS: &str = "envoi.";

/// Admits the statements of a role.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    role: Arc<RoleState>,
}

impl Gate {
    pub(crate) fn new(role: &super::Role) -> Self {
        Self { role: Arc::clone(&role.0) }
    }

    /// What of the lake there is for the role; `None`: everything.
    pub(crate) fn grants(&self) -> Option<Arc<Grants>> {
        (!self.role.grants.is_everything()).then(|| Arc::clone(&self.role.grants))
    }

    /// The statement as it may run, or why it may not.
    ///
    /// # Errors
    /// `Class::User`: what is refused and what would work. `Class::Resource`: a budget is used up.
    pub(crate) fn admit(&self, plan: LogicalPlan, notes: &Notes) -> Result<LogicalPlan> {
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
        // The engine's own list says only what, not to whom.
        options.verify_plan(&plan).map_err(|_| refused(&statement(&plan)))?;
        let plan = unshared(plan)?;
        self.nodes(&plan)?;
        match plan {
            LogicalPlan::Statement(Statement::Prepare(prepare)) => {
                let input = Arc::new(self.released(Arc::unwrap_or_clone(prepare.input), notes)?);
                Ok(LogicalPlan::Statement(Statement::Prepare(Prepare { input, ..prepare })))
            }
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) if reads_microdata(&plan)? => {
                self.role.record("outcome=refused reason=explain", "");
                Err(Error::user(
                    "how a query over households runs tells of them: rows, pruned files and times are not shown",
                )
                .with_hint("run it without EXPLAIN")
                .into())
            }
            LogicalPlan::Analyze(_) if keeps_rows(&plan)? => {
                Err(Error::user("how a query ran tells of rows that are kept from you, by their number and time")
                    .with_hint("EXPLAIN without ANALYZE shows the plan")
                    .into())
            }
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::Statement(_) => Ok(plan),
            plan => self.released(plan, notes),
        }
    }

    /// Makes a mart safe, once, when it is planned.
    pub(crate) fn mart(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if !reads_microdata(&plan)? {
            return Ok(plan);
        }
        Rule::new(&self.role, &Notes::default(), Author::Program).mart(without_grouping(unshared(plan)?)?)
    }

    /// Counts a statement about to run, prepared ones too.
    ///
    /// # Errors
    /// The role's budgets.
    pub(crate) fn charge(&self, plan: &LogicalPlan) -> Result<()> {
        if !is_disclosed(plan)? {
            return Ok(());
        }
        let shape = shape_of(plan);
        let print = |text: &str| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            hasher.finish()
        };
        let rules = &self.role.rules;
        let (admitted, failures) = {
            let mut memory = self.role.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let whole = print(&plan.display_indent().to_string());
            (memory.admits(print(&shape), whole, rules.near_same_queries), memory.failures)
        };
        let spent = |what: String, reason: &str| {
            self.role.record(&format!("outcome=refused reason={reason}"), &shape);
            let error = Error::new(Class::Resource, format!("role `{}` {what}", self.role.name));
            Err(error.with_hint("ask what was asked before, or ask the owner").into())
        };
        if !admitted {
            let most = rules.near_same_queries;
            return spent(
                format!("has asked {most} queries over households that differ in their literals only, the most it may"),
                "near_same",
            );
        }
        if failures >= rules.failures {
            return spent(
                format!("has had {failures} queries over households fail while they ran, the most it may"),
                "failures",
            );
        }
        Ok(())
    }

    /// Takes what an error tells of rows out of it.
    pub(crate) fn failed(&self, error: Error) -> Error {
        match error.class() {
            Class::Cancelled => error,
            // A limit of ours names itself.
            Class::Resource => error,
            _ => {
                self.role.failed();
                Error::user("the query over households failed for some of them; which, and why, is not shown")
                    .with_hint("amounts may be zero, negative or NULL: filter with `> 0` or `is not null`, or use another measure")
            }
        }
    }

    fn released(&self, plan: LogicalPlan, notes: &Notes) -> Result<LogicalPlan> {
        if !reads_microdata(&plan)? {
            return Ok(plan);
        }
        let shape = shape_of(&plan);
        Rule::new(&self.role, notes, Author::Reader).released(without_grouping(plan)?).inspect_err(|_| {
            self.role.record("outcome=refused reason=rule", &shape);
        })
    }

    /// Every node of the plan, those of queries in expressions too.
    fn nodes(&self, plan: &LogicalPlan) -> Result<()> {
        plan.apply_with_subqueries(|node| {
            match node {
                LogicalPlan::Projection(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Union(_)
                | LogicalPlan::EmptyRelation(_)
                | LogicalPlan::Subquery(_)
                | LogicalPlan::SubqueryAlias(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Values(_)
                | LogicalPlan::Explain(_)
                | LogicalPlan::Analyze(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::DescribeTable(_)
                | LogicalPlan::Unnest(_)
                | LogicalPlan::RecursiveQuery(_)
                | LogicalPlan::Repartition(_) => {}
                LogicalPlan::Filter(filter) => {
                    if let LogicalPlan::TableScan(scan) = filter.input.as_ref()
                        && is_settings(scan)
                        && is_one_setting(filter)
                    {
                        return Ok(TreeNodeRecursion::Jump);
                    }
                }
                LogicalPlan::TableScan(scan) => self.table(scan)?,
                LogicalPlan::Statement(statement) => set(statement)?,
                LogicalPlan::Extension(extension) => {
                    let any = extension.node.as_any();
                    let ours = any.is::<Disclosed>() || any.is::<HouseholdRows>() || any.is::<Barrier>();
                    if !ours && !is_computed(extension.node.as_ref()) {
                        return Err(refused(extension.node.name()).into());
                    }
                }
                other => return Err(refused(&statement(other)).into()),
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }

    /// A table of the catalogue, or rows that a function makes.
    fn table(&self, scan: &TableScan) -> Result<()> {
        let name = &scan.table_name;
        let lake = source_as_provider(&scan.source).is_ok_and(|p| p.downcast_ref::<LakeTable>().is_some());
        let of_query = source_as_provider(&scan.source).is_ok_and(|p| p.downcast_ref::<CteWorkTable>().is_some());
        let of_engine = matches!((name.catalog(), name.schema()), (Some(CATALOGUE) | None, Some("information_schema")));
        let of_manifest = name.table().split('@').next() == Some("source");
        let of_protocol = source_as_provider(&scan.source).is_ok_and(|p| p.downcast_ref::<SurfaceTable>().is_some());
        let series = ["generate_series", "range"].contains(&name.table().trim_end_matches("()"));
        match () {
            () if of_protocol => Ok(()),
            () if is_settings(scan) => {
                Err(Error::user("readers see settings of `envoi` only").with_hint("`show envoi.as_of`").into())
            }
            () if lake || of_query || of_engine || of_manifest || series => Ok(()),
            () => Err(Error::user(format!("table `{name}` is not one that readers may use")).into()),
        }
    }
}

/// `information_schema.df_settings`, which names folders of the server.
fn is_settings(scan: &TableScan) -> bool {
    scan.table_name.schema() == Some("information_schema") && scan.table_name.table() == "df_settings"
}

/// `SHOW envoi.as_of`.
fn is_one_setting(filter: &Filter) -> bool {
    let Expr::BinaryExpr(binary) = &filter.predicate else { return false };
    let names = |text: &str| text.starts_with(SETTINGS);
    let literal = match binary.right.as_ref() {
        Expr::Literal(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)), _) => names(text),
        _ => false,
    };
    let name = matches!(binary.left.as_ref(), Expr::Column(c) if c.name() == "name");
    binary.op == datafusion::logical_expr::Operator::Eq && name && literal
}

fn set(statement: &Statement) -> Result<()> {
    let setting = match statement {
        Statement::SetVariable(set) => &set.variable,
        Statement::ResetVariable(reset) => &reset.variable,
        Statement::Prepare(_) | Statement::Execute(_) | Statement::Deallocate(_) => return Ok(()),
        other => return Err(refused(other.name()).into()),
    };
    if setting.to_lowercase().starts_with(SETTINGS) {
        return Ok(());
    }
    Err(Error::user(format!("setting `{setting}` is not one that readers may change"))
        .with_hint("they may set those of `envoi`, such as `envoi.as_of`")
        .into())
}

fn refused(what: &str) -> Error {
    Error::user(format!("readers may not run {what}"))
        .with_hint("they may SELECT, EXPLAIN, SHOW and SET settings of `envoi`, PREPARE and EXECUTE")
}

/// What a plan does, as users write it.
fn statement(plan: &LogicalPlan) -> String {
    let mut found = String::new();
    // The node that is not allowed may be below an EXPLAIN.
    let _ = plan.apply(|node| {
        found = match node {
            LogicalPlan::Ddl(ddl) => ddl.name().to_owned(),
            LogicalPlan::Dml(dml) => dml.op.to_string(),
            LogicalPlan::Copy(_) => "COPY".to_owned(),
            LogicalPlan::Statement(statement) => statement.name().to_owned(),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Ok(TreeNodeRecursion::Stop)
    });
    if found.is_empty() { "this statement".to_owned() } else { format!("`{found}`") }
}

/// Whether a table of microdata is anywhere in the plan.
pub(crate) fn reads_microdata(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= match node {
            LogicalPlan::TableScan(scan) => microdata(scan).is_some(),
            LogicalPlan::Extension(e) => e.node.as_any().is::<Disclosed>() || e.node.as_any().is::<HouseholdRows>(),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether rows of a table or mart in the plan are kept from the role.
fn keeps_rows(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= match node {
            LogicalPlan::TableScan(scan) => source_as_provider(&scan.source)
                .is_ok_and(|p| p.downcast_ref::<LakeTable>().is_some_and(LakeTable::keeps_rows)),
            LogicalPlan::Extension(e) => e.node.as_any().is::<Barrier>(),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn is_disclosed(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::Extension(e) if e.node.as_any().is::<Disclosed>());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A plan without its literals: what queries have in common that differ in them only.
fn shape_of(plan: &LogicalPlan) -> String {
    without_literals(&plan.display_indent().to_string())
}

/// An aggregate without its literals, for the audit log.
pub(super) fn shape(aggregate: &Aggregate) -> String {
    let text = |all: &[Expr]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    without_literals(&format!("{} by {}", text(&aggregate.aggr_expr), text(&aggregate.group_expr)))
}

/// Numbers and quoted texts become `?`; a new name for a column makes no other query.
fn without_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' {
            while let Some(inside) = chars.next() {
                match inside {
                    '\\' => drop(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
            out.push('?');
        } else if c.is_ascii_digit() {
            while chars.peek().is_some_and(|c| c.is_ascii_digit() || *c == '.') {
                chars.next();
            }
            out.push('?');
        } else {
            out.push(c);
        }
        if out.ends_with(" AS ") {
            out.truncate(out.len() - 4);
            while chars.peek().is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                chars.next();
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_literals;

    #[test]
    fn literals_make_no_other_shape() {
        let shape = without_literals("Filter: h.region = Utf8(\"a\\\"b\") AND x > Float64(-1.5) AS total, y");
        assert_eq!(shape, "Filter: h.region = Utf?(?) AND x > Float?(-?), y");
    }
}
