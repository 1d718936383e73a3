//! Calls of functions, in expressions and in FROM.

use envoi::sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor,
};
use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::parser::Parser;

use super::arrays::literal_array;
use super::build::{self, called};
use super::casts::to_name;
use super::names::without_schema;

/// Functions by other names, and those that return sets.
pub(super) fn call(expr: &mut Expr) {
    if let Expr::Function(function) = expr {
        without_schema(&mut function.name);
        lower(function);
        of_texts(function);
    }
    let Some((name, arguments)) = called(expr) else { return };
    let own = |e: &[&Expr]| e.iter().map(|e| (*e).clone()).collect::<Vec<_>>();
    let replaced = match (name.as_str(), arguments.as_slice()) {
        ("generate_subscripts", all) => unnest(build::call("envoi_subscripts", own(all))),
        ("generate_series", all) if all.len() > 1 => unnest(build::call("generate_series", own(all))),
        ("_pg_expandarray", [array]) => unnest(build::call("envoi_expandarray", vec![(*array).clone()])),
        ("pg_get_expr", all) if all.len() > 2 => build::call("pg_get_expr", own(all.get(..2).unwrap_or_default())),
        ("regexp_split_to_table", [text, pattern]) => unnest(split(text, pattern)),
        ("regexp_split_to_array", [text, pattern]) => split(text, pattern),
        ("pg_partition_ancestors", all) => unnest(build::call("pg_partition_ancestors", own(all))),
        ("coalesce", [first, rest @ ..]) if rest.iter().any(|e| literal_array(e).is_some()) => {
            let rest = rest.iter().map(|e| literal_array(e).unwrap_or_else(|| (*e).clone()));
            build::call("coalesce", std::iter::once((*first).clone()).chain(rest).collect())
        }
        // Of vectors there is one dimension, whatever the engine makes of them.
        ("array_length", [array, dimension]) if dimension.to_string() == "1" => {
            build::call("array_length", vec![(*array).clone()])
        }
        ("timezone", [zone, time]) if build::literal(zone).is_some() => {
            Expr::AtTimeZone { timestamp: Box::new((*time).clone()), time_zone: Box::new((*zone).clone()) }
        }
        _ => return,
    };
    *expr = replaced;
}

/// Functions that show their arguments: what stands for an oid is shown by its name.
fn of_texts(function: &mut Function) {
    const NAMES: [&str; 6] = ["format", "concat", "concat_ws", "quote_ident", "quote_literal", "string_agg"];
    if !NAMES.contains(&build::last(&function.name).as_str()) {
        return;
    }
    if let FunctionArguments::List(list) = &mut function.args {
        for argument in &mut list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument {
                to_name(expr);
            }
        }
    }
}

/// A text between the places where a pattern is.
fn split(text: &Expr, pattern: &Expr) -> Expr {
    // In no text that anybody splits.
    const ASIDE: &str = "\u{e001}";
    let (aside, all) = (build::text(ASIDE), build::text("g"));
    let marked = build::call("regexp_replace", vec![text.clone(), pattern.clone(), aside.clone(), all]);
    build::call("string_to_array", vec![marked, aside])
}

/// Names without quotes are in small letters; the engine's functions are found by those only.
fn lower(function: &mut Function) {
    for part in &mut function.name.0 {
        if let envoi::sqlparser::ast::ObjectNamePart::Identifier(ident) = part
            && ident.quote_style.is_none()
        {
            ident.value = ident.value.to_lowercase();
        }
    }
}

pub(super) fn unnest(array: Expr) -> Expr {
    build::call("unnest", vec![array])
}

