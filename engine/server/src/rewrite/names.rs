//! Names: relations of the catalogue without their schema, and functions that are written as words.

use envoi::sqlparser::ast::{Expr, FunctionArguments, Ident, ObjectName, ObjectNamePart, TableFactor};

use super::build::{self, arguments_of, folded};
use crate::catalogue::is_system;

/// Puts `pg_catalog` before a relation of it, unless a common table expression has the name.
pub(super) fn relation(factor: &mut TableFactor, expressions: &[Vec<String>]) {
    let TableFactor::Table { name, args, .. } = factor else { return };
    if args.is_some() {
        return;
    }
    let parts = build::parts(name);
    if let [one] = parts.as_slice()
        && is_system(one)
        && !expressions.iter().flatten().any(|e| e == one)
    {
        let schema = ObjectNamePart::Identifier(Ident::new("pg_catalog"));
        name.0.insert(0, schema);
    }
}

/// Words that are functions without brackets.
const KEYWORDS: [&str; 6] =
    ["current_user", "session_user", "user", "current_role", "current_catalog", "current_schema"];

/// Gives `current_user` and the like their brackets.
pub(super) fn keyword(expr: &mut Expr) {
    match expr {
        Expr::Function(function) if matches!(function.args, FunctionArguments::None) => {
            let name = build::parts(&function.name);
            if matches!(name.as_slice(), [one] if KEYWORDS.contains(&one.as_str())) {
                function.args = arguments_of(Vec::new());
            }
        }
        // `user` is left: without quotes it is a column's name more often.
        Expr::Identifier(ident) if ident.quote_style.is_none() => {
            let name = folded(ident);
            if name != "user" && KEYWORDS.contains(&name.as_str()) {
                *expr = build::call(&name, Vec::new());
            }
        }
        _ => {}
    }
}

/// Takes the schema of the catalogue off a function's name.
pub(super) fn without_schema(name: &mut ObjectName) {
    let parts = build::parts(name);
    if let [schema, _] = parts.as_slice()
        && (schema == "pg_catalog" || schema == "information_schema")
    {
        name.0.remove(0);
    }
}
