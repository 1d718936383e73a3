//! Table functions of the SQL library: a call becomes the query behind it, or, where
//! its rows are computed, a call with all arguments in their places.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use chrono::NaiveDate;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query, Statement as Ast, TableAlias, TableFactor, Value,
    VisitMut, VisitorMut,
};

use super::hygiene::own_steps;
use crate::conventions::Conventions;
use crate::error::{Error, Result};
use crate::library::{Argument, ArgumentKind, Mart, TableFunction, functions, mart, wrong_call};
use crate::shared::marked;

/// A query of the library that takes arguments.
#[derive(Clone, Copy)]
struct Callable<'a> {
    name: &'a str,
    sql: &'a str,
    arguments: &'a [Argument],
}

impl<'a> Callable<'a> {
    fn function(function: &'a TableFunction) -> Self {
        let sql = function.sql.as_deref().unwrap_or_default();
        Self { name: &function.name, sql, arguments: &function.meta.argument }
    }

    fn mart(mart: &'a Mart) -> Self {
        Self { name: &mart.name, sql: &mart.sql, arguments: &mart.meta.argument }
    }
}

/// Puts the query of a library function where it is called, and names marts that are called with
/// arguments; `parse` reads the query's text.
pub(crate) struct LibraryFunctions<'a, P> {
    conventions: &'a Conventions,
    parse: P,
}

impl<'a, P> LibraryFunctions<'a, P> {
    /// For one statement.
    pub(crate) fn new(conventions: &'a Conventions, parse: P) -> Self {
        Self { conventions, parse }
    }
}

impl<P: Fn(&str) -> Result<Statement>> VisitorMut for LibraryFunctions<'_, P> {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.called(factor) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl<P: Fn(&str) -> Result<Statement>> LibraryFunctions<'_, P> {
    fn called(&mut self, factor: &mut TableFactor) -> Result<()> {
        let TableFactor::Table { name, alias, args, .. } = factor else { return Ok(()) };
        let Some(arguments) = args.as_mut() else { return Ok(()) };
        let called = name.to_string().to_lowercase();
        let own = |name: &str| TableAlias { explicit: false, name: Ident::new(name), columns: Vec::new(), at: None };
        if let Some(function) = functions()?.iter().find(|f| f.name == called) {
            let callable = Callable::function(function);
            let given = given(callable, &arguments.args)?;
            if function.sql.is_none() {
                let texts = texts(callable, &given, self.conventions)?;
                let all = texts.into_iter().map(|(argument, text)| self.argument(callable, argument, &text));
                arguments.args = all.collect::<Result<_>>()?;
                return Ok(());
            }
            let call = texts(callable, &given, self.conventions)?.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
            let call = format!("{called}({})", call.join(", "));
            let steps = own_steps(callable.sql, &print(&call))?;
            let subquery = self.query(callable, &filled(callable, &steps, &given, self.conventions)?)?;
            let alias = Some(alias.take().unwrap_or_else(|| own(&called)));
            *factor = if function.meta.shared {
                marked(&call, subquery, alias)
            } else {
                TableFactor::Derived { lateral: false, subquery, alias, sample: None }
            };
            return Ok(());
        }
        let base = called.strip_prefix("envoi.").unwrap_or(&called);
        let Some(mart) = mart(base.strip_prefix("mart.").unwrap_or(base))? else { return Ok(()) };
        // What has no arguments of its own may still be read at an edition.
        if mart.meta.argument.is_empty() {
            return Ok(());
        }
        let given = given(Callable::mart(mart), &arguments.args)?;
        let said: Vec<String> = given.iter().map(|(argument, text)| format!("{} => {text}", argument.name)).collect();
        let call = if said.is_empty() { mart.name.clone() } else { format!("{}({})", mart.name, said.join(", ")) };
        *name = ObjectName::from(vec![Ident::new("mart"), Ident::with_quote('"', call)]);
        *args = None;
        alias.get_or_insert_with(|| own(&mart.name));
        Ok(())
    }

    fn query(&self, callable: Callable<'_>, sql: &str) -> Result<Box<Query>> {
        match (self.parse)(sql)? {
            Statement::Statement(statement) => match *statement {
                Ast::Query(query) => Ok(query),
                other => Err(Error::internal(format!("`{}` is no query: {other}", callable.name))),
            },
            _ => Err(Error::internal(format!("`{}` is no query", callable.name))),
        }
    }

    /// An argument as the operators read it: of a table the query, of anything else a text.
    fn argument(&self, callable: Callable<'_>, argument: &Argument, sql: &str) -> Result<FunctionArg> {
        let text = match argument.kind {
            ArgumentKind::Table => {
                let query = self.query(callable, &format!("select * from {sql}"))?;
                return Ok(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Subquery(query))));
            }
            ArgumentKind::Column => column(sql),
            ArgumentKind::Number => sql.to_owned(),
            ArgumentKind::Text | ArgumentKind::Day | ArgumentKind::Convention => {
                sql.trim_matches('\'').replace("''", "'")
            }
        };
        Ok(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::value(Value::SingleQuotedString(text)))))
    }
}

