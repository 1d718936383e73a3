//! Splits a script into statements and meta commands, each with its place.

use crate::lexer::{self, Kind};

/// One thing to do, borrowed from a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// What it is.
    pub(crate) kind: PieceKind,
    /// Its text: without the `;`, and without the blanks and comments before it.
    pub(crate) text: &'a str,
    /// Byte offset of `text` in the script.
    pub(crate) offset: usize,
    /// False for a statement that runs to the end of the script without `;`.
    pub(crate) terminated: bool,
}

/// Statement or meta command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// SQL for the engine.
    Sql,
    /// A backslash command; it starts where a statement could and ends with its line.
    Meta,
}

impl Piece<'_> {
    /// Whether this is a statement that plainly gives rows: what it starts with says so.
    pub(crate) fn gives_rows(&self) -> bool {
        const FIRST: [&str; 8] = ["select", "with", "values", "table", "from", "show", "explain", "describe"];
        let first = lexer::tokens(self.text).find(|t| t.is_significant() && !t.is(self.text, "("));
        self.kind == PieceKind::Sql && first.is_some_and(|t| FIRST.iter().any(|word| t.is_word(self.text, word)))
    }
}

/// The pieces of `script`, in order. A `;` inside a quote or a comment does not split.
pub(crate) fn split(script: &str) -> Vec<Piece<'_>> {
    scan(script).pieces
}

/// Whether everything typed so far can be run: nothing is left open, and the
/// last statement has its `;`.
pub(crate) fn is_complete(script: &str) -> bool {
    let scan = scan(script);
    scan.closed && scan.pieces.last().is_none_or(|piece| piece.terminated)
}

/// Line and column, both from 1, of a byte offset; columns count characters.
pub(crate) fn line_and_column(script: &str, offset: usize) -> (usize, usize) {
    let before = script.get(..floor_char(script, offset)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The nearest character boundary at or before `offset`.
pub(crate) fn floor_char(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

struct Scan<'a> {
    pieces: Vec<Piece<'a>>,
    closed: bool,
}

fn scan(script: &str) -> Scan<'_> {
    let (mut pieces, mut closed, mut at) = (Vec::new(), true, 0);
    // Where the current statement starts, and where its last meaningful token ends.
    let mut current: Option<(usize, usize)> = None;
    while let Some(token) = lexer::next(script, at) {
        if current.is_none() && token.is(script, "\\") {
            let end = script[at..].find('\n').map_or(script.len(), |i| at + i);
            pieces.push(Piece {
                kind: PieceKind::Meta,
                text: script[at..end].trim_end(),
                offset: at,
                terminated: true,
            });
            at = end;
            continue;
        }
        at = token.end;
        closed = token.closed;
        if token.is(script, ";") {
            if let Some((start, end)) = current.take() {
                pieces.push(Piece { kind: PieceKind::Sql, text: &script[start..end], offset: start, terminated: true });
            }
        } else if !matches!(token.kind, Kind::Space | Kind::Comment) {
            current = Some((current.map_or(token.start, |(start, _)| start), token.end));
        }
    }
    if let Some((start, end)) = current {
        pieces.push(Piece { kind: PieceKind::Sql, text: &script[start..end], offset: start, terminated: false });
    }
    Scan { pieces, closed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expected: &[(usize, usize, &str)]) {
        let found: Vec<_> = split(script)
            .iter()
            .map(|p| {
                let (line, column) = line_and_column(script, p.offset);
                (line, column, p.text)
            })
            .collect();
        assert_eq!(found, expected, "{script:?}");
    }

    #[test]
    fn splits_with_places() {
        check("select 1;\n  select 2 ;;", &[(1, 1, "select 1"), (2, 3, "select 2")]);
        check("select ';' ; select \";\"", &[(1, 1, "select ';'"), (1, 14, "select \";\"")]);
        check("select $$ ; $$; x", &[(1, 1, "select $$ ; $$"), (1, 17, "x")]);
        check("/* ; /* ; */ ; */ select 1 -- ;\n;", &[(1, 19, "select 1")]);
        check("select 'é'; select 2", &[(1, 1, "select 'é'"), (1, 13, "select 2")]);
        check("-- only a comment", &[]);
        check(
            "\\x\nselect 1;\n\\echo it's\nselect 2",
            &[(1, 1, "\\x"), (2, 1, "select 1"), (3, 1, "\\echo it's"), (4, 1, "select 2")],
        );
    }

    #[test]
    fn rows_are_foreseen() {
        let found = |script: &str| split(script).iter().map(Piece::gives_rows).collect::<Vec<_>>();
        assert_eq!(found("select 1; (select 2); WITH a as (select 1) select * from a"), [true, true, true]);
        assert_eq!(found("set x = 1; create table t as select 1; \\d\n"), [false, false, false]);
        assert_eq!(found("\\d\nshow all"), [false, true]);
    }

    #[test]
    fn completeness() {
        for done in ["", "  ", "select 1;", "select 1; -- x", "\\dt", "select 1;\n\\x", ";", "-- x"] {
            assert!(is_complete(done), "{done:?}");
        }
        for open in
            ["select 1", "select ';", "select 1 /* ;", "select $$;", "select 1; select 2", "/* x", "select 1;/*"]
        {
            assert!(!is_complete(open), "{open:?}");
        }
    }

    #[test]
    fn every_offset_has_a_place() {
        let text = "é\nxé";
        for offset in 0..10 {
            let (line, column) = line_and_column(text, offset);
            assert!(line <= 2 && column <= 3);
        }
    }
}