/// Functions of the server that return rows, and have none here, with their columns.
const EMPTY: [(&str, &[&str]); 16] = [
    ("pg_partition_ancestors", &["relid"]),
    ("pg_partition_tree", &["relid", "parentrelid", "isleaf", "level"]),
    ("pg_options_to_table", &["option_name", "option_value"]),
    ("aclexplode", &["grantor", "grantee", "privilege_type", "is_grantable"]),
    ("pg_listening_channels", &["pg_listening_channels"]),
    ("pg_available_extensions", &["name", "default_version", "comment"]),
    ("pg_available_extension_versions", &["name", "version"]),
    ("pg_timezone_names", &["name", "abbrev", "utc_offset", "is_dst"]),
    ("pg_timezone_abbrevs", &["abbrev", "utc_offset", "is_dst"]),
    ("pg_get_publication_tables", &["relid"]),
    ("pg_prepared_xact", &["transaction", "gid", "prepared", "ownerid", "dbid"]),
    ("pg_lock_status", &["locktype", "database", "relation", "pid", "mode", "granted"]),
    ("pg_get_replication_slots", &["slot_name", "plugin", "slot_type"]),
    ("pg_stat_get_activity", &["datid", "pid", "usesysid"]),
    ("pg_tablespace_databases", &["pg_tablespace_databases"]),
    ("pg_show_all_file_settings", &["sourcefile", "name", "setting"]),
];

/// A function in FROM: its name without the schema, or no rows.
///
/// # Errors
/// A replacement cannot be written: a column of the alias is no name.
pub(super) fn in_from(factor: &mut TableFactor) -> Result<(), String> {
    named_column(factor);
    as_value(factor);
    let (name, alias, ordinality) = match factor {
        TableFactor::Table { name, args: Some(_), alias, with_ordinality, .. } => {
            without_schema(name);
            (build::last(name), alias.clone(), *with_ordinality)
        }
        TableFactor::Function { name, alias, with_ordinality, .. } => {
            without_schema(name);
            (build::last(name), alias.clone(), *with_ordinality)
        }
        _ => return Ok(()),
    };
    if let Some((_, columns)) = EMPTY.iter().find(|(n, _)| *n == name) {
        *factor = without_rows(&name, columns, alias, ordinality)?;
        return Ok(());
    }
    match name.as_str() {
        "pg_get_keywords" => *factor = keywords(alias)?,
        "unnest" => to_unnest(factor, build::call("unnest", Vec::new())),
        "generate_series" if over_array(factor) => to_unnest(factor, build::call("generate_series", Vec::new())),
        "generate_series" => wide(factor),
        _ => {}
    }
    Ok(())
}

/// `unnest(a) x`: the alias is the column's name too; without one it is the function's.
fn named_column(factor: &mut TableFactor) {
    let alias = match factor {
        TableFactor::UNNEST { alias, array_exprs, with_ordinality: false, .. } if array_exprs.len() == 1 => {
            let own = || TableAlias { explicit: false, name: Ident::new("unnest"), columns: Vec::new(), at: None };
            alias.get_or_insert_with(own)
        }
        TableFactor::Table { name, args: Some(_), alias: Some(alias), .. }
            if build::last(name) == "generate_series" =>
        {
            alias
        }
        _ => return,
    };
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
}

/// Functions that return one value, in FROM.
const VALUES: [&str; 5] =
    ["string_to_array", "current_schemas", "regexp_split_to_array", "current_schema", "current_database"];

/// A function of one value in FROM: a query of it, whose column has the alias's name.
fn as_value(factor: &mut TableFactor) {
    let TableFactor::Table { name, args: Some(args), alias: Some(alias), .. } = factor else { return };
    without_schema(name);
    let function = build::last(name);
    if !VALUES.contains(&function.as_str()) {
        return;
    }
    let mut call = build::call(&function, Vec::new());
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut call {
        list.args = std::mem::take(&mut args.args);
    }
    let alias = alias.clone();
    let column = alias.columns.first().map_or_else(|| alias.name.clone(), |c| c.name.clone());
    if let Some(mut query) = build::select_from(factor.clone()) {
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.from = Vec::new();
            select.projection = vec![SelectItem::ExprWithAlias { expr: call, alias: column }];
        }
        let alias = TableAlias { columns: Vec::new(), ..alias };
        *factor = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
    }
}

