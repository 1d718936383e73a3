//! Texts: quoting, `format`, and JSON.

use super::call::{Answer, Call, Definition, Returns};
use super::casts::parts;
use crate::catalogue::{Cell, quoted};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("quote_ident", Returns::Text, |c| Ok(c.text(0).map(quoted).into())),
    Definition::strict("quote_literal", Returns::Text, |c| Ok(literal(c.cell(0)).into())),
    Definition::strict("parse_ident", Returns::Texts, identifier),
    Definition::lenient("quote_nullable", Returns::Text, |c| Ok(literal(c.cell(0)).into())),
    Definition::lenient("format", Returns::Text, format_text),
    Definition::lenient("json_build_object", Returns::Text, object),
    Definition::lenient("jsonb_build_object", Returns::Text, object),
];

/// The parts of a name: `{a,B c}` of `a."B c"`.
fn identifier(call: &Call<'_>) -> Answer {
    let name = call.text(0).unwrap_or_default();
    let parts = parts(name);
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"' | '.') || name.contains('"');
    if parts.iter().any(String::is_empty) || !name.trim().chars().all(word) {
        return Err(format!("string is not a valid identifier: \"{name}\""));
    }
    Ok(parts.into())
}

/// The most that a text may become: what one value may hold.
const MOST: usize = 64 << 20;

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(b) => if *b { "t" } else { "f" }.to_owned(),
        Cell::Int(i) => i.to_string(),
        Cell::Float(f) => f.to_string(),
        Cell::Text(t) => t.clone(),
        Cell::List(l) => format!("{{{}}}", l.iter().map(plain).collect::<Vec<_>>().join(",")),
    }
}

fn literal(cell: &Cell) -> String {
    if cell == &Cell::Null {
        return "NULL".to_owned();
    }
    let text = plain(cell).replace('\'', "''");
    // A backslash means itself only in an escaped literal, whatever the settings.
    if text.contains('\\') { format!("E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

/// `format` with `%s`, `%I`, `%L`, `%%` and positions, `%1$s`; widths are not known.
fn format_text(call: &Call<'_>) -> Answer {
    let Some(pattern) = call.text(0) else { return Ok(Cell::Null) };
    let mut out = String::new();
    let mut next = 1;
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut digits = String::new();
        while let Some(d) = characters.next_if(char::is_ascii_digit) {
            digits.push(d);
        }
        let place = match characters.next_if_eq(&'$') {
            Some(_) => digits.parse().unwrap_or(0),
            None if digits.is_empty() => next,
            None => return Err("`format` knows no widths; use %s, %I or %L".to_owned()),
        };
        let kind = characters.next().ok_or("unterminated format() type specifier")?;
        if kind == '%' {
            out.push('%');
            continue;
        }
        if place == 0 || place >= call.count() {
            return Err("too few arguments for format()".to_owned());
        }
        next = place + 1;
        let cell = call.cell(place);
        out.push_str(&match kind {
            's' => plain(cell),
            'I' => quoted(&plain(cell)),
            'L' => literal(cell),
            other => return Err(format!("unrecognized format() type specifier \"{other}\"")),
        });
        if out.len() > MOST {
            return Err(format!("`format` made a text of over {MOST} bytes"));
        }
    }
    Ok(out.into())
}

fn object(call: &Call<'_>) -> Answer {
    if !call.count().is_multiple_of(2) {
        return Err("argument list must have even number of elements".to_owned());
    }
    let pairs = (0..call.count()).step_by(2).map(|place| {
        let key = serde_json::Value::from(plain(call.cell(place)));
        format!("{key} : {}", json(call.cell(place + 1)))
    });
    Ok(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", ")).into())
}

fn json(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Bool(b) => (*b).into(),
        Cell::Int(i) => (*i).into(),
        Cell::Float(f) => (*f).into(),
        Cell::Text(t) => t.as_str().into(),
        Cell::List(l) => l.iter().map(json).collect(),
    }
}
