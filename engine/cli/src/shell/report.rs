//! Failures as people read them: place, message, the line with a caret, advice.

use std::ops::Range;

use envoi::Names;
use nu_ansi_term::{Color, Style};
use unicode_width::UnicodeWidthStr;

use super::names::{find_tables, nearest};
use crate::lexer::{self, Kind};
use crate::output::{fit, printable};
use crate::sources::tables_in;
use crate::statement::line_and_column;

/// One failure, with where it is in the text the user wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The offending stretch of the source, when known.
    pub(crate) span: Option<Range<usize>>,
}

impl Report {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    #[must_use]
    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The text for a terminal or a log. `origin` is the name of the source and
    /// the offset to point at when no better one is known; None at the prompt,
    /// where the source is what was just typed.
    pub(crate) fn render(&self, source: &str, origin: Option<(&str, usize)>, color: bool, width: usize) -> String {
        let paint = |style: Style, text: &str| if color { style.paint(text).to_string() } else { text.to_owned() };
        let mut out = String::new();
        if let Some((name, offset)) = origin {
            let (line, column) = line_and_column(source, self.span.as_ref().map_or(offset, |span| span.start));
            out.push_str(&format!("{}:{line}:{column}: ", printable(name)));
        }
        out.push_str(&format!("{} {}\n", paint(Color::Red.bold(), "error:"), one_line(&self.message)));
        if let Some(span) = &self.span {
            out.push_str(&excerpt(source, span, width, &paint));
        }
        if let Some(hint) = &self.hint {
            out.push_str(&format!("{} {}\n", paint(Color::Cyan.bold(), "hint:"), one_line(hint)));
        }
        out
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(|line| printable(line.trim()).into_owned()).collect::<Vec<_>>().join(" ")
}

/// The line of the source that holds the span's start, with carets under it.
fn excerpt(source: &str, span: &Range<usize>, width: usize, paint: &dyn Fn(Style, &str) -> String) -> String {
    let (number, _) = line_and_column(source, span.start);
    let start = source[..span.start.min(source.len())].rfind('\n').map_or(0, |i| i + 1);
    let end = source[start..].find('\n').map_or(source.len(), |i| start + i);
    let (left, right) = (span.start.clamp(start, end), span.end.clamp(span.start.min(end), end));
    let show = |text: &str| printable(&text.replace('\t', " ")).into_owned();
    let mut before = show(&source[start..left]);
    let (word, after) = (show(&source[left..right]), show(&source[right..end]));
    let gutter = format!("{number:>3} ");
    let room = width.saturating_sub(gutter.len() + 2).max(20);
    // A long line is shown from shortly before the word.
    if before.width() + word.width() > room {
        let keep: String = before.chars().rev().take(room / 3).collect();
        before = format!("…{}", keep.chars().rev().collect::<String>());
    }
    let line = fit(&format!("{before}{word}{after}"), room).into_owned();
    let carets = "^".repeat(word.width().clamp(1, room));
    let bar = paint(Style::new().dimmed(), "|");
    format!(
        "{}{bar} {line}\n{}{bar} {}{}\n",
        paint(Style::new().dimmed(), &gutter),
        " ".repeat(gutter.len()),
        " ".repeat(before.width()),
        paint(Color::Red.bold(), &carets)
    )
}

/// Where in `sql` an error points: the word at its position, or else the word
/// that its message quotes.
pub(crate) fn offending(sql: &str, position: Option<usize>, message: &str) -> Option<Range<usize>> {
    if let Some(position) = position {
        let at = lexer::tokens(sql).find(|t| t.end > position && t.start <= position);
        return Some(match at {
            Some(token) if token.is_significant() => token.start..token.end,
            // The end of the input, or a blank before something missing.
            _ => position.min(sql.len())..position.min(sql.len()),
        });
    }
    quoted_names(message).into_iter().find_map(|name| find_name(sql, name))
}

/// What a message puts in backticks, single or double quotes, in this order.
fn quoted_names(message: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for quote in ['`', '\'', '"'] {
        names.extend(message.split(quote).skip(1).step_by(2).filter(|name| !name.is_empty() && name.len() < 200));
    }
    names
}

/// The tokens of `sql` that spell `name`, which may be qualified.
fn find_name(sql: &str, name: &str) -> Option<Range<usize>> {
    let wanted = dotted(name);
    let words: Vec<_> = lexer::tokens(sql).filter(lexer::Token::is_significant).collect();
    let is_name = |t: &lexer::Token| matches!(t.kind, Kind::Word | Kind::QuotedName | Kind::Text | Kind::Number);
    let spells = |t: &lexer::Token, part: &str| {
        is_name(t) && (lexer::name_of(t, sql).eq_ignore_ascii_case(part) || t.text(sql).trim_matches('\'') == part)
    };
    // The longest tail that occurs: errors often add the schema or the table.
    for skip in 0..wanted.len() {
        let parts = &wanted[skip..];
        let length = parts.len() * 2 - 1;
        let hit = words.windows(length).find(|window| {
            window
                .iter()
                .enumerate()
                .all(|(i, t)| if i % 2 == 1 { t.is(sql, ".") } else { spells(t, parts[i / 2].as_str()) })
        });
        if let Some([first, ..]) = hit {
            let last = hit.and_then(|window| window.last()).unwrap_or(first);
            return Some(first.start..last.end);
        }
    }
    None
}

fn dotted(name: &str) -> Vec<String> {
    let parts: Vec<String> = lexer::tokens(name)
        .filter(|t| matches!(t.kind, Kind::Word | Kind::QuotedName | Kind::Number))
        .map(|t| lexer::name_of(&t, name))
        .collect();
    if parts.is_empty() { vec![name.to_owned()] } else { parts }
}

/// The name the user may have meant: columns of the statement's tables, tables
/// or functions, according to what the message says is missing.
pub(crate) fn suggestion(names: &Names, sql: &str, span: &Range<usize>, message: &str) -> Option<String> {
    let text = sql.get(span.clone())?;
    let token = lexer::tokens(text).filter(|t| matches!(t.kind, Kind::Word | Kind::QuotedName)).last()?;
    let word = lexer::name_of(&token, text);
    let message = message.to_lowercase();
    let missing = ["not exist", "not found", "unknown", "no field", "no such", "invalid function", "resolve"];
    if !missing.iter().any(|phrase| message.contains(phrase)) {
        return None;
    }
    let tables = || names.tables.iter().map(|t| t.name.as_str());
    let functions = || names.functions.iter().map(|f| f.name.as_str());
    if message.contains("function") {
        return nearest(&word, functions()).map(str::to_owned);
    }
    if message.contains("table") || message.contains("relation") || message.contains("view") {
        return nearest(&word, tables()).map(str::to_owned);
    }
    let mentioned: Vec<_> = tables_in(sql)
        .iter()
        .filter_map(|source| find_tables(names, source.schema.as_deref(), &source.name).first().copied())
        .collect();
    let columns = mentioned.iter().flat_map(|t| t.columns.iter().map(|c| c.name.as_str()));
    nearest(&word, columns).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, span: Option<Range<usize>>, expected: &str) {
        let report = Report { message: "bad".into(), hint: None, span };
        assert_eq!(report.render(source, Some(("f.sql", 0)), false, 80), expected);
    }

