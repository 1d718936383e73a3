//! Operators: with a schema, of collations, of patterns, and `ANY` and `ALL` of what is written out.

use envoi::sqlparser::ast::{BinaryOperator, DataType, Expr, UnaryOperator, Value};

use super::build::{self, bare, binary, called, literal};
use super::casts::{is_registered, to_name};
use crate::catalogue::{is_array_column, is_function_column, is_truth_column};

pub(super) fn operator(expr: &mut Expr, catalogue: bool) {
    match expr {
        Expr::Collate { expr: inner, .. } => {
            let inner = std::mem::replace(&mut **inner, build::null());
            *expr = inner;
        }
        Expr::BinaryOp { left, op, right } => {
            if let BinaryOperator::PGCustomBinaryOperator(parts) = op
                && let Some(plain) = parts.last().and_then(|p| named(p))
            {
                *op = plain;
            }
            operands(left, op, right, catalogue);
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => truth(inner),
        Expr::InList { expr: value, list, negated } => {
            if let Some(plain) = truths_in(value, list, *negated) {
                *expr = plain;
            }
        }
        Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
            let escape = escape_char.as_ref().and_then(|v| match &v.value {
                Value::SingleQuotedString(s) => s.chars().next(),
                _ => None,
            });
            if let Some(escape) = escape.filter(|e| *e != '\\') {
                **pattern = match folded_text(pattern) {
                    Some(text) => build::text(&with_backslash(&text, escape)),
                    None => escaped(pattern, escape),
                };
                *escape_char = None;
            }
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            if let Some(plain) = any((left, compare_op, right), true, catalogue) {
                *expr = plain;
            }
        }
        Expr::AllOp { left, compare_op, right } => {
            if let Some(plain) = any((left, compare_op, right), false, catalogue) {
                *expr = plain;
            }
        }
        _ => {}
    }
}

/// A pattern that is known when it runs, with backslashes for its own escapes.
fn escaped(pattern: &Expr, escape: char) -> Expr {
    // In no pattern that anybody writes.
    const ASIDE: &str = "\u{e000}";
    let replace = |of: Expr, from: &str, to: &str| build::call("replace", vec![of, build::text(from), build::text(to)]);
    let one = escape.to_string();
    let all = replace(build::cast(pattern.clone(), DataType::Text), "\\", "\\\\");
    let all = replace(all, &one.repeat(2), ASIDE);
    replace(replace(all, &one, "\\"), ASIDE, &one)
}

/// The operator of a symbol.
fn named(symbol: &str) -> Option<BinaryOperator> {
    Some(match symbol {
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        _ => return None,
    })
}

fn operands(left: &mut Expr, op: &BinaryOperator, right: &mut Expr, catalogue: bool) {
    match op {
        BinaryOperator::And | BinaryOperator::Or => {
            truth(left);
            truth(right);
        }
        BinaryOperator::StringConcat => {
            to_name(left);
            to_name(right);
        }
        BinaryOperator::Eq | BinaryOperator::NotEq if catalogue => {
            function_column(left, right);
            function_column(right, left);
            typed_literal(left, right);
            typed_literal(right, left);
        }
        _ => {}
    }
}

/// `'t'` where a condition is wanted.
fn truth(expr: &mut Expr) {
    let value = match literal(expr).map(str::to_lowercase).as_deref() {
        Some("t" | "true" | "y" | "yes" | "on" | "1") => true,
        Some("f" | "false" | "n" | "no" | "off" | "0") => false,
        _ => return,
    };
    *expr = build::boolean(value);
}

/// `x in ('true', 'false')` as comparisons: the engine reads a text as a truth in those alone.
fn truths_in(value: &Expr, list: &[Expr], negated: bool) -> Option<Expr> {
    /// More words than there are for truths are no truths.
    const MOST: usize = 4;
    let is = |e: &Expr| {
        let word = literal(e).map(str::to_lowercase);
        word.is_some_and(|w| matches!(w.as_str(), "t" | "f" | "true" | "false" | "yes" | "no" | "on" | "off"))
    };
    if list.is_empty() || list.len() > MOST || !list.iter().all(is) {
        return None;
    }
    let (op, between) = match negated {
        true => (BinaryOperator::NotEq, BinaryOperator::And),
        false => (BinaryOperator::Eq, BinaryOperator::Or),
    };
    let each = list.iter().map(|e| binary(value.clone(), op.clone(), e.clone()));
    each.reduce(|a, b| binary(a, between.clone(), b)).map(|e| Expr::Nested(Box::new(e)))
}

