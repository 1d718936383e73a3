//! Expressions that rewriting puts in place of others, and the parts of those that it looks at.

use envoi::sqlparser::ast::helpers::attached_token::AttachedToken;
use envoi::sqlparser::ast::{
    Array, ArrayElemTypeDef, BinaryOperator, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, SetExpr,
    TableFactor, TableWithJoins, Value,
};
use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::parser::Parser;

/// A call of a function.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: arguments_of(arguments),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

pub(super) fn arguments_of(arguments: Vec<Expr>) -> FunctionArguments {
    let args = arguments.into_iter().map(|a| FunctionArg::Unnamed(FunctionArgExpr::Expr(a))).collect();
    FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() })
}

pub(super) fn null() -> Expr {
    Expr::value(Value::Null)
}

pub(super) fn boolean(value: bool) -> Expr {
    Expr::value(Value::Boolean(value))
}

pub(super) fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

pub(super) fn number(digits: &str) -> Expr {
    Expr::value(Value::Number(digits.to_owned(), false))
}

pub(super) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// `CASE WHEN condition THEN value END`.
pub(super) fn when(condition: Expr, value: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: value }],
        else_result: None,
    }
}

pub(super) fn array(elements: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem: elements, named: true })
}

/// An array without elements, of texts.
pub(super) fn no_texts() -> Expr {
    cast(array(Vec::new()), DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None)))
}

/// `SELECT * FROM relation`.
pub(super) fn select_from(relation: TableFactor) -> Option<Query> {
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql("SELECT * FROM t").and_then(|mut p| p.parse_query());
    let mut query = *parsed.ok()?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    }
    Some(query)
}

/// An expression without the brackets around it.
pub(super) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// The text of a literal, through casts to text types.
pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(v) => match &v.value {
            Value::SingleQuotedString(s) | Value::EscapedStringLiteral(s) | Value::UnicodeStringLiteral(s) => Some(s),
            Value::DollarQuotedString(s) => Some(&s.value),
            _ => None,
        },
        Expr::Nested(inner) => literal(inner),
        Expr::Cast { expr, data_type, .. } if is_text(data_type) => literal(expr),
        Expr::Collate { expr, .. } => literal(expr),
        _ => None,
    }
}

/// Types of text that differ in nothing here.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Text
        | DataType::Varchar(_)
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::String(_)
        | DataType::Nvarchar(_) => true,
        DataType::Custom(name, _) => matches!(
            last(name).as_str(),
            "text"
                | "name"
                | "varchar"
                | "bpchar"
                | "cstring"
                | "sql_identifier"
                | "character_data"
                | "yes_or_no"
                | "citext"
                | "\"char\""
                | "unknown"
                | "xml"
                | "json"
                | "jsonb"
                | "aclitem"
                | "inet"
                | "cidr"
        ),
        _ => false,
    }
}

/// The last part of a name, in small letters unless it is in quotes; `"char"` keeps them, it is another type.
pub(super) fn last(name: &ObjectName) -> String {
    match name.0.last().and_then(ObjectNamePart::as_ident) {
        Some(ident) if ident.quote_style.is_some() && ident.value == "char" => "\"char\"".to_owned(),
        Some(ident) => folded(ident),
        None => String::new(),
    }
}

/// An identifier as PostgreSQL folds it.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The parts of a name, folded.
pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(ObjectNamePart::as_ident).map(folded).collect()
}

/// A function's name if it has no schema, and its arguments if they are plain.
pub(super) fn called(expr: &Expr) -> Option<(String, Vec<&Expr>)> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |a: &FunctionArg| matches!(a, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    if !list.args.iter().all(plain) {
        return None;
    }
    let arguments = list.args.iter().filter_map(|a| match a {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
        _ => None,
    });
    let [name] = parts(&function.name).try_into().ok()?;
    let name: String = name;
    Some((name, arguments.collect()))
}

/// The conditions between which there is AND.
pub(super) fn conjuncts(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut all = conjuncts(*left);
            all.extend(conjuncts(*right));
            all
        }
        Expr::Nested(inner) if matches!(bare(&inner), Expr::BinaryOp { op: BinaryOperator::And, .. }) => {
            conjuncts(*inner)
        }
        other => vec![other],
    }
}

/// Conditions with AND between them; `None` without any.
pub(super) fn all_of(conditions: Vec<Expr>) -> Option<Expr> {
    conditions.into_iter().reduce(|left, right| binary(left, BinaryOperator::And, right))
}
