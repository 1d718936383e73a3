//! Subscripts, fields of records, and literals of arrays.

use envoi::sqlparser::ast::{AccessExpr, Expr, Subscript};

use super::build::{self, bare, called};
use super::functions::unnest;

/// `a[1]` and `(r).x`, one after another.
pub(super) fn subscript(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return };
    let plain = |a: &AccessExpr| {
        matches!(a, AccessExpr::Subscript(Subscript::Index { .. }) | AccessExpr::Dot(Expr::Identifier(_)))
    };
    if !access_chain.iter().all(plain) {
        return;
    }
    let (mut value, chain) = column(root, access_chain);
    for access in chain {
        value = match access {
            AccessExpr::Subscript(Subscript::Index { index }) => {
                build::call("envoi_element", vec![value, index.clone()])
            }
            AccessExpr::Dot(Expr::Identifier(field)) => field_of(value, &build::folded(field)),
            _ => return,
        };
    }
    *expr = value;
}

/// The column that an access begins with, `con.confkey` in `con.confkey[1]`, and what follows it.
fn column<'a>(root: &Expr, chain: &'a [AccessExpr]) -> (Expr, &'a [AccessExpr]) {
    let mut parts = match root {
        Expr::Identifier(ident) => vec![ident.clone()],
        Expr::CompoundIdentifier(parts) => parts.clone(),
        other => return (other.clone(), chain),
    };
    let mut rest = chain;
    while let [AccessExpr::Dot(Expr::Identifier(ident)), after @ ..] = rest {
        parts.push(ident.clone());
        rest = after;
    }
    match parts.as_slice() {
        [_] => (root.clone(), rest),
        _ => (Expr::CompoundIdentifier(parts), rest),
    }
}

/// A literal that stands for an array, because it is compared with one or stands in for one.
pub(super) fn literal_array(expr: &Expr) -> Option<Expr> {
    let elements = elements(build::literal(expr)?)?;
    let value = |e: Option<String>| match e {
        None => build::null(),
        Some(word) if word.parse::<u32>().is_ok() => build::number(&word),
        Some(word) => build::text(&word),
    };
    Some(build::array(elements.into_iter().map(value).collect()))
}

/// A field of a record. Of an array that is expanded, only what is asked for is unnested.
fn field_of(record: Expr, field: &str) -> Expr {
    if let Some((name, arguments)) = called(bare(&record))
        && name == "unnest"
        && let [array] = arguments.as_slice()
        && let Some((name, arguments)) = called(array)
        && name == "envoi_expandarray"
    {
        let arguments = arguments.into_iter().cloned().collect::<Vec<_>>();
        return match field {
            "n" => unnest(build::call("envoi_numbers", arguments)),
            _ => arguments.into_iter().next().map_or_else(build::null, unnest),
        };
    }
    build::call("get_field", vec![bare(&record).clone(), build::text(field)])
}

/// The elements of an array's literal, `{a,b}`; `None` if it has more than one dimension.
pub(super) fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut characters = inner.chars().peekable();
    while characters.peek().is_some() {
        let (mut word, mut quoted, mut within) = (String::new(), false, false);
        while let Some(c) = characters.next() {
            match c {
                '\\' => word.extend(characters.next()),
                '"' => (quoted, within) = (true, !within),
                '{' if !within => return None,
                ',' if !within => break,
                _ => word.push(c),
            }
        }
        let word = if quoted { word } else { word.trim().to_owned() };
        elements.push(if !quoted && word.eq_ignore_ascii_case("null") { None } else { Some(word) });
    }
    Some(elements)
}
