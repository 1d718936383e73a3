//! Tables that a query names, read from its text alone.

use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, ObjectNamePart, Query, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use crate::catalogue::as_arguments;
use crate::error::{Error, Result, offset};

/// A table that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name, with the schema if that is written: `["lake", "transfer"]`.
    pub parts: Vec<String>,
    /// Byte offset in the text.
    pub position: Option<usize>,
    /// It is called, `name(…)`, or given to a function, where a bare name may be a column's too.
    pub call: bool,
}

/// The tables that a query names, in order, those of its own steps left out.
///
/// # Errors
/// What does not parse, with its place; what is not one query.
pub fn named(sql: &str) -> Result<Vec<Named>> {
    super::caps::parsable(sql)?;
    let text = as_arguments(sql);
    let mut statements =
        DFParser::parse_sql_with_dialect(&text, &GenericDialect {}).map_err(|e| Error::from_datafusion(&e, sql))?;
    let statement = match (statements.pop_front(), statements.pop_front()) {
        (Some(statement), None) => statement,
        (None, _) => return Err(Error::user("there is no query").with_hint("write one `select`")),
        (Some(_), Some(_)) => {
            let end = sql.find(';').map(|at| at + 1);
            return Err(Error::user("there is more than one statement").with_hint("write one `select`").at(end));
        }
    };
    let Statement::Statement(statement) = statement else { return Err(not_a_query()) };
    let ast::Statement::Query(query) = statement.as_ref() else { return Err(not_a_query()) };
    let mut found = Found { sql, all: Vec::new(), steps: Vec::new() };
    let _ = query.visit(&mut found);
    Ok(found.all)
}

fn not_a_query() -> Error {
    Error::user("this is not a query").with_hint("write one `select`")
}

struct Found<'a> {
    sql: &'a str,
    all: Vec<Named>,
    steps: Vec<String>,
}

impl Found<'_> {
    fn add(&mut self, idents: &[&Ident], call: bool) {
        let parts: Vec<String> = idents.iter().map(|i| normal(i)).collect();
        if matches!(parts.as_slice(), [one] if self.steps.contains(one)) {
            return;
        }
        let start = idents.first().map(|i| i.span.start);
        let position = start.and_then(|s| offset(self.sql, s.line, s.column));
        let new = Named { parts, position, call };
        // Steps of a query are visited twice.
        if !self.all.contains(&new) {
            self.all.push(new);
        }
    }
}

fn normal(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn idents(name: &ObjectName) -> Vec<&Ident> {
    let ident = |part: &'_ ObjectNamePart| matches!(part, ObjectNamePart::Identifier(_));
    let parts = name.0.iter().filter(|p| ident(p));
    parts.filter_map(ObjectNamePart::as_ident).collect()
}

impl Visitor for Found<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(with) = &query.with {
            for step in &with.cte_tables {
                // A step is not in its own scope: `with t as (select * from t)` reads a table `t`.
                if !with.recursive {
                    step.visit(self)?;
                }
                self.steps.push(normal(&step.alias.name));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let own = query.with.as_ref().map_or(0, |with| with.cte_tables.len());
        self.steps.truncate(self.steps.len().saturating_sub(own));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, args, .. } = factor else { return ControlFlow::Continue(()) };
        let Some(arguments) = args else {
            self.add(&idents(name), false);
            return ControlFlow::Continue(());
        };
        self.add(&idents(name), true);
        for argument in &arguments.args {
            let (FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg)) =
                argument;
            match arg {
                FunctionArgExpr::Expr(Expr::Identifier(ident)) => self.add(&[ident], true),
                FunctionArgExpr::Expr(Expr::CompoundIdentifier(parts)) => {
                    self.add(&parts.iter().collect::<Vec<_>>(), true);
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_but_not_steps() {
        let check = |sql: &str, expected: &[&str]| {
            let found: Vec<String> = named(sql).unwrap().iter().map(|n| n.parts.join(".")).collect();
            assert_eq!(found, expected, "{sql}");
        };
        check("select 1 from a join lake.b on true", &["a", "lake.b"]);
        check("with t as (select * from t) select * from t", &["t"]);
        check("with a as (select 1), b as (select * from a) select * from b, c", &["c"]);
        check("with recursive n as (select 1 union all select * from n) select * from n", &[]);
        check("select (select max(x) from d) from e where y in (select y from F)", &["d", "e", "f"]);
        check("select * from a for version as of 3", ["a", "version"].split_at(1).0);
        check("select * from rake(survey => s, margins => (select 1 from m))", &["rake", "s", "m"]);
    }

    #[test]
    fn places_are_offsets() {
        let sql = "select é\nfrom first, second";
        let found = named(sql).unwrap();
        assert_eq!(found[1].position, sql.find("second"));
        assert!(named("select 1 from a b c").unwrap_err().position().is_some());
        assert!(named("select 1; select 2").is_err() && named("drop table x").is_err() && named("").is_err());
    }
}
