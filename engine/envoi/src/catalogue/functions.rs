//! Table functions of the SQL library: a call becomes the query behind it.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Query, Statement as Ast, TableAlias, TableFactor, Value, VisitorMut,
};

use crate::error::{Error, Result};
use crate::library::{Argument, ArgumentKind, TableFunction, functions};

/// Puts the query of a library function where it is called; `parse` reads the query's text.
pub(crate) struct LibraryFunctions<P>(pub(crate) P);

impl<P: Fn(&str) -> Result<Statement>> VisitorMut for LibraryFunctions<P> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, alias, args: Some(arguments), .. } = factor else {
            return ControlFlow::Continue(());
        };
        let called = name.to_string().to_lowercase();
        let function = match functions() {
            Ok(all) => all.iter().find(|f| f.name == called),
            Err(error) => return ControlFlow::Break(error),
        };
        let Some(function) = function else { return ControlFlow::Continue(()) };
        let query = texts(function, &arguments.args).and_then(|texts| self.query(function, &texts));
        match query {
            Ok(subquery) => {
                let own = || TableAlias { explicit: false, name: Ident::new(called), columns: Vec::new(), at: None };
                *factor = TableFactor::Derived {
                    lateral: false,
                    subquery,
                    alias: Some(alias.take().unwrap_or_else(own)),
                    sample: None,
                };
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl<P: Fn(&str) -> Result<Statement>> LibraryFunctions<P> {
    fn query(&self, function: &TableFunction, texts: &[(&str, String)]) -> Result<Box<Query>> {
        match (self.0)(&filled(&function.sql, texts))? {
            Statement::Statement(statement) => match *statement {
                Ast::Query(query) => Ok(query),
                other => Err(Error::internal(format!("`{}` is no query: {other}", function.name))),
            },
            _ => Err(Error::internal(format!("`{}` is no query", function.name))),
        }
    }
}

/// The query with what was given where `$argument` stands, in one pass: that is never looked through itself.
fn filled(sql: &str, texts: &[(&str, String)]) -> String {
    let mut parts = sql.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match texts.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => filled += text,
            None => filled += &format!("${name}"),
        }
        filled += rest;
    }
    filled
}

/// What each argument was given, by position or name, as SQL.
fn texts<'a>(function: &'a TableFunction, given: &[FunctionArg]) -> Result<Vec<(&'a str, String)>> {
    let wrong = |why: String| {
        let hint = format!("call it as `{}`", function.signature());
        Error::user(format!("`{}` {why}", function.name)).with_hint(hint)
    };
    let known = &function.meta.argument;
    if given.len() > known.len() {
        return Err(wrong(format!("takes {} arguments, not {}", known.len(), given.len())));
    }
    let mut found: Vec<Option<String>> = vec![None; known.len()];
    for (place, argument) in given.iter().enumerate() {
        let (place, value) = match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(place), value),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                (known.iter().position(|a| a.name == name.value.to_lowercase()), value)
            }
            other => return Err(wrong(format!("does not take `{other}`"))),
        };
        let slot = place.and_then(|p| Some((found.get_mut(p)?, known.get(p)?)));
        let Some((slot, meant)) = slot else {
            return Err(wrong(format!("has no argument of the name in `{argument}`")));
        };
        *slot = Some(text(meant, value).map_err(wrong)?);
    }
    let taken = found.into_iter().zip(known).map(|(text, argument)| {
        let text = text.or_else(|| argument.default.clone());
        text.map(|t| (argument.name.as_str(), t))
            .ok_or_else(|| wrong(format!("lacks its argument `{}`", argument.name)))
    });
    taken.collect()
}

fn text(argument: &Argument, value: &Expr) -> std::result::Result<String, String> {
    let name = &argument.name;
    match argument.kind {
        ArgumentKind::Text | ArgumentKind::Day => {
            let text = quoted(value).ok_or_else(|| format!("takes a text as `{name}`, not `{value}`"))?;
            if argument.kind == ArgumentKind::Day && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_err() {
                return Err(format!("takes a day as `{name}`; '{text}' is not of the form YYYY-MM-DD"));
            }
            if !argument.choices.is_empty() && !argument.choices.contains(text) {
                return Err(format!("takes one of '{}' as `{name}`, not '{text}'", argument.choices.join("', '")));
            }
            Ok(format!("'{}'", text.replace('\'', "''")))
        }
        ArgumentKind::Number => {
            let number = value.to_string();
            if !number.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(format!("takes a number as `{name}`, not `{value}`"));
            }
            if !argument.choices.is_empty() && !argument.choices.contains(&number) {
                return Err(format!("takes one of {} as `{name}`, not {number}", argument.choices.join(", ")));
            }
            Ok(number)
        }
        ArgumentKind::Column | ArgumentKind::Table => match value {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Ok(value.to_string()),
            Expr::Subquery(query) if argument.kind == ArgumentKind::Table => Ok(format!("({query})")),
            _ if argument.kind == ArgumentKind::Table => {
                Err(format!("takes a table by name or `(select …)` as `{name}`, not `{value}`"))
            }
            _ => Err(format!("takes a column by name as `{name}`, not `{value}`")),
        },
    }
}

fn quoted(value: &Expr) -> Option<&String> {
    let value = match value {
        Expr::Value(value) => &value.value,
        Expr::TypedString(typed) => &typed.value.value,
        _ => return None,
    };
    if let Value::SingleQuotedString(text) = value { Some(text) } else { None }
}
