//! Colours for SQL as it is typed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use envoi::Names;
use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use super::keywords::is_keyword;
use crate::lexer::{self, Kind, Token};
use crate::shell::names::KnownNames;

/// Colours keywords, functions, text, numbers and comments. The first
/// keystroke also starts loading the names that completion will want.
pub(super) struct SqlHighlighter {
    names: KnownNames,
    functions: Mutex<Functions>,
}

/// The functions' names, looked up on every keystroke.
#[derive(Default)]
struct Functions {
    of: Option<Arc<Names>>,
    set: HashSet<String>,
}

impl SqlHighlighter {
    pub(super) fn new(names: KnownNames) -> Self {
        Self { names, functions: Mutex::default() }
    }
}

impl Highlighter for SqlHighlighter {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let names = if line.is_empty() { None } else { self.names.peek() };
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = names
            && !functions.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &names))
        {
            functions.set = names.functions.iter().map(|f| f.name.to_lowercase()).collect();
            functions.of = Some(names);
        }
        let mut styled = StyledText::new();
        for (style, text) in paint(line, |word| functions.set.contains(word)) {
            styled.push((style, text.to_owned()));
        }
        styled
    }
}

/// The line in styled stretches that together are the line.
fn paint(line: &str, is_function: impl Fn(&str) -> bool) -> Vec<(Style, &str)> {
    if line.trim_start().starts_with('\\') {
        let end = line.find('\n').unwrap_or(line.len());
        let (command, rest) = line.split_at(end);
        let mut styled = vec![(Style::new().fg(Color::Yellow), command)];
        if !rest.is_empty() {
            styled.extend(paint(rest, is_function));
        }
        return styled;
    }
    let tokens: Vec<Token> = lexer::tokens(line).collect();
    let mut styled = Vec::with_capacity(tokens.len());
    for (i, token) in tokens.iter().enumerate() {
        let next = tokens[i + 1..].iter().find(|t| t.kind != Kind::Space);
        let called = next.is_some_and(|t| t.is(line, "("));
        let text = token.text(line);
        let style = match token.kind {
            Kind::Comment => Style::new().fg(Color::DarkGray).italic(),
            Kind::Text => Style::new().fg(Color::Green),
            Kind::Number => Style::new().fg(Color::Magenta),
            Kind::QuotedName => Style::new().fg(Color::LightYellow),
            // `left(` and `replace(` are functions, `values (` and `in (` are not.
            Kind::Word if called && is_function(&text.to_lowercase()) => Style::new().fg(Color::Cyan),
            Kind::Word if is_keyword(text) => Style::new().fg(Color::Blue).bold(),
            _ => Style::new(),
        };
        styled.push((style, text));
    }
    styled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let styled = paint(line, |word| word == "gini" || word == "left");
        assert_eq!(styled.iter().map(|(_, text)| *text).collect::<String>(), line);
        let marks: Vec<String> = styled
            .iter()
            .filter_map(|(style, text)| {
                let mark = match style.foreground? {
                    Color::Blue => "k",
                    Color::Cyan => "f",
                    Color::Green => "t",
                    Color::Magenta => "n",
                    Color::DarkGray => "c",
                    Color::LightYellow => "q",
                    Color::Yellow => "m",
                    _ => "?",
                };
                Some(format!("{mark}:{text}"))
            })
            .collect();
        assert_eq!(marks.join(" "), expected);
    }

    #[test]
    fn kinds() {
        check("select gini(x, 1.5) from t -- c", "k:select f:gini n:1.5 k:from c:-- c");
        check("select \"A b\", 'x' where left (a) = year", "k:select q:\"A b\" t:'x' k:where f:left");
        check("a left join b", "k:left k:join");
        check("\\d x", "m:\\d x");
    }

    #[test]
    fn unfinished_input_is_coloured_to_its_end() {
        check("select 'abc from", "k:select t:'abc from");
        check("select /* abc", "k:select c:/* abc");
    }
}
