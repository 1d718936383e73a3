//! What PostgreSQL calls the columns of an answer.

use envoi::sqlparser::ast::{Expr, Query, SelectItem, SetExpr, Statement, Value};

use super::build;
use crate::functions::find_type;

/// The name of a column that has none.
const NONE: &str = "?column?";

/// The names of a query's columns as PostgreSQL gives them: `count`, `?column?`.
#[derive(Debug, Default)]
pub(crate) struct Names {
    front: Vec<String>,
    /// Those after the last star; `None` if all columns are named in the text.
    back: Option<Vec<String>>,
}

impl Names {
    /// The name of a column of so many; `None` where a star brought it, or the text does not say.
    pub(crate) fn at(&self, place: usize, count: usize) -> Option<&str> {
        let name = match &self.back {
            None if self.front.len() == count => self.front.get(place),
            None => None,
            Some(back) if self.front.len() + back.len() > count => None,
            Some(back) => match (place + back.len()).checked_sub(count) {
                Some(place) => back.get(place),
                None => self.front.get(place),
            },
        };
        name.map(String::as_str)
    }
}

/// The names of the columns of a statement, of none if it is no query. Ask before [`super::rewrite`].
pub(crate) fn output_names(statement: &Statement) -> Names {
    let Statement::Query(query) = statement else { return Names::default() };
    if let Some(front) = of_query(query) {
        return Names { front, back: None };
    }
    let Some(items) = first_items(&query.body) else { return Names::default() };
    let front = items.iter().map_while(of_item).collect();
    let mut back: Vec<String> = items.iter().rev().map_while(of_item).collect();
    back.reverse();
    Names { front, back: Some(back) }
}

/// What is selected first.
fn first_items(body: &SetExpr) -> Option<&[SelectItem]> {
    match body {
        SetExpr::Select(select) => Some(&select.projection),
        SetExpr::Query(query) => first_items(&query.body),
        SetExpr::SetOperation { left, .. } => first_items(left),
        _ => None,
    }
}

/// Oids of the types that a query's columns are cast to in so many words: `'a'::varchar`, `$1::json`. Ask before
/// [`super::rewrite`], as the engine has one type for all texts.
///
/// `None` for a column that is not a cast; nothing where columns are not known from the text.
pub(crate) fn output_types(statement: &Statement) -> Vec<Option<u32>> {
    let Statement::Query(query) = statement else { return Vec::new() };
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let of = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(type_of(expr)),
        _ => None,
    };
    select.projection.iter().map(of).collect::<Option<_>>().unwrap_or_default()
}

fn type_of(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Nested(inner) => type_of(inner),
        Expr::Cast { data_type, .. } => find_type(&data_type.to_string()),
        Expr::TypedString(typed) => find_type(&typed.data_type.to_string()),
        _ => None,
    }
}

fn of_query(query: &Query) -> Option<Vec<String>> {
    of_body(&query.body)
}

fn of_body(body: &SetExpr) -> Option<Vec<String>> {
    match body {
        SetExpr::Select(select) => select.projection.iter().map(of_item).collect(),
        SetExpr::Query(query) => of_query(query),
        SetExpr::SetOperation { left, .. } => of_body(left),
        SetExpr::Values(values) => {
            let width = values.rows.first().map_or(0, |row| row.content.len());
            Some((1..=width).map(|number| format!("column{number}")).collect())
        }
        _ => None,
    }
}

fn of_item(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => Some(of_expr(expr).unwrap_or_else(|| NONE.to_owned())),
        SelectItem::ExprWithAlias { alias, .. } => Some(build::folded(alias)),
        _ => None,
    }
}

pub(super) fn of_expr(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(build::folded(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(build::folded),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of_expr(inner),
        Expr::Function(function) => Some(build::last(&function.name)),
        // A cast has the name of what is cast, or else of the type.
        Expr::Cast { expr, data_type, .. } => of_cast(expr).or_else(|| type_name(&data_type.to_string())),
        Expr::TypedString(typed) => type_name(&typed.data_type.to_string()),
        Expr::Value(v) if matches!(v.value, Value::Boolean(_)) => Some("bool".to_owned()),
        Expr::Case { else_result, .. } => {
            let named = else_result.as_deref().filter(|e| !matches!(e, Expr::Value(_))).and_then(of_expr);
            Some(named.unwrap_or_else(|| "case".to_owned()))
        }
        Expr::Exists { negated: false, .. } => Some("exists".to_owned()),
        Expr::Overlay { .. } => Some("overlay".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::Trim { .. } => Some("btrim".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        Expr::Interval(_) => Some("interval".to_owned()),
        Expr::CompoundFieldAccess { root, .. } => of_expr(root),
        Expr::Subquery(query) => of_query(query).and_then(|names| names.into_iter().next()).filter(|n| n != NONE),
        _ => None,
    }
}

/// The name of what is cast, through all casts; the name of a type is none.
fn of_cast(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => of_cast(expr),
        Expr::TypedString(_) | Expr::Interval(_) => None,
        Expr::Value(value) if matches!(value.value, Value::Boolean(_)) => None,
        expr => of_expr(expr),
    }
}

/// The name of a type without its modifier, as PostgreSQL has it.
fn type_name(written: &str) -> Option<String> {
    let plain = written.split('(').next().unwrap_or_default().trim().to_lowercase();
    let plain = plain.rsplit('.').next().unwrap_or_default();
    let own = match plain {
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "double precision" => "float8",
        "real" => "float4",
        "character varying" => "varchar",
        "character" | "char" => "bpchar",
        "decimal" => "numeric",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        other => other,
    };
    Some(own.trim_matches('"').to_owned()).filter(|n| !n.is_empty())
}
