//! What casts to and from `oid` and the types that stand for one (`regclass`, `regtype`, ...) are rewritten to.
//!
//! `envoi_regclass(x)` is `x::regclass` as a number, `envoi_regclass_name(x)` is its text.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::{
    Cell, Snapshot, format_type, named_oid, operator_name, operators, procedures, quoted, relation_name, types,
};
use crate::pg::type_of;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("envoi_oid", Returns::Oid, oid),
    Definition::strict("envoi_oids", Returns::Oids, oids),
    Definition::strict("envoi_base_type", Returns::Oid, |c| Ok(c.oid(0).and_then(base_type).into())),
    Definition::strict("envoi_regprocedure", Returns::Oid, |c| found(c, "function", |_, n| find_procedure(n))),
    Definition::strict("envoi_regoperator", Returns::Oid, |c| found(c, "operator", |_, n| find_operator(n))),
    Definition::strict("envoi_regclass", Returns::Oid, |c| found(c, "relation", find_relation)),
    Definition::strict("envoi_regtype", Returns::Oid, |c| found(c, "type", |_, n| find_type(n))),
    Definition::strict("envoi_regproc", Returns::Oid, |c| found(c, "function", |_, n| find_procedure(n))),
    Definition::strict("envoi_regoper", Returns::Oid, |c| found(c, "operator", |_, n| find_operator(n))),
    Definition::strict("envoi_regnamespace", Returns::Oid, |c| found(c, "schema", find_namespace)),
    Definition::strict("envoi_regrole", Returns::Oid, |c| found(c, "role", find_role)),
    Definition::strict("envoi_regclass_name", Returns::Text, |c| named(c, "relation", find_relation, relation_name)),
    Definition::strict("envoi_regtype_name", Returns::Text, |c| {
        named(c, "type", |_, n| find_type(n), |_, o| Some(format_type(o, None)))
    }),
    Definition::strict("envoi_regproc_name", Returns::Text, |c| {
        named(c, "function", |_, n| find_procedure(n), |_, o| procedure_name(o))
    }),
    Definition::strict("envoi_regprocedure_name", Returns::Text, |c| {
        named(c, "function", |_, n| find_procedure(n), |_, o| procedure_signature(o))
    }),
    Definition::strict("envoi_regoper_name", Returns::Text, |c| {
        named(c, "operator", |_, n| find_operator(n), |_, o| operator_plain(o))
    }),
    Definition::strict("envoi_regoperator_name", Returns::Text, |c| {
        named(c, "operator", |_, n| find_operator(n), |_, o| operator_name(o))
    }),
    Definition::strict("envoi_regnamespace_name", Returns::Text, |c| {
        named(c, "schema", find_namespace, |s, o| s.namespace(o).map(quoted))
    }),
    Definition::strict("envoi_regrole_name", Returns::Text, |c| {
        named(c, "role", find_role, |s, o| s.role(o).map(quoted))
    }),
    Definition::strict("to_regclass", Returns::Oid, |c| {
        Ok(c.text(0).and_then(|n| find_relation(c.snapshot, n)).into())
    }),
    Definition::lenient("pg_typeof", Returns::Text, |c| {
        Ok(c.fields.first().map(|f| format_type(type_of(f).oid, None)).into())
    }),
    Definition::strict("to_regtype", Returns::Oid, |c| Ok(c.text(0).and_then(find_type).into())),
    Definition::strict("to_regproc", Returns::Oid, |c| Ok(c.text(0).and_then(find_procedure).into())),
    Definition::strict("to_regprocedure", Returns::Oid, |c| Ok(c.text(0).and_then(find_procedure).into())),
    Definition::strict("to_regoper", Returns::Oid, |c| Ok(c.text(0).and_then(find_operator).into())),
    Definition::strict("to_regnamespace", Returns::Oid, |c| {
        Ok(c.text(0).and_then(|n| find_namespace(c.snapshot, n)).into())
    }),
    Definition::strict("to_regrole", Returns::Oid, |c| Ok(c.text(0).and_then(|n| find_role(c.snapshot, n)).into())),
];

/// `x::oid`: a number, its digits, or the name of a function in a column of such names.
fn oid(call: &Call<'_>) -> Answer {
    if call.pg_type(0) == Some("regproc")
        && let Some(name) = call.text(0).filter(|n| n.parse::<u32>().is_err())
    {
        return Ok(find_procedure(name).unwrap_or_default().into());
    }
    match call.oid(0) {
        Some(oid) => Ok(oid.into()),
        // Negative numbers are oids of the upper half.
        None => match call.number(0).and_then(|n| i32::try_from(n).ok()) {
            Some(number) => Ok(u32::from_ne_bytes(number.to_ne_bytes()).into()),
            None => Err(format!("invalid input syntax for type oid: \"{}\"", call.text(0).unwrap_or_default())),
        },
    }
}

