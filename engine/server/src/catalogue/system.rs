//! Types, functions and operators of PostgreSQL, to be looked up.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::embedded;

/// A type.
#[derive(Debug, Default)]
pub(crate) struct PgType {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) namespace: u32,
    pub(crate) length: i16,
    pub(crate) by_value: bool,
    pub(crate) align: String,
    pub(crate) storage: String,
    pub(crate) collation: u32,
    /// Type of the elements; 0 if it has none.
    pub(crate) element: u32,
    /// Type of arrays of it; 0 if there is none.
    pub(crate) array: u32,
    pub(crate) category: String,
    /// Type that a domain is of; 0 for others.
    pub(crate) base: u32,
}

/// A function, procedure, aggregate or window function.
#[derive(Debug, Default)]
pub(crate) struct Procedure {
    pub(crate) oid: u32,
    pub(crate) name: String,
    /// Whether it is in `pg_catalog`; in `information_schema` otherwise.
    pub(crate) in_catalogue: bool,
    pub(crate) returns: u32,
    pub(crate) returns_set: bool,
    pub(crate) variadic: bool,
    pub(crate) kind: String,
    /// Types of the arguments that go in.
    pub(crate) arguments: Vec<u32>,
    /// Types of all arguments, with `modes`; empty if all go in.
    pub(crate) all_arguments: Vec<u32>,
    pub(crate) modes: Vec<String>,
    pub(crate) names: Vec<String>,
}

/// An operator.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) left: u32,
    pub(crate) right: u32,
}

/// What is looked up by oid and by name.
#[derive(Debug)]
pub(crate) struct Book<T> {
    all: Vec<T>,
    by_oid: HashMap<u32, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl<T> Book<T> {
    fn new(all: Vec<T>, oid: impl Fn(&T) -> u32, name: impl Fn(&T) -> &str) -> Self {
        let by_oid = all.iter().enumerate().map(|(i, t)| (oid(t), i)).collect();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, item) in all.iter().enumerate() {
            by_name.entry(name(item).to_owned()).or_default().push(i);
        }
        Self { all, by_oid, by_name }
    }

    pub(crate) fn get(&self, oid: u32) -> Option<&T> {
        self.by_oid.get(&oid).and_then(|&i| self.all.get(i))
    }

    /// Those of a name, in the order of their oids.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &T> {
        self.by_name.get(name).into_iter().flatten().filter_map(|&i| self.all.get(i))
    }
}

static TYPES: LazyLock<Book<PgType>> = LazyLock::new(|| Book::new(read("pg_type", pg_type), |t| t.oid, |t| &t.name));
static PROCEDURES: LazyLock<Book<Procedure>> =
    LazyLock::new(|| Book::new(read("pg_proc", procedure), |p| p.oid, |p| &p.name));
static OPERATORS: LazyLock<Book<Operator>> =
    LazyLock::new(|| Book::new(read("pg_operator", operator), |o| o.oid, |o| &o.name));

/// All types.
pub(crate) fn types() -> &'static Book<PgType> {
    &TYPES
}

/// All functions.
pub(crate) fn procedures() -> &'static Book<Procedure> {
    &PROCEDURES
}

/// All operators.
pub(crate) fn operators() -> &'static Book<Operator> {
    &OPERATORS
}

/// The operator class by which an index sorts a type.
pub(crate) fn operator_class(of: u32) -> Option<u32> {
    static CLASSES: LazyLock<HashMap<u32, u32>> = LazyLock::new(|| {
        // Those of other kinds of index, and those that are asked for, are left out.
        let class = |row: &HashMap<&str, &str>| {
            let sorts = row.get("opcmethod") == Some(&"403") && row.get("opcdefault") == Some(&"t");
            sorts.then(|| (number(row, "opcintype"), number(row, "oid")))
        };
        read("pg_opclass", class).into_iter().flatten().collect()
    });
    CLASSES.get(&of).copied()
}