    #[test]
    fn carets() {
        check(
            "select é, remitance\nfrom t",
            Some(11..20),
            "f.sql:1:11: error: bad\n  1 | select é, remitance\n    |           ^^^^^^^^^\n",
        );
        check(
            "select 1\n\tfrom 日本 x",
            Some(22..23),
            "f.sql:2:10: error: bad\n  2 |  from 日本 x\n    |            ^\n",
        );
        check("select", Some(6..6), "f.sql:1:7: error: bad\n  1 | select\n    |       ^\n");
        check("select 1", None, "f.sql:1:1: error: bad\n");
    }

    #[test]
    fn long_lines_are_cut_around_the_word() {
        let source = format!("select {} oops {}", "a,".repeat(200), "b,".repeat(200));
        let at = source.find("oops").unwrap();
        let out = Report::new("bad").at(at..at + 4).render(&source, None, false, 60);
        let lines: Vec<_> = out.lines().collect();
        assert!(lines[1].width() <= 60, "{out}");
        let column = lines[2].find('^').unwrap();
        assert_eq!(lines[1].chars().skip(column).take(4).collect::<String>(), "oops", "{out}");
    }

    #[test]
    fn words_are_found_from_messages() {
        let sql = "select t.remitance, 'x' from mart.tabel t";
        let found = |message: &str| offending(sql, None, message).map(|span| &sql[span]);
        assert_eq!(found("column `remitance` does not exist"), Some("remitance"));
        assert_eq!(found("column `t.remitance` does not exist"), Some("t.remitance"));
        assert_eq!(found("table 'envoi.mart.tabel' not found"), Some("mart.tabel"));
        assert_eq!(found("nothing quoted"), None);
        assert_eq!(offending(sql, Some(7), "").map(|span| &sql[span]), Some("t"));
        assert_eq!(offending("select", Some(99), ""), Some(6..6));
    }
}