fn oids(call: &Call<'_>) -> Answer {
    let Some(list) = call.list(0) else { return Err("an array of oids is wanted, such as '{1,2}'::oid[]".to_owned()) };
    Ok(Cell::List(list.to_vec()))
}

/// The oid of what a text names, a number as it is.
fn found(call: &Call<'_>, kind: &str, find: impl Fn(&Snapshot, &str) -> Option<u32>) -> Answer {
    if let Some(oid) = call.oid(0) {
        return Ok(oid.into());
    }
    let name = call.text(0).unwrap_or_default();
    if name == "-" {
        return Ok(0.into());
    }
    find(call.snapshot, name).map(Cell::from).ok_or_else(|| format!("{kind} \"{name}\" does not exist"))
}

/// The name of what an oid stands for, its digits where there is nothing. A text is the name of something first, as
/// it is found: with its schema only where that is needed. A column of functions' names has them already.
fn named(
    call: &Call<'_>,
    kind: &str,
    find: impl Fn(&Snapshot, &str) -> Option<u32>,
    name: impl Fn(&Snapshot, u32) -> Option<String>,
) -> Answer {
    if call.oid(0).is_none() && call.pg_type(0) == Some("regproc") {
        return Ok(call.cell(0).clone());
    }
    let found = found(call, kind, find)?;
    let Cell::Int(oid) = found else { return Ok(found) };
    let oid = u32::try_from(oid).unwrap_or_default();
    if oid == 0 {
        return Ok("-".into());
    }
    Ok(name(call.snapshot, oid).unwrap_or_else(|| oid.to_string()).into())
}

/// The parts of a name with dots between: without quotes in small letters, within them as they are.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut within = false;
    let mut characters = name.trim().chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if within && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut parts, '"');
            }
            '"' => within = !within,
            '.' if !within => parts.push(String::new()),
            c if within => push(&mut parts, c),
            c => c.to_lowercase().for_each(|c| push(&mut parts, c)),
        }
    }
    parts
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

/// A relation by its name, of which the schema and the database may be part.
pub(super) fn find_relation(snapshot: &Snapshot, name: &str) -> Option<u32> {
    let parts = parts(name);
    match parts.as_slice() {
        [name] => snapshot.oid_of(None, name),
        [schema, name] => snapshot.oid_of(Some(schema), name),
        [database, schema, name] if *database == snapshot.server.database => snapshot.oid_of(Some(schema), name),
        _ => None,
    }
}

/// A type by its name; a modifier, as in `numeric(18,4)`, is read over.
pub(crate) fn find_type(name: &str) -> Option<u32> {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let plain = plain.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let plain = plain.replace(" []", "[]");
    let plain =
        plain.strip_prefix("pg_catalog.").or_else(|| plain.strip_prefix("information_schema.")).unwrap_or(&plain);
    named_oid(plain)
}

fn find_procedure(name: &str) -> Option<u32> {
    let name = name.split('(').next().unwrap_or_default();
    let parts = parts(name);
    let name = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema == "pg_catalog" || schema == "information_schema" => name,
        _ => return None,
    };
    procedures().named(name).next().map(|p| p.oid)
}

fn find_operator(name: &str) -> Option<u32> {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name).split('(').next().unwrap_or_default();
    operators().named(name).next().map(|o| o.oid)
}

fn find_namespace(snapshot: &Snapshot, name: &str) -> Option<u32> {
    parts(name).first().and_then(|n| snapshot.namespaces.get(n)).copied()
}

fn find_role(snapshot: &Snapshot, name: &str) -> Option<u32> {
    parts(name).first().and_then(|n| snapshot.role_oid(n))
}

/// With its schema where several functions have the name.
fn procedure_name(oid: u32) -> Option<String> {
    let procedure = procedures().get(oid)?;
    let one = procedures().named(&procedure.name).count() == 1;
    Some(if one { quoted(&procedure.name) } else { format!("pg_catalog.{}", quoted(&procedure.name)) })
}

fn procedure_signature(oid: u32) -> Option<String> {
    let procedure = procedures().get(oid)?;
    let types = procedure.arguments.iter().map(|t| format_type(*t, None)).collect::<Vec<_>>();
    Some(format!("{}({})", quoted(&procedure.name), types.join(",")))
}

fn operator_plain(oid: u32) -> Option<String> {
    operators().get(oid).map(|o| o.name.clone())
}

/// The type that a domain is of, through domains of domains; `None` for a type that is none.
fn base_type(oid: u32) -> Option<u32> {
    const DEPTH: usize = 16;
    let mut found = types().get(oid)?;
    for _ in 0..DEPTH {
        match types().get(found.base) {
            Some(base) => found = base,
            None => break,
        }
    }
    Some(found.oid)
}
