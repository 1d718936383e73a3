//! What could stand at the cursor.

use std::fs;
use std::path::Path;

use clap::ValueEnum;
use envoi::{ColumnName, Names, TableName};

use super::keywords::KEYWORDS;
use crate::lexer::{self, Kind, Token};
use crate::output::{Format, printable};
use crate::shell::meta::COMMANDS;
use crate::shell::names::{find_tables, quote, reference};
use crate::sources::{common_tables, introduces_table, tables_in};
use crate::statement::{floor_char, split};

/// One completion: `text` replaces the bytes from `start` to `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) text: String,
    pub(super) about: Option<String>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a blank follows once it is chosen.
    pub(super) blank: bool,
}

/// All candidates at byte `pos` of `line`, the likeliest first: those that
/// begin with what was typed, then those that contain it.
pub(super) fn candidates(line: &str, pos: usize, names: Option<&Names>) -> Vec<Candidate> {
    let pos = floor_char(line, pos);
    let typed = &line[..pos];
    // The text since the statement before the cursor ended; comments included.
    let pieces = split(typed);
    let open = pieces.last().filter(|piece| !piece.terminated).map(|piece| piece.offset);
    let start = open.unwrap_or_else(|| pieces.last().map_or(0, |piece| piece.offset + piece.text.len()));
    let line_start = typed.rfind('\n').map_or(0, |i| i + 1);
    if typed[line_start..].trim_start().starts_with('\\') && start >= line_start {
        return meta(&typed[line_start..], line_start, names);
    }
    // What follows the cursor counts too: `select | from t`.
    let whole = split(line).into_iter().find(|piece| Some(piece.offset) == open);
    let statement = whole.map_or("", |piece| piece.text);
    let mut found = Collector::new(start, pos);
    sql(&typed[start..], statement, names, &mut found);
    found.finish()
}

/// Candidates gathered for one word.
struct Collector {
    word: String,
    start: usize,
    end: usize,
    found: Vec<Candidate>,
}

impl Collector {
    fn new(start: usize, end: usize) -> Self {
        Self { word: String::new(), start, end, found: Vec::new() }
    }

    fn add(&mut self, text: impl Into<String>, about: Option<String>, blank: bool) {
        let text = text.into();
        if self.found.iter().all(|c| c.text != text) {
            self.found.push(Candidate { text, about, start: self.start, end: self.end, blank });
        }
    }