/// Sixteen digits, the same for the same call, by which its steps are told from those of others.
fn print(call: &str) -> String {
    let mut hasher = DefaultHasher::new();
    call.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The last name of `t.column` without its quotes, in lower case where it has none.
fn column(sql: &str) -> String {
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => name.clear(),
            c if quoted => name.push(c),
            c => name.extend(c.to_lowercase()),
        }
    }
    name
}

/// What was given or holds by default, for every argument in its order.
fn texts<'a>(
    callable: Callable<'a>,
    given: &[(&Argument, String)],
    conventions: &Conventions,
) -> Result<Vec<(&'a Argument, String)>> {
    let of = |argument: &'a Argument| {
        let text = given.iter().find(|(a, _)| a.name == argument.name).map(|(_, text)| text.clone());
        let text = text.or_else(|| match argument.convention() {
            Some(convention) => Some(conventions.get(convention).to_owned()),
            None => argument.default.clone(),
        });
        text.map(|t| (argument, t)).ok_or_else(|| wrong(callable, &format!("lacks its argument `{}`", argument.name)))
    };
    callable.arguments.iter().map(of).collect()
}

/// The name of a mart without the arguments that a call put behind it.
pub(crate) fn mart_name(call: &str) -> &str {
    call.split_once('(').map_or(call, |(name, _)| name)
}

/// The query of a mart that is named or called as `name(argument => value, …)`.
pub(crate) fn mart_query(
    mart: &Mart,
    call: &str,
    conventions: &Conventions,
    parse: impl Fn(&str) -> Result<Statement>,
) -> Result<String> {
    let callable = Callable::mart(mart);
    if !call.contains('(') {
        return filled(callable, callable.sql, &[], conventions);
    }
    let mut found = Arguments::default();
    if let Statement::Statement(mut statement) = parse(&format!("select * from {call}"))? {
        let _ = statement.visit(&mut found);
    }
    filled(callable, callable.sql, &given(callable, &found.0)?, conventions)
}

/// The arguments of the first table that has some.
#[derive(Default)]
struct Arguments(Vec<FunctionArg>);

impl VisitorMut for Arguments {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { args: Some(arguments), .. } = factor {
            self.0 = arguments.args.clone();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The query with what was given, or holds by default, where `$argument` stands, in one pass: what
/// was given is never looked through itself.
fn filled(
    callable: Callable<'_>,
    sql: &str,
    given: &[(&Argument, String)],
    conventions: &Conventions,
) -> Result<String> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (argument, text) in self::texts(callable, given, conventions)? {
        match argument.convention() {
            Some(convention) => texts.extend(convention.variables(&text.replace('\'', "")).map_err(Error::internal)?),
            None => texts.push((argument.name.clone(), text)),
        }
    }
    let mut parts = sql.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match texts.iter().find(|(known, _)| known == name) {
            Some((_, text)) => filled += text,
            None => filled += &format!("${name}"),
        }
        filled += rest;
    }
    Ok(filled)
}

fn wrong(callable: Callable<'_>, why: &str) -> Error {
    wrong_call(callable.name, callable.arguments, why)
}

/// What was given, by position or name, as SQL, in the order of the arguments.
fn given<'a>(callable: Callable<'a>, given: &[FunctionArg]) -> Result<Vec<(&'a Argument, String)>> {
    let known = callable.arguments;
    if given.len() > known.len() {
        return Err(wrong(callable, &format!("takes {} arguments, not {}", known.len(), given.len())));
    }
    let mut found: Vec<Option<String>> = vec![None; known.len()];
    for (place, argument) in given.iter().enumerate() {
        let (place, value) = match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(place), value),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                (known.iter().position(|a| a.name == name.value.to_lowercase()), value)
            }
            other => return Err(wrong(callable, &format!("does not take `{other}`"))),
        };
        let slot = place.and_then(|p| Some((found.get_mut(p)?, known.get(p)?)));
        let Some((slot, meant)) = slot else {
            return Err(wrong(callable, &format!("has no argument of the name in `{argument}`")));
        };
        if slot.is_some() {
            return Err(wrong(callable, &format!("got its argument `{}` twice", meant.name)));
        }
        *slot = Some(text(meant, value).map_err(|why| wrong(callable, &why))?);
    }
    Ok(known.iter().zip(found).filter_map(|(argument, text)| Some((argument, text?))).collect())
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
        ArgumentKind::Convention => {
            let convention = argument.convention().ok_or_else(|| format!("has no convention `{name}`"))?;
            let number = || value.to_string().parse::<u64>().is_ok().then(|| value.to_string());
            let text = quoted(value).cloned().or_else(number);
            let text = text.ok_or_else(|| format!("takes a text as `{name}`, not `{value}`"))?;
            let text = convention.canonical(&text).map_err(|why| {
                why.replacen(&format!("`{name}` cannot be '{text}'"), &format!("takes no '{text}' as `{name}`"), 1)
            })?;
            Ok(format!("'{text}'"))
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

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn names_of_columns() {
        let cases =
            [("w", "w"), ("W", "w"), ("t.W", "w"), (r#""W""#, "W"), (r#"a."b.C""#, "b.C"), (r#""a""b""#, r#"a"b"#)];
        for (sql, name) in cases {
            assert_eq!(column(sql), name);
        }
    }
}
