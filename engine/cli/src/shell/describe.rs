//! `\d` and its kin: what there is to query.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use envoi::{Names, TableName};

use super::commands::Trouble;
use super::names::{find_tables, nearest, reference};
use super::{Shell, Stop};
use crate::lexer;
use crate::output::{OutputError, printable};

impl Shell {
    async fn all_names(&self) -> Result<Arc<Names>, Trouble> {
        self.names.current().await.map_err(|e| Trouble::new(e.to_string()))
    }

    /// `\d`, `\dt` and `\dv`. Without a pattern, the catalogue's own
    /// information_schema is left out: it would bury the rest.
    pub(super) async fn list_tables(&mut self, kind: Option<&str>, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let mut rows: Vec<[String; 4]> = names
            .tables
            .iter()
            .filter(|t| kind.is_none_or(|kind| kind == t.kind))
            .filter(|t| match pattern {
                Some(pattern) => matches(pattern, &t.name) || matches(pattern, &format!("{}.{}", t.schema, t.name)),
                None => t.schema != "information_schema",
            })
            .map(|t| [t.schema.clone(), t.name.clone(), t.kind.to_owned(), t.description.clone().unwrap_or_default()])
            .collect();
        rows.sort();
        self.show_rows("", ["schema", "name", "kind", "description"], &rows)
    }

    /// `\dn`.
    pub(super) async fn list_schemas(&mut self, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let mut rows: Vec<[String; 2]> = names
            .schemas
            .iter()
            .filter(|schema| pattern.is_none_or(|pattern| matches(pattern, schema)))
            .map(|schema| {
                let tables = names.tables.iter().filter(|t| &t.schema == schema).count();
                [schema.clone(), tables.to_string()]
            })
            .collect();
        rows.sort();
        self.show_rows("", ["schema", "tables"], &rows)
    }

    /// `\df`.
    pub(super) async fn list_functions(&mut self, pattern: Option<&str>) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let rows: Vec<[String; 3]> = names
            .functions
            .iter()
            .filter(|f| pattern.is_none_or(|pattern| matches(pattern, &f.name)))
            .map(|f| [f.signature.clone(), f.kind.to_owned(), first_line(&f.description)])
            .collect();
        self.show_rows("", ["function", "kind", "description"], &rows)
    }

    /// `\d NAME`: one table's columns.
    pub(super) async fn describe(&mut self, name: &str) -> Result<(), Trouble> {
        let names = self.all_names().await?;
        let mut parts: Vec<String> = lexer::tokens(name)
            .filter(|t| matches!(t.kind, lexer::Kind::Word | lexer::Kind::QuotedName))
            .map(|t| lexer::name_of(&t, name))
            .collect();
        let table = parts.pop().unwrap_or_default();
        let schema = parts.pop();
        let Some(found) = find_tables(&names, schema.as_deref(), &table).first().copied() else {
            return Err(no_such_table(&names, name, &table));
        };
        let rows: Vec<[String; 5]> = found
            .columns
            .iter()
            .map(|c| {
                let nullable = if c.nullable { "" } else { "not null" };
                [
                    c.name.clone(),
                    c.data_type.clone(),
                    nullable.to_owned(),
                    c.unit.clone().unwrap_or_default(),
                    c.description.clone().unwrap_or_default(),
                ]
            })
            .collect();
        self.show_rows(&title(found), ["column", "type", "null", "unit", "description"], &rows)
    }

    fn show_rows<const N: usize>(
        &mut self,
        title: &str,
        header: [&str; N],
        rows: &[[String; N]],
    ) -> Result<(), Trouble> {
        let columns = header.iter().enumerate().map(|(i, name)| {
            let values: ArrayRef = Arc::new(rows.iter().map(|row| Some(row[i].as_str())).collect::<StringArray>());
            (*name, values)
        });
        let shown = RecordBatch::try_from_iter(columns).map_err(OutputError::from);
        shown.and_then(|batch| self.show_table(title, &batch)).map_err(|e| match e {
            OutputError::Io(_) => Trouble::Stop(Stop::Closed),
            other => Trouble::new(other.to_string()),
        })
    }
}

fn title(table: &TableName) -> String {
    let name = format!("{} {}.{}", table.kind, printable(&table.schema), printable(&table.name));
    match table.description.as_deref().filter(|text| !text.is_empty()) {
        Some(description) => format!("{name}: {}", printable(&first_line(description))),
        None => name,
    }
}

fn no_such_table(names: &Names, asked: &str, table: &str) -> Trouble {
    let near = nearest(table, names.tables.iter().map(|t| t.name.as_str()));
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

/// Shell-like patterns, as psql has them: `*` and `?`, in any case. A pattern
/// without either also matches a part, so that `\df gini` finds `svy_gini`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if !pattern.contains(['*', '?']) {
        return name.contains(&pattern);
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Greedy matching with one point to return to: the last star.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("gini", "svy_gini", true),
            ("gini*", "svy_gini", false),
            ("*gini", "svy_gini", true),
            ("GIN?", "gini", true),
            ("a*b*c", "a_bb_bc", true),
            ("a*b*c", "a_bb_b", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