    /// Keeps what fits the typed word, best first, otherwise in the given order.
    fn finish(self) -> Vec<Candidate> {
        let word = self.word.trim_start_matches('"').to_lowercase();
        let rank = |candidate: &Candidate| {
            let text = candidate.text.trim_start_matches('"').to_lowercase();
            // `schema.table` also begins with what its table begins with.
            let tail = text.rsplit_once('.').map(|(_, tail)| tail.starts_with(&word));
            match text.find(&word) {
                Some(0) => Some(0),
                Some(_) if tail == Some(true) => Some(1),
                // One letter occurs everywhere.
                Some(_) if word.chars().count() > 1 => Some(2),
                _ => None,
            }
        };
        let mut ranked: Vec<_> = self.found.into_iter().filter_map(|c| rank(&c).map(|rank| (rank, c))).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        // The only name that begins with the word is the one meant: Tab completes it at once.
        if ranked.iter().filter(|(rank, _)| *rank == 0).count() == 1 && !word.is_empty() {
            ranked.truncate(1);
        }
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

fn sql(typed: &str, statement: &str, names: Option<&Names>, found: &mut Collector) {
    let tokens: Vec<Token> = lexer::tokens(typed).collect();
    let base = found.start;
    let mut before: Vec<Token> = tokens.iter().copied().filter(Token::is_significant).collect();
    let last = tokens.last().copied();
    match last {
        Some(t) if !t.closed && t.kind == Kind::Comment => return,
        Some(t) if t.kind == Kind::Comment && t.text(typed).starts_with("--") => return,
        // An open quote after FROM is a file to query.
        Some(t) if t.kind == Kind::Text && !t.closed => {
            let quote = before.len().checked_sub(2).and_then(|i| before.get(i));
            if quote.is_some_and(|t| introduces_table(t.text(typed)) || t.is(typed, "(")) {
                found.start = base + t.start + 1;
                t.text(typed).trim_start_matches('\'').clone_into(&mut found.word);
                files(found);
            }
            return;
        }
        Some(t) if t.kind == Kind::Word || (t.kind == Kind::QuotedName && !t.closed) => {
            found.start = base + t.start;
            t.text(typed).clone_into(&mut found.word);
            before.pop();
        }
        Some(t) if matches!(t.kind, Kind::Number | Kind::Text | Kind::QuotedName) => return,
        _ => found.start = found.end,
    }
    let qualifier = qualifier(typed, &mut before);
    let Some(names) = names else {
        if qualifier.is_empty() {
            keywords(found);
        }
        return;
    };
    match qualifier.as_slice() {
        [] => unqualified(typed, statement, names, &before, found),
        [schema, table] => columns(find_tables(names, Some(schema), table).first().copied(), found),
        [.., first] => {
            let source = tables_in(statement).into_iter().find(|source| source.is_called(first));
            if let Some(source) = &source {
                columns(find_tables(names, source.schema.as_deref(), &source.name).first().copied(), found);
            }
            for table in names.tables.iter().filter(|t| t.schema.eq_ignore_ascii_case(first)) {
                found.add(quote(&table.name), table.description.clone(), true);
            }
        }
    }
}

/// The names before the cursor's word that end in a dot; they are taken off.
fn qualifier(typed: &str, before: &mut Vec<Token>) -> Vec<String> {
    let mut parts = Vec::new();
    while let [.., name, dot] = before.as_slice() {
        if !dot.is(typed, ".") || !matches!(name.kind, Kind::Word | Kind::QuotedName) {
            break;
        }
        parts.insert(0, lexer::name_of(name, typed));
        before.truncate(before.len() - 2);
    }
    parts
}

fn unqualified(typed: &str, statement: &str, names: &Names, before: &[Token], found: &mut Collector) {
    if wants_table(typed, before) {
        for name in common_tables(statement) {
            found.add(quote(&name), Some("from WITH".to_owned()), true);
        }
        tables(names, found);
        keywords(found);
        return;
    }
    let sources = tables_in(statement);
    for source in &sources {
        let table = find_tables(names, source.schema.as_deref(), &source.name).first().copied();
        columns(table, found);
        let name = source.alias.as_deref().unwrap_or(&source.name);
        found.add(quote(name), Some(format!("table {}", source.name)), false);
    }
    if !found.word.is_empty() {
        // Before FROM is typed, any column may be meant.
        if sources.is_empty() {
            for table in names.tables.iter().filter(|t| t.schema != "information_schema") {
                columns(Some(table), found);
            }
        }
        for function in &names.functions {
            let about = format!("{}\n{}", function.signature, function.description);
            found.add(format!("{}(", function.name), Some(about.trim().to_owned()), false);
        }
    }
    keywords(found);
    if !found.word.is_empty() {
        tables(names, found);
    }
}

/// Whether the cursor stands where a table goes: after FROM or JOIN, or after
/// a comma in a list of tables.
fn wants_table(typed: &str, before: &[Token]) -> bool {
    let mut depth = 0usize;
    let mut comma = false;
    for (i, token) in before.iter().enumerate().rev() {
        match token.text(typed) {
            ")" => depth += 1,
            "(" if depth == 0 => return false,
            "(" => depth -= 1,
            _ if depth > 0 => {}
            "," => comma = true,
            word if token.kind == Kind::Word && introduces_table(word) => return comma || i + 1 == before.len(),
            word if token.kind == Kind::Word
                && super::keywords::is_keyword(word)
                && !word.eq_ignore_ascii_case("as") =>
            {
                return false;
            }
            // A name with no comma after it: an alias or the next clause follows.
            _ if !comma => return false,
            _ => {}
        }
    }
    false
}

fn tables(names: &Names, found: &mut Collector) {
    let (catalogue, own): (Vec<_>, Vec<_>) = names.tables.iter().partition(|t| t.schema == "information_schema");
    for table in own {
        let about = table.description.clone().unwrap_or_else(|| format!("{} of {}", table.kind, table.schema));
        found.add(reference(table), Some(about), true);
    }
    for schema in &names.schemas {
        found.add(format!("{}.", quote(schema)), Some("schema".to_owned()), false);
    }
    for table in catalogue {
        found.add(reference(table), Some("view of the catalogue".to_owned()), true);
    }
}

fn columns(table: Option<&TableName>, found: &mut Collector) {
    for column in table.into_iter().flat_map(|table| &table.columns) {
        found.add(quote(&column.name), Some(describe(column)), false);
    }
}

/// `Float64, US$: remittances received`.
fn describe(column: &ColumnName) -> String {
    let mut about = column.data_type.clone();
    if let Some(unit) = &column.unit {
        about.push_str(&format!(", {unit}"));
    }
    if let Some(description) = &column.description {
        about.push_str(&format!(": {description}"));
    }
    printable(&about).into_owned()
}

/// Keywords in the case that is being typed.
fn keywords(found: &mut Collector) {
    let upper = found.word.starts_with(|c: char| c.is_ascii_uppercase());
    for keyword in KEYWORDS {
        let text = if upper { keyword.to_ascii_uppercase() } else { (*keyword).to_owned() };
        found.add(text, None, true);
    }
}

fn meta(line: &str, line_start: usize, names: Option<&Names>) -> Vec<Candidate> {
    let indent = line.len() - line.trim_start().len();
    let end = line_start + line.len();
    let Some(gap) = line[indent..].find(char::is_whitespace).map(|i| indent + i) else {
        let mut found = Collector::new(line_start + indent, end);
        line[indent..].clone_into(&mut found.word);
        for command in COMMANDS {
            let about = format!("{} {}", command.arguments, command.does);
            found.add(command.name, Some(about.trim().to_owned()), !command.arguments.is_empty());
        }
        return found.finish();
    };
    let word_start = line.rfind(char::is_whitespace).map_or(gap, |i| i + 1);
    let mut found = Collector::new(line_start + word_start, end);
    line[word_start..].clone_into(&mut found.word);
    match &line[indent..gap] {
        "\\i" | "\\o" | "\\e" | "\\include" => files(&mut found),
        "\\format" => {
            Format::value_variants().iter().for_each(|format| found.add(format.name(), None, false));
        }
        "\\x" | "\\timing" | "\\pager" => ["on", "off"].into_iter().for_each(|word| found.add(word, None, false)),
        "\\df" => {
            for function in names.iter().flat_map(|names| &names.functions) {
                found.add(function.name.as_str(), Some(function.signature.clone()), false);
            }
        }
        "\\d" | "\\dt" | "\\dv" => names.into_iter().for_each(|names| tables(names, &mut found)),
        _ => {}
    }
    found.finish()
}

/// Files and folders that begin with the typed path.
fn files(found: &mut Collector) {
    let (folder, prefix) = match found.word.rfind('/') {
        Some(slash) => found.word.split_at(slash + 1),
        None => ("", found.word.as_str()),
    };
    let path = match (folder.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => Path::new(&home).join(rest),
        _ => Path::new(if folder.is_empty() { "." } else { folder }).to_owned(),
    };
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<(bool, String)> = entries
        .filter_map(|entry| Some((entry.path().is_dir(), entry.file_name().into_string().ok()?)))
        .filter(|(_, name)| name.starts_with(prefix) && (!name.starts_with('.') || prefix.starts_with('.')))
        .collect();
    names.sort();
    let folder = folder.to_owned();
    for (is_folder, name) in names {
        found.add(format!("{folder}{name}{}", if is_folder { "/" } else { "" }), None, false);
    }
}

#[cfg(test)]
#[path = "candidates_tests.rs"]
mod tests;
