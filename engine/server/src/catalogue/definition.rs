//! Views, keys and indexes as the SQL that would make them.

use super::relation::Relation;
use super::snapshot::{Foreign, Key, Snapshot, Table};
use super::system::{operators, types};

/// A name as SQL writes it: in quotes where it would be read as another one.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !reserved(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Words that are a name only in quotes; PostgreSQL's reserved ones and those that only functions and types may be.
fn reserved(name: &str) -> bool {
    const WORDS: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit \
boolean both case cast char character check coalesce collate collation column concurrently constraint create cross \
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal \
default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full \
grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join \
lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null \
nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references \
returning right row select session_user setof similar smallint some substring symmetric table tablesample then time \
timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with \
xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";
    WORDS.split_ascii_whitespace().any(|w| w == name)
}

/// The query of a view, with its final semicolon; `None` for a table.
pub(crate) fn view(relation: &Relation) -> Option<String> {
    let text = relation.definition.as_ref().filter(|_| relation.view)?;
    let text = text.trim_end();
    Some(if text.ends_with(';') { text.to_owned() } else { format!("{text};") })
}

/// `PRIMARY KEY (iso3, year)`.
pub(crate) fn primary(table: &Table, key: &Key) -> String {
    format!("PRIMARY KEY ({})", names(table, &key.columns))
}

/// `FOREIGN KEY (iso3) REFERENCES lake.economy(iso3)`, the schema where the name alone does not find it.
pub(crate) fn foreign(snapshot: &Snapshot, table: &Table, foreign: &Foreign) -> Option<String> {
    let target = snapshot.table(foreign.target)?;
    let name = relation_name(snapshot, foreign.target)?;
    Some(format!("FOREIGN KEY ({}) REFERENCES {name}({})", names(table, &foreign.columns), names(target, &foreign.to)))
}

/// `CREATE UNIQUE INDEX economy_pkey ON lake.economy USING btree (iso3)`; `short` leaves out a schema that is searched.
pub(crate) fn index(snapshot: &Snapshot, table: &Table, key: &Key, short: bool) -> String {
    let full = || format!("{}.{}", quoted(&table.relation.schema), quoted(&table.relation.name));
    let name = if short { relation_name(snapshot, table.oid).unwrap_or_else(full) } else { full() };
    format!("CREATE UNIQUE INDEX {} ON {name} USING btree ({})", quoted(&key.name), names(table, &key.columns))
}

/// A column of an index by its number there.
pub(crate) fn index_column(table: &Table, key: &Key, number: i32) -> Option<String> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    key.columns.get(place).map(|c| names(table, &[*c]))
}

/// The name of a relation or index as `regclass` writes it: with its schema where the name alone does not find it.
pub(crate) fn relation_name(snapshot: &Snapshot, oid: u32) -> Option<String> {
    let (schema, name) = snapshot.name_of(oid)?;
    let name = quoted(name);
    Some(if snapshot.visible(oid) == Some(true) { name } else { format!("{}.{name}", quoted(schema)) })
}

/// An operator as `regoperator` writes it.
pub(crate) fn operator_name(oid: u32) -> Option<String> {
    let operator = operators().get(oid)?;
    let type_name = |oid| if oid == 0 { "NONE".to_owned() } else { super::format::format_type(oid, None) };
    Some(format!("{}({},{})", operator.name, type_name(operator.left), type_name(operator.right)))
}

/// Whether a type is found by its name alone; `None` if there is none of the oid.
pub(crate) fn type_visible(oid: u32) -> Option<bool> {
    types().get(oid).map(|t| t.namespace == super::shape::PG_CATALOG)
}

fn names(table: &Table, numbers: &[i16]) -> String {
    let fields = table.relation.columns.fields();
    let name = |number: &i16| {
        let place = usize::try_from(*number).ok()?.checked_sub(1)?;
        fields.get(place).map(|f| quoted(f.name()))
    };
    numbers.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}
