//! Templates of queries: `ref`, `source`, `var`, `this`, `is_incremental`.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Rest, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::lines::{self, Lines};

/// Steps that a template may take: some thousand lines of text, no endless loop.
const FUEL: u64 = 200_000;

/// What a template may ask for.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The model's name.
    pub(crate) name: String,
    /// Values of `var('…')`.
    pub(crate) vars: Arc<BTreeMap<String, Value>>,
    /// Schema of tables that are not models.
    pub(crate) schemas: Arc<BTreeMap<String, &'static str>>,
}

/// Why a template gives no query.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// From 1.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
}

/// The query of a template, with its lines where they are known; text without `{` is taken as it is.
pub(crate) fn compiled(text: &str, scope: &Scope) -> Result<(String, Option<Lines>), Wrong> {
    if !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return Ok((text.to_owned(), None));
    }
    let query = rendered(text, scope)?;
    let marked = lines::marked(text).and_then(|marked| rendered(&marked, scope).ok());
    let lines = marked.and_then(|marked| Lines::of(&marked, &query));
    Ok((query, lines))
}

fn rendered(text: &str, scope: &Scope) -> Result<String, Wrong> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let schemas = Arc::clone(&scope.schemas);
    let qualified = move |name: &str| format!("{}.{name}", schemas.get(name).copied().unwrap_or("model"));
    let by_ref = qualified.clone();
    environment.add_function("ref", move |name: String| by_ref(&name));
    environment.add_function("source", move |parts: Rest<String>| match parts.as_slice() {
        [name] => Ok(qualified(name)),
        [schema, name] => Ok(format!("{schema}.{name}")),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "`source` takes a table, or a schema and a table")),
    });
    let vars = Arc::clone(&scope.vars);
    environment.add_function("var", move |name: String, default: Option<Value>| match vars.get(&name) {
        Some(value) => Ok(value.clone()),
        None => default.ok_or_else(|| {
            let known: Vec<String> = vars.keys().map(|k| format!("`{k}`")).collect();
            let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
            let what =
                format!("there is no var `{name}`; there are: {known}; `--var {name}=…` or project.toml gives one");
            Error::new(ErrorKind::InvalidOperation, what)
        }),
    });
    // What it guards elsewhere narrows the query to what is new. Here the engine narrows it, and a query that did so
    // too would take rows out of partitions that are built whole.
    environment.add_function("is_incremental", || false);
    let context = minijinja::context! { this => format!("model.{}", scope.name) };
    let wrong = |e: Error| {
        let detail = e.detail().map_or_else(|| e.kind().to_string(), str::to_owned);
        let what = match e.kind() {
            ErrorKind::OutOfFuel => "the template takes too many steps; is there an endless loop?".to_owned(),
            ErrorKind::UndefinedError => format!("template: {detail} is not defined"),
            ErrorKind::UnknownFunction => {
                format!("template: {detail}; there are `ref`, `source`, `var`, `this`, `is_incremental`")
            }
            _ => format!("template: {detail}"),
        };
        Wrong { line: e.line(), what }
    };
    environment.add_template("query", text).map_err(wrong)?;
    environment.get_template("query").and_then(|t| t.render(context)).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            name: "m".into(),
            vars: Arc::new([("year".to_owned(), Value::from(2020))].into()),
            schemas: Arc::new([("transfer".to_owned(), "lake")].into()),
        }
    }

    #[test]
    fn templates_become_queries() {
        let check = |text: &str, expected: &str| assert_eq!(compiled(text, &scope()).unwrap().0, expected);
        check("select {{ var('year') }} from {{ ref('a') }}", "select 2020 from model.a");
        check("from {{ source('transfer') }}, {{ source('staging', 'x') }}", "from lake.transfer, staging.x");
        check("{% if is_incremental() %}a{% else %}{{ this }}{% endif %}", "model.m");
        check("{{ var('none', 3) }}", "3");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let check = |text: &str, line: usize, part: &str| {
            let wrong = compiled(text, &scope()).unwrap_err();
            assert_eq!(wrong.line, Some(line), "{}", wrong.what);
            assert!(wrong.what.contains(part), "{}", wrong.what);
        };
        check("\n{{ var('yaer') }}", 2, "`year`");
        check("\n{{ nothing }}", 2, "not defined");
        check("{% if %}", 1, "template");
        check("{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}", 1, "endless");
        check("{{ reff('a') }}", 1, "`ref`");
    }
}
