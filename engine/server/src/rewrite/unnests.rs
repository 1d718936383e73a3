//! `unnest(c.conkey)` beside the relation that it unnests a column of.
//!
//! The engine unnests in a select list. So the relation becomes a query that selects its elements too, each by the
//! name of its relation and column, and what named them names those.

use std::collections::HashMap;
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, OrderBy, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use super::build::{self, all_of};
use super::functions::unnest;
use super::scope;
use super::subqueries::plain;

/// Rewrites such functions of a query's selects, one after another until there is none.
pub(super) fn beside(query: &mut Query) {
    let order = &mut query.order_by;
    in_body(&mut query.body, order);
}

fn in_body(body: &mut SetExpr, order: &mut Option<OrderBy>) {
    const MOST: usize = 8;
    match body {
        SetExpr::Select(select) => {
            for _ in 0..MOST {
                if !one(select, order) {
                    return;
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left, &mut None);
            in_body(right, &mut None);
        }
        _ => {}
    }
}

/// A function in FROM: where it is, and what it is made of.
struct Found {
    /// Place of the item of FROM, and of the join in it; `None` for the item itself.
    place: (usize, Option<usize>),
    alias: String,
    arrays: Vec<Expr>,
    columns: Vec<String>,
    /// Name of the column that numbers the elements.
    ordinality: Option<String>,
    owner: String,
    /// Whether rows without elements stay.
    outer: bool,
}

fn one(select: &mut Select, order: &mut Option<OrderBy>) -> bool {
    let Some(found) = find(select) else { return false };
    let Some(replaced) = owner(select, &found.owner).and_then(|factor| extended(factor, &found)) else { return false };
    if let Some(factor) = owner(select, &found.owner) {
        *factor = replaced;
    }
    remove(select, &found);
    let names = names(&found);
    let mut renamed = Renamed { names: &names, alias: &found.alias, owner: &found.owner };
    let _ = select.visit(&mut renamed);
    let _ = order.visit(&mut renamed);
    true
}

fn find(select: &Select) -> Option<Found> {
    for (number, table) in select.from.iter().enumerate() {
        if number > 0
            && table.joins.is_empty()
            && let Some(found) = of_factor(select, &table.relation, (number, None), false)
        {
            return Some(found);
        }
        for (join, joined) in table.joins.iter().enumerate() {
            let outer = match &joined.join_operator {
                JoinOperator::CrossJoin(_) => false,
                JoinOperator::Join(on) | JoinOperator::Inner(on) if always(on) => false,
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) if always(on) => true,
                _ => continue,
            };
            if let Some(found) = of_factor(select, &joined.relation, (number, Some(join)), outer) {
                return Some(found);
            }
        }
    }
    None
}

fn always(constraint: &JoinConstraint) -> bool {
    match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(condition) => {
            let text = condition.to_string();
            text.eq_ignore_ascii_case("true") || build::literal(condition) == Some("t")
        }
        _ => false,
    }
}

fn of_factor(select: &Select, factor: &TableFactor, place: (usize, Option<usize>), outer: bool) -> Option<Found> {
    let TableFactor::UNNEST { alias: Some(alias), array_exprs, with_ordinality, .. } = factor else { return None };
    let mut columns: Vec<String> = alias.columns.iter().map(|c| build::folded(&c.name)).collect();
    if columns.is_empty() || (columns.len() == 1 && *with_ordinality) {
        columns = vec![columns.pop().unwrap_or_else(|| build::folded(&alias.name)), "ordinality".to_owned()];
    }
    let ordinality = columns.get(array_exprs.len()).cloned().filter(|_| *with_ordinality);
    columns.truncate(array_exprs.len());
    let owners = array_exprs.iter().map(|a| owner_of(select, a)).collect::<Option<Vec<_>>>()?;
    let owner = owners.first()?.clone();
    if columns.len() != array_exprs.len() || owners.iter().any(|o| *o != owner) {
        return None;
    }
    let alias = build::folded(&alias.name);
    Some(Found { place, alias, arrays: array_exprs.clone(), columns, ordinality, owner, outer })
}