fn read<T>(name: &str, make: impl Fn(&HashMap<&str, &str>) -> T) -> Vec<T> {
    let sheet = embedded::sheet(&format!("rows/{name}")).ok().flatten().unwrap_or_default();
    let columns: Vec<&str> = sheet.columns.iter().map(String::as_str).collect();
    sheet.rows.iter().map(|row| make(&columns.iter().copied().zip(row.iter()).collect())).collect()
}

fn number<T: std::str::FromStr + Default>(row: &HashMap<&str, &str>, column: &str) -> T {
    row.get(column).and_then(|t| t.parse().ok()).unwrap_or_default()
}

fn word(row: &HashMap<&str, &str>, column: &str) -> String {
    row.get(column).copied().unwrap_or_default().to_owned()
}

fn words(row: &HashMap<&str, &str>, column: &str) -> Vec<String> {
    let text = row.get(column).copied().unwrap_or_default();
    let split = text.trim_matches(['{', '}']).split([',', ' ']).filter(|w| !w.is_empty());
    split.map(|w| w.trim_matches('"').to_owned()).collect()
}

fn oids(row: &HashMap<&str, &str>, column: &str) -> Vec<u32> {
    words(row, column).iter().filter_map(|w| w.parse().ok()).collect()
}

fn pg_type(row: &HashMap<&str, &str>) -> PgType {
    PgType {
        oid: number(row, "oid"),
        name: word(row, "typname"),
        namespace: number(row, "typnamespace"),
        length: number(row, "typlen"),
        by_value: row.get("typbyval") == Some(&"t"),
        align: word(row, "typalign"),
        storage: word(row, "typstorage"),
        collation: number(row, "typcollation"),
        element: number(row, "typelem"),
        array: number(row, "typarray"),
        category: word(row, "typcategory"),
        base: number(row, "typbasetype"),
    }
}

fn procedure(row: &HashMap<&str, &str>) -> Procedure {
    Procedure {
        oid: number(row, "oid"),
        name: word(row, "proname"),
        in_catalogue: row.get("pronamespace") == Some(&"11"),
        returns: number(row, "prorettype"),
        returns_set: row.get("proretset") == Some(&"t"),
        variadic: row.get("provariadic").is_some_and(|v| *v != "0"),
        kind: word(row, "prokind"),
        arguments: oids(row, "proargtypes"),
        all_arguments: oids(row, "proallargtypes"),
        modes: words(row, "proargmodes"),
        names: argument_names(row),
    }
}

/// Names keep their places, empty ones too.
fn argument_names(row: &HashMap<&str, &str>) -> Vec<String> {
    let text = row.get("proargnames").copied().unwrap_or_default().trim_matches(['{', '}']);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|w| w.trim_matches('"').to_owned()).collect()
}

fn operator(row: &HashMap<&str, &str>) -> Operator {
    Operator {
        oid: number(row, "oid"),
        name: word(row, "oprname"),
        left: number(row, "oprleft"),
        right: number(row, "oprright"),
    }
}

/// Descriptions that are the same in every database, by the oids of the catalogue and of the object.
pub(crate) fn fixed_descriptions() -> HashMap<(u32, u32), String> {
    let of = |row: &HashMap<&str, &str>| {
        ((number(row, "classoid"), number(row, "objoid")), number(row, "objsubid"), word(row, "description"))
    };
    read("pg_description", of)
        .into_iter()
        .filter(|(_, part, _): &(_, i32, _)| *part == 0)
        .map(|(key, _, text)| (key, text))
        .collect()
}

/// A column of `pg_get_keywords()`: 0 for the words, 1 for the codes of their kinds.
pub(crate) fn keyword_column(column: usize) -> Vec<String> {
    let sheet = embedded::sheet("keywords").ok().flatten().unwrap_or_default();
    sheet.rows.iter().filter_map(|row| row.get(column)).map(str::to_owned).collect()
}