/// A column that holds names of functions, where it is compared with an oid.
fn function_column(column: &mut Expr, other: &Expr) {
    let name = match column {
        Expr::Identifier(ident) => build::folded(ident),
        Expr::CompoundIdentifier(parts) => parts.last().map(build::folded).unwrap_or_default(),
        _ => return,
    };
    if !is_function_column(&name) || literal(other).is_some() {
        return;
    }
    let oid = match other {
        // Two such columns are compared by their names.
        Expr::Identifier(ident) => !is_function_column(&build::folded(ident)),
        Expr::CompoundIdentifier(parts) => !parts.last().is_some_and(|p| is_function_column(&build::folded(p))),
        Expr::Value(_) => true,
        other => called(other).is_some_and(|(name, _)| is_registered(&name) || name == "envoi_oid"),
    };
    if oid {
        let inner = std::mem::replace(column, build::null());
        *column = build::call("envoi_oid", vec![inner]);
    }
}

/// A literal that is compared with a column of arrays or of truths.
fn typed_literal(column: &Expr, other: &mut Expr) {
    let name = match column {
        Expr::Identifier(ident) => build::folded(ident),
        Expr::CompoundIdentifier(parts) => parts.last().map(build::folded).unwrap_or_default(),
        _ => return,
    };
    if is_truth_column(&name) {
        truth(other);
        return;
    }
    if is_array_column(&name)
        && let Some(array) = super::arrays::literal_array(other)
    {
        *other = array;
    }
}

/// The text of a pattern that is written out in parts.
fn folded_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            Some(folded_text(left)? + &folded_text(right)?)
        }
        Expr::Nested(inner) => folded_text(inner),
        other => literal(other).map(str::to_owned),
    }
}

/// A pattern whose escape is the backslash, which is the only one that the engine has.
fn with_backslash(pattern: &str, escape: char) -> String {
    let mut out = String::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            c if c == escape => {
                out.push('\\');
                out.extend(characters.next());
            }
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out
}

/// `x = ANY (ARRAY[...])` and the like as a list or as conditions; `None` where the array is not written out, or the
/// engine can do it.
fn any((left, op, right): (&Expr, &BinaryOperator, &Expr), any: bool, catalogue: bool) -> Option<Expr> {
    /// The most bytes of SQL that conditions may be written out to.
    const MOST: usize = 64 << 10;
    let op = match op {
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().and_then(|p| named(p))?,
        other => other.clone(),
    };
    if let Expr::Subquery(query) = bare(right) {
        if super::subqueries::is_array(query) && !catalogue {
            return None;
        }
        if super::subqueries::is_array(query) {
            let has = build::call("array_has", vec![bare(right).clone(), left.clone()]);
            return match (&op, any) {
                (BinaryOperator::Eq, true) => Some(build::call("coalesce", vec![has, build::boolean(false)])),
                _ => None,
            };
        }
        let negated = match (&op, any) {
            (BinaryOperator::Eq, true) => false,
            (BinaryOperator::NotEq, false) => true,
            _ => return None,
        };
        return Some(Expr::InSubquery { expr: Box::new(left.clone()), subquery: query.clone(), negated });
    }
    let elements = match bare(right) {
        Expr::Array(array) => array.elem.clone(),
        Expr::Value(_) => {
            let words = super::arrays::elements(literal(right)?)?;
            words.into_iter().map(|w| w.map_or_else(build::null, |w| build::text(&w))).collect()
        }
        // An array without elements.
        Expr::Cast { expr, .. } if matches!(expr.as_ref(), Expr::Array(a) if a.elem.is_empty()) => Vec::new(),
        _ => return None,
    };
    if elements.is_empty() {
        return Some(build::boolean(!any));
    }
    match (&op, any) {
        (BinaryOperator::Eq, true) => {
            Some(Expr::InList { expr: Box::new(left.clone()), list: elements, negated: false })
        }
        (BinaryOperator::NotEq, false) => {
            Some(Expr::InList { expr: Box::new(left.clone()), list: elements, negated: true })
        }
        _ => {
            // Each level of such comparisons multiplies what it compares.
            if left.to_string().len().saturating_mul(elements.len()) > MOST {
                return None;
            }
            let between = if any { BinaryOperator::Or } else { BinaryOperator::And };
            let each = elements.into_iter().map(|e| binary(left.clone(), op.clone(), e));
            each.reduce(|a, b| binary(a, between.clone(), b)).map(|e| Expr::Nested(Box::new(e)))
        }
    }
}