/// The relation whose column an array is; without its name, the one of the catalogue that has such a column.
fn owner_of(select: &Select, array: &Expr) -> Option<String> {
    match array {
        Expr::CompoundIdentifier(parts) => scope::qualifier(parts),
        Expr::Identifier(column) => scope::factors(&select.from).find_map(|factor| {
            let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
            let [.., schema, table] = &*build::parts(name) else { return None };
            let schema = crate::catalogue::columns(schema, table)?;
            schema.column_with_name(&build::folded(column))?;
            Some(alias.as_ref().map_or_else(|| table.clone(), |a| build::folded(&a.name)))
        }),
        _ => None,
    }
}

fn owner<'a>(select: &'a mut Select, name: &str) -> Option<&'a mut TableFactor> {
    let factors = select.from.iter_mut().flat_map(|t| {
        let TableWithJoins { relation, joins } = t;
        std::iter::once(relation).chain(joins.iter_mut().map(|j: &mut Join| &mut j.relation))
    });
    factors.into_iter().find(|factor| match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            build::folded(&alias.name) == name
        }
        TableFactor::Table { name: own, .. } => build::last(own) == name,
        _ => false,
    })
}

fn element(found: &Found, column: &str) -> Ident {
    Ident::with_quote('"', format!("{}.{column}", found.alias))
}

/// The relation with the elements as columns beside its own.
fn extended(factor: &TableFactor, found: &Found) -> Option<TableFactor> {
    let owner = Ident::with_quote('"', found.owner.clone());
    let whole =
        SelectItemQualifiedWildcardKind::ObjectName(ObjectName(vec![ObjectNamePart::Identifier(owner.clone())]));
    let mut projection = vec![SelectItem::QualifiedWildcard(whole, WildcardAdditionalOptions::default())];
    for (array, column) in found.arrays.iter().zip(&found.columns) {
        projection.push(SelectItem::ExprWithAlias { expr: unnest(array.clone()), alias: element(found, column) });
    }
    if let Some(ordinality) = &found.ordinality {
        let longest = build::call("envoi_numbers", found.arrays.first().cloned().into_iter().collect());
        projection.push(SelectItem::ExprWithAlias { expr: unnest(longest), alias: element(found, ordinality) });
    }
    let filled = found.arrays.iter().map(|a| Expr::IsNotNull(Box::new(a.clone()))).collect();
    let selection = if found.outer { None } else { all_of(filled) };
    let mut factor = factor.clone();
    if let TableFactor::Table { alias, name, .. } = &mut factor
        && alias.is_none()
        && build::last(name) != found.owner
    {
        return None;
    }
    let mut query = super::build::select_from(factor)?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = projection;
        select.selection = selection;
    }
    let subquery = Box::new(plain(query.body));
    let alias = TableAlias { explicit: true, name: owner, columns: Vec::new(), at: None };
    Some(TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None })
}

fn remove(select: &mut Select, found: &Found) {
    match found.place {
        (number, None) if number < select.from.len() => {
            select.from.remove(number);
        }
        (number, Some(join)) => {
            if let Some(table) = select.from.get_mut(number)
                && join < table.joins.len()
            {
                table.joins.remove(join);
            }
        }
        _ => {}
    }
}

fn names(found: &Found) -> HashMap<String, Ident> {
    let all = found.columns.iter().chain(&found.ordinality);
    all.map(|column| (column.clone(), element(found, column))).collect()
}

struct Renamed<'a> {
    names: &'a HashMap<String, Ident>,
    alias: &'a str,
    owner: &'a str,
}

impl VisitorMut for Renamed<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            // What is selected keeps its name.
            if let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) = item
                && scope::qualifier(parts).as_deref() == Some(self.alias)
                && let Some(alias) = parts.last().cloned()
            {
                *item = SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts.clone()), alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let named = match expr {
            Expr::CompoundIdentifier(parts) if scope::qualifier(parts).as_deref() == Some(self.alias) => {
                parts.last().and_then(|c| self.names.get(&build::folded(c)))
            }
            // `unnest(a) x` names the column by the relation's name.
            Expr::Identifier(ident) if build::folded(ident) == self.alias => self.names.get(self.alias),
            _ => None,
        };
        if let Some(element) = named {
            *expr = Expr::CompoundIdentifier(vec![Ident::with_quote('"', self.owner), element.clone()]);
        }
        ControlFlow::Continue(())
    }
}
