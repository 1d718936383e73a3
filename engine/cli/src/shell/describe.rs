//! `\d` and its kin: what there is to query.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use envoi::{Names, TableName};

use super::Shell;
use super::commands::Trouble;
use super::names::{find_tables, nearest, reference};
use super::pattern::Pattern;
use crate::lexer;
use crate::output::{OutputError, printable};

impl Shell {
    async fn all_names(&self) -> Result<Arc<Names>, Trouble> {
        self.names.current().await.map_err(|e| Trouble::new(e.to_string()))
    }

    /// `\d`, `\dt` and `\dv`. Where no schema is asked for, the catalogue's own
    /// information_schema is left out: it would bury the rest.
    pub(super) async fn list_tables(&mut self, kind: Option<&str>, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let asked = pattern.map(Pattern::parse);
        let mut found = selected(&names, asked.as_ref());
        let of_kind = |t: &&TableName| kind.is_none_or(|kind| kind == t.kind);
        // `\dt mart.*` asks what the schema has, and marts are views: the list says which is which.
        if asked.is_none() || found.iter().any(of_kind) {
            found.retain(of_kind);
        }
        if let Some(pattern) = pattern.filter(|_| found.is_empty()) {
            return Err(no_match("table or view", pattern, "\\d"));
        }
        let mut rows: Vec<[String; 4]> = found
            .iter()
            .map(|t| [t.schema.clone(), t.name.clone(), t.kind.to_owned(), t.description.clone().unwrap_or_default()])
            .collect();
        rows.sort();
        self.show_rows(&[Listing { title: String::new(), header: ["schema", "name", "kind", "description"], rows }])
    }

    /// `\dn`.
    pub(super) async fn list_schemas(&mut self, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let found = match pattern.map(Pattern::parse) {
            Some(pattern) => pattern.select(&names.schemas, |schema| ("", schema)),
            None => names.schemas.iter().collect(),
        };
        if let Some(pattern) = pattern.filter(|_| found.is_empty()) {
            return Err(no_match("schema", pattern, "\\dn"));
        }
        let tables = |schema: &str| names.tables.iter().filter(|t| t.schema == schema).count().to_string();
        let mut rows: Vec<[String; 2]> = found.into_iter().map(|schema| [schema.clone(), tables(schema)]).collect();
        rows.sort();
        self.show_rows(&[Listing { title: String::new(), header: ["schema", "tables"], rows }])
    }

    /// `\df`.
    pub(super) async fn list_functions(&mut self, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let found = match pattern.map(Pattern::parse) {
            Some(pattern) => pattern.select(&names.functions, |function| ("", &function.name)),
            None => names.functions.iter().collect(),
        };
        if let Some(pattern) = pattern.filter(|_| found.is_empty()) {
            return Err(no_match("function", pattern, "\\df"));
        }
        let rows = found.iter().map(|f| [f.signature.clone(), f.kind.to_owned(), first_line(&f.description)]).collect();
        self.show_rows(&[Listing { title: String::new(), header: ["function", "kind", "description"], rows }])
    }

    /// `\d NAME`: the columns of a table, or with `*` and `?` those of each that matches.
    pub(super) async fn describe(&mut self, name: &str) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let pattern = Pattern::parse(name);
        let found = match pattern.is_wild() {
            true => selected(&names, Some(&pattern)),
            // Of a name in several schemas, the one that a statement would see.
            false => {
                let (schema, table) = qualified(name);
                find_tables(&names, schema.as_deref(), &table).into_iter().take(1).collect()
            }
        };
        if found.is_empty() {
            return Err(if pattern.is_wild() {
                no_match("table or view", name, "\\d")
            } else {
                no_such_table(&names, name)
            });
        }
        let tables: Vec<_> = found.into_iter().map(columns).collect();
        self.show_rows(&tables)
    }

    fn show_rows<const N: usize>(&mut self, listings: &[Listing<N>]) -> Result<(), Trouble> {
        let shown =
            listings.iter().map(|l| Ok((l.title.as_str(), l.batch()?))).collect::<Result<Vec<_>, OutputError>>();
        shown.and_then(|tables| self.show_tables(&tables)).map_err(|e| Trouble::unshown(&e))
    }
}

/// Rows of text under a header.
struct Listing<const N: usize> {
    title: String,
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Listing<N> {
    fn batch(&self) -> Result<RecordBatch, OutputError> {
        let columns = self.header.iter().enumerate().map(|(i, name)| {
            let values: ArrayRef = Arc::new(self.rows.iter().map(|row| Some(row[i].as_str())).collect::<StringArray>());
            (*name, values)
        });
        Ok(RecordBatch::try_from_iter(columns)?)
    }
}

fn columns(table: &TableName) -> Listing<5> {
    let row = |c: &envoi::ColumnName| {
        [
            c.name.clone(),
            c.data_type.clone(),
            if c.nullable { "" } else { "not null" }.to_owned(),
            c.unit.clone().unwrap_or_default(),
            c.description.clone().unwrap_or_default(),
        ]
    };
    Listing {
        title: title(table),
        header: ["column", "type", "null", "unit", "description"],
        rows: table.columns.iter().map(row).collect(),
    }
}

/// The tables and views a pattern means; without one all but the catalogue's own.
fn selected<'a>(names: &'a Names, pattern: Option<&Pattern>) -> Vec<&'a TableName> {
    let own = |t: &&TableName| t.schema != "information_schema";
    let Some(pattern) = pattern else { return names.tables.iter().filter(own).collect() };
    let mut found = pattern.select(&names.tables, |t| (&t.schema, &t.name));
    if !pattern.has_schema() && found.iter().any(own) {
        found.retain(own);
    }
    found
}

/// Schema and name of `schema.name`; bare names fold to lower case.
fn qualified(name: &str) -> (Option<String>, String) {
    let mut parts: Vec<String> = lexer::tokens(name)
        .filter(|t| matches!(t.kind, lexer::Kind::Word | lexer::Kind::QuotedName))
        .map(|t| lexer::name_of(&t, name))
        .collect();
    let table = parts.pop().unwrap_or_default();
    (parts.pop(), table)
}

fn title(table: &TableName) -> String {
    let name = format!("{} {}.{}", table.kind, printable(&table.schema), printable(&table.name));
    match table.description.as_deref().filter(|text| !text.is_empty()) {
        Some(description) => format!("{name}: {}", printable(&first_line(description))),
        None => name,
    }
}

fn no_match(what: &str, pattern: &str, all: &str) -> Trouble {
    Trouble::new(format!("no {what} matches `{pattern}`; {all} lists what there is"))
}

fn no_such_table(names: &Names, asked: &str) -> Trouble {
    let near = nearest(&qualified(asked).1, names.tables.iter().map(|t| t.name.as_str()));
    let near = near.and_then(|near| names.tables.iter().find(|t| t.name == near));
    Trouble::new(match near {
        Some(near) => format!("table `{asked}` does not exist; did you mean `{}`?", reference(near)),
        None => format!("table `{asked}` does not exist; \\d lists what there is"),
    })
}

/// The first sentence or line, enough for a list.
fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
