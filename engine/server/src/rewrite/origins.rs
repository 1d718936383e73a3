//! Which column of which relation a column of an answer is, for clients that ask a result for its tables.

use std::collections::HashSet;

use envoi::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    Statement, TableFactor,
};

use super::{build, scope};

/// Oid of a relation and number of a column there, from 1.
pub(crate) type Origin = (u32, i16);

/// A relation and the names of its columns.
pub(crate) struct Known {
    pub(crate) oid: u32,
    pub(crate) columns: Vec<String>,
}

/// The origin of each column of a query. Ask before [`super::rewrite`].
///
/// `None` for a column that is computed, or is one of a subquery; nothing where columns are not known from the text.
/// `find` knows relations by schema and name.
pub(crate) fn origins(
    statement: &Statement,
    find: impl Fn(Option<&str>, &str) -> Option<Known>,
) -> Vec<Option<Origin>> {
    let Statement::Query(query) = statement else { return Vec::new() };
    of_query(query, &find).unwrap_or_default()
}

/// A relation of FROM by the name that it has there; what is no plain relation is not known.
struct Source {
    name: String,
    known: Option<Known>,
}

fn of_query(query: &Query, find: &impl Fn(Option<&str>, &str) -> Option<Known>) -> Option<Vec<Option<Origin>>> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let expressions = query.with.iter().flat_map(|w| &w.cte_tables);
    let expressions: HashSet<String> = expressions.map(|t| build::folded(&t.alias.name)).collect();
    let sources: Vec<Source> = scope::factors(&select.from).map(|f| source(f, &expressions, find)).collect();
    let mut all = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => all.push(of_expr(expr, &sources)),
            SelectItem::Wildcard(_) if !merges(select) => {
                for source in &sources {
                    every(source, &mut all)?;
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                every(sources.iter().find(|s| s.name == build::last(name))?, &mut all)?;
            }
            _ => return None,
        }
    }
    Some(all)
}

/// Whether columns of two relations are one in a star.
fn merges(select: &Select) -> bool {
    let merges = |on: &JoinConstraint| matches!(on, JoinConstraint::Using(_) | JoinConstraint::Natural);
    let mut joins = select.from.iter().flat_map(|t| &t.joins);
    let nested = scope::factors(&select.from).count() != select.from.iter().map(|t| 1 + t.joins.len()).sum::<usize>();
    nested
        || joins.any(|j| match &j.join_operator {
            JoinOperator::Join(on)
            | JoinOperator::Inner(on)
            | JoinOperator::Left(on)
            | JoinOperator::LeftOuter(on)
            | JoinOperator::Right(on)
            | JoinOperator::RightOuter(on)
            | JoinOperator::FullOuter(on) => merges(on),
            JoinOperator::CrossJoin(_) => false,
            _ => true,
        })
}

fn source(
    factor: &TableFactor,
    expressions: &HashSet<String>,
    find: &impl Fn(Option<&str>, &str) -> Option<Known>,
) -> Source {
    let named = |alias: &Option<envoi::sqlparser::ast::TableAlias>, name: String| {
        alias.as_ref().map_or(name, |a| build::folded(&a.name))
    };
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => {
            let known = match build::parts(name).as_slice() {
                [table] if !expressions.contains(table) => find(None, table),
                [.., schema, table] => find(Some(schema), table),
                _ => None,
            };
            // Columns that the alias names anew are sought by those names.
            let renames = alias.as_ref().is_some_and(|a| !a.columns.is_empty());
            Source { name: named(alias, build::last(name)), known: known.filter(|_| !renames) }
        }
        TableFactor::Derived { alias, .. } | TableFactor::UNNEST { alias, .. } => {
            Source { name: named(alias, String::new()), known: None }
        }
        TableFactor::Table { name, alias, .. } | TableFactor::Function { name, alias, .. } => {
            Source { name: named(alias, build::last(name)), known: None }
        }
        _ => Source { name: String::new(), known: None },
    }
}

fn of_expr(expr: &Expr, sources: &[Source]) -> Option<Origin> {
    match build::bare(expr) {
        Expr::Identifier(column) => {
            // A relation that is not known may have the column too.
            let known: Option<Vec<&Known>> = sources.iter().map(|s| s.known.as_ref()).collect();
            let mut having = known?.into_iter().filter_map(|k| place(k, column));
            having.next().filter(|_| having.next().is_none())
        }
        Expr::CompoundIdentifier(parts) => {
            let qualifier = scope::qualifier(parts)?;
            let source = sources.iter().find(|s| s.name == qualifier)?;
            place(source.known.as_ref()?, parts.last()?)
        }
        _ => None,
    }
}

fn place(known: &Known, column: &Ident) -> Option<Origin> {
    let column = build::folded(column);
    let place = known.columns.iter().position(|c| *c == column)?;
    Some((known.oid, i16::try_from(place + 1).ok()?))
}

fn every(source: &Source, all: &mut Vec<Option<Origin>>) -> Option<()> {
    let known = source.known.as_ref()?;
    let columns = i16::try_from(known.columns.len()).ok()?;
    all.extend((1..=columns).map(|number| Some((known.oid, number))));
    Some(())
}

#[cfg(test)]
mod tests {
    use envoi::sqlparser::dialect::PostgreSqlDialect;
    use envoi::sqlparser::parser::Parser;

    use super::*;

    fn find(schema: Option<&str>, table: &str) -> Option<Known> {
        let columns = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        match (schema, table) {
            (None | Some("lake"), "economy") => Some(Known { oid: 7, columns: columns(&["iso3", "name"]) }),
            (None | Some("lake"), "flow") => Some(Known { oid: 8, columns: columns(&["iso3", "usd"]) }),
            _ => None,
        }
    }

    #[test]
    fn columns_of_relations_are_known() {
        for (sql, expected) in [
            ("select iso3, NAME as n, 1, name || 'x' from economy", vec![Some((7, 1)), Some((7, 2)), None, None]),
            ("select * from lake.economy e", vec![Some((7, 1)), Some((7, 2))]),
            (
                "select f.*, e.name from economy e join flow f on e.iso3 = f.iso3",
                vec![Some((8, 1)), Some((8, 2)), Some((7, 2))],
            ),
            // Either has it; of a star whose columns merge nothing is said.
            ("select iso3, usd from economy cross join flow", vec![None, Some((8, 2))]),
            ("select * from economy join flow using (iso3)", vec![]),
            ("select usd from economy join flow using (iso3)", vec![Some((8, 2))]),
            ("with economy as (select 1 as iso3) select iso3 from economy", vec![None]),
            ("select s.iso3, e.iso3 from economy e, (select iso3 from flow) s", vec![None, Some((7, 1))]),
            ("select iso3 from economy, generate_series(1, 2) g", vec![None]),
            ("select a from economy as e(a, b)", vec![None]),
            ("select * from nothing", vec![]),
            ("select iso3 from economy union select iso3 from flow", vec![]),
        ] {
            let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
            assert_eq!(origins(&statement, find), expected, "{sql}");
        }
    }
}
