//! Whole rows as values: `row_to_json(t)` of a query that names its columns.

use std::collections::HashMap;
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{Expr, Ident, Select, SelectItem, SetExpr, TableFactor, VisitMut, VisitorMut};

use super::build::{self, called};
use super::scope;

/// Functions that make JSON of a row.
const FUNCTIONS: [&str; 4] = ["row_to_json", "to_json", "to_jsonb", "row_to_jsonb"];

/// Writes out the columns of a row of which JSON is made, where they are known.
pub(super) fn to_json(select: &mut Select) {
    let columns: HashMap<String, Vec<Ident>> = scope::factors(&select.from).filter_map(columns).collect();
    if !columns.is_empty() {
        let _ = select.projection.visit(&mut Records { columns });
    }
}

fn columns(factor: &TableFactor) -> Option<(String, Vec<Ident>)> {
    let TableFactor::Derived { subquery, alias: Some(alias), .. } = factor else { return None };
    let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(ident.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().cloned(),
        _ => None,
    };
    let names = select.projection.iter().map(name).collect::<Option<Vec<_>>>()?;
    Some((build::folded(&alias.name), names))
}

struct Records {
    columns: HashMap<String, Vec<Ident>>,
}

impl VisitorMut for Records {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Some((function, arguments)) = called(expr) else { return ControlFlow::Continue(()) };
        if let [Expr::Identifier(record)] = arguments.as_slice()
            && FUNCTIONS.contains(&function.as_str())
            && let Some(columns) = self.columns.get(&build::folded(record))
        {
            let pairs = columns.iter().flat_map(|column| {
                let value = Expr::CompoundIdentifier(vec![(*record).clone(), column.clone()]);
                [build::text(&build::folded(column)), value]
            });
            *expr = build::call("json_build_object", pairs.collect());
        }
        ControlFlow::Continue(())
    }
}