/// The bounds of a series of numbers are of the widest type: the engine takes no other that is not written out. Those
/// of a series of times, which has an interval for its step, stay.
fn wide(factor: &mut TableFactor) {
    let arguments = match factor {
        TableFactor::Table { args: Some(args), .. } => &mut args.args,
        TableFactor::Function { args, .. } => args,
        _ => return,
    };
    let step = arguments.get_mut(2).and_then(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    if let Some(step) = step {
        if build::literal(step).is_some() {
            *step = build::cast(step.clone(), DataType::Interval { fields: None, precision: None });
        }
        if is_interval(step) {
            return;
        }
    }
    for argument in arguments {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument
            && !matches!(expr, Expr::Value(_) | Expr::UnaryOp { .. } | Expr::TypedString(_) | Expr::Interval(_))
        {
            *expr = build::cast(expr.clone(), DataType::BigInt(None));
        }
    }
}

fn is_interval(expr: &Expr) -> bool {
    let is = |data_type: &DataType| matches!(data_type, DataType::Interval { .. });
    match build::bare(expr) {
        Expr::Interval(_) => true,
        Expr::TypedString(typed) => is(&typed.data_type),
        Expr::Cast { data_type, .. } => is(data_type),
        _ => false,
    }
}

/// Whether a function in FROM has no rows here.
pub(super) fn is_empty(name: &str) -> bool {
    EMPTY.iter().any(|(n, _)| *n == name)
}

/// `pg_get_keywords()`: arrays of its columns, unnested.
fn keywords(alias: Option<TableAlias>) -> Result<TableFactor, String> {
    const SQL: &str = "SELECT unnest(envoi_keywords()) AS word, unnest(envoi_keyword_codes()) AS catcode, \
        true AS barelabel, NULL AS catdesc, NULL AS baredesc";
    derived("pg_get_keywords", SQL, alias)
}

fn derived(function: &str, sql: &str, alias: Option<TableAlias>) -> Result<TableFactor, String> {
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(sql).and_then(|mut p| p.parse_query());
    let subquery = parsed.map_err(|e| format!("cannot rewrite {function}(): {e}"))?;
    let name = alias.map_or_else(|| Ident::new(function), |a| a.name);
    let alias = TableAlias { explicit: true, name, columns: Vec::new(), at: None };
    Ok(TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None })
}

fn without_rows(
    name: &str,
    columns: &[&str],
    alias: Option<TableAlias>,
    ordinality: bool,
) -> Result<TableFactor, String> {
    let mut columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    if ordinality {
        columns.push("ordinality".to_owned());
    }
    for (column, given) in columns.iter_mut().zip(alias.iter().flat_map(|a| &a.columns)) {
        given.name.value.clone_into(column);
    }
    let list = columns.iter().map(|c| format!("NULL AS \"{}\"", c.replace('"', "\"\""))).collect::<Vec<_>>();
    let sql = format!("SELECT {} WHERE FALSE", list.join(", "));
    derived(name, &sql, alias)
}

/// Whether the bounds of a series are those of an array, which the engine does not know when it plans.
fn over_array(factor: &TableFactor) -> bool {
    const BOUNDS: [&str; 4] = ["array_lower", "array_upper", "array_length", "cardinality"];
    let TableFactor::Table { args: Some(args), .. } = factor else { return false };
    args.args.iter().any(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
            called(expr).is_some_and(|(name, _)| BOUNDS.contains(&name.as_str()))
        }
        _ => false,
    })
}

/// `unnest(a)` with its schema before it is read as a table's name, and other calls that give an array.
fn to_unnest(factor: &mut TableFactor, mut call: Expr) {
    let (arguments, alias, with_ordinality) = match factor {
        TableFactor::Table { args: Some(args), alias, with_ordinality, .. } => {
            (std::mem::take(&mut args.args), alias.take(), *with_ordinality)
        }
        TableFactor::Function { args, alias, with_ordinality, .. } => {
            (std::mem::take(args), alias.take(), *with_ordinality)
        }
        _ => return,
    };
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut call {
        list.args = arguments;
    }
    let array_exprs = match called(&call) {
        Some((name, arrays)) if name == "unnest" => arrays.into_iter().cloned().collect(),
        _ => vec![call],
    };
    *factor = TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_offset_alias: None, with_ordinality };
    named_column(factor);
}
