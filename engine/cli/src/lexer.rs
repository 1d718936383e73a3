//! One tolerant lexer for SQL as it is being typed.
//!
//! sqlparser's tokenizer refuses unfinished input and gives lines and columns;
//! splitting, variables, highlighting and completion all need byte offsets in
//! text that may stop inside a quote. A test holds this lexer to sqlparser's
//! reading of finished input.

/// What a stretch of SQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Blanks and line ends.
    Space,
    /// `-- …` or a nestable `/* … */`.
    Comment,
    /// A keyword or a bare name.
    Word,
    /// `"name"` or `` `name` ``.
    QuotedName,
    /// `'text'`, `E'text'` or `$tag$text$tag$`.
    Text,
    /// A numeric literal.
    Number,
    /// Anything else: one character, or one of `::`, `:=`, `=>`.
    Punctuation,
}

/// A stretch of SQL, by byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// False when the input ends inside this quote or comment.
    pub(crate) closed: bool,
}

impl Token {
    /// The token's text.
    pub(crate) fn text<'a>(&self, sql: &'a str) -> &'a str {
        sql.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether this is that word, in any case.
    pub(crate) fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }

    /// Whether this is that punctuation.
    pub(crate) fn is(&self, sql: &str, punctuation: &str) -> bool {
        self.kind == Kind::Punctuation && self.text(sql) == punctuation
    }

    /// Whether it carries meaning, that is, is neither blank nor comment.
    pub(crate) fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// All tokens of `sql`; together they cover it without gaps.
pub(crate) fn tokens(sql: &str) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let token = next(sql, at)?;
        at = token.end;
        Some(token)
    })
}

/// The name a `Word` or `QuotedName` stands for: bare names fold to lower case.
pub(crate) fn name_of(token: &Token, sql: &str) -> String {
    let text = token.text(sql);
    if token.kind != Kind::QuotedName {
        return text.to_lowercase();
    }
    let quote = if text.starts_with('`') { '`' } else { '"' };
    let inner = text.strip_prefix(quote).unwrap_or(text);
    let inner = if token.closed { inner.strip_suffix(quote).unwrap_or(inner) } else { inner };
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, &quote.to_string())
}

/// The token that starts at `start`, or None at the end.
pub(crate) fn next(sql: &str, start: usize) -> Option<Token> {
    let rest = sql.get(start..)?;
    let first = rest.chars().next()?;
    let (kind, length, closed) = match first {
        c if c.is_whitespace() => (Kind::Space, span(rest, char::is_whitespace), true),
        '-' if rest.starts_with("--") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len()), true),
        '/' if rest.starts_with("/*") => quoted(Kind::Comment, block_comment(rest), rest),
        '\'' => quoted(Kind::Text, closing(rest, 0, '\'', false), rest),
        'e' | 'E' if rest.get(1..2) == Some("'") => quoted(Kind::Text, closing(rest, 1, '\'', true), rest),
        '"' | '`' => quoted(Kind::QuotedName, closing(rest, 0, first, false), rest),
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let end = rest.get(tag.len()..).and_then(|body| body.find(tag)).map(|i| i + 2 * tag.len());
                quoted(Kind::Text, end, rest)
            }
            None => (Kind::Punctuation, 1, true),
        },
        c if c.is_ascii_digit() => (Kind::Number, number(rest), true),
        '.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => (Kind::Number, number(rest), true),
        c if c.is_alphabetic() || c == '_' => {
            (Kind::Word, span(rest, |c| c.is_alphanumeric() || c == '_' || c == '$'), true)
        }
        _ if ["::", ":=", "=>"].iter().any(|p| rest.starts_with(p)) => (Kind::Punctuation, 2, true),
        c => (Kind::Punctuation, c.len_utf8(), true),
    };
    Some(Token { kind, start, end: start + length, closed })
}

fn quoted(kind: Kind, end: Option<usize>, rest: &str) -> (Kind, usize, bool) {
    (kind, end.unwrap_or(rest.len()), end.is_some())
}

fn span(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// Where the quote that opens at byte `open` ends; a doubled quote stays inside.
fn closing(rest: &str, open: usize, quote: char, backslash: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(open + 1).peekable();
    while let Some((i, c)) = chars.next() {
        if c == '\\' && backslash {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, after)| *after == quote) {
                chars.next();
            } else {
                return Some(i + 1);
            }
        }
    }
    None
}

fn block_comment(rest: &str) -> Option<usize> {
    let (bytes, mut depth, mut i) = (rest.as_bytes(), 0usize, 0);
    while let (Some(a), Some(b)) = (bytes.get(i), bytes.get(i + 1)) {
        match (a, b) {
            (b'/', b'*') => (depth, i) = (depth + 1, i + 2),
            (b'*', b'/') => {
                (depth, i) = (depth - 1, i + 2);
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => i += 1,
        }
    }
    None
}

/// `$tag$`, where the tag is empty or a name; `$1` is a parameter.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 1;
    let tag = rest.get(1..end)?;
    let named = tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_ascii_digit());
    if named { rest.get(..=end) } else { None }
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |mut i: usize| {
        while bytes.get(i).is_some_and(|b| b.is_ascii_digit() || *b == b'_') {
            i += 1;
        }
        i
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoi::sqlparser::dialect::GenericDialect;
    use envoi::sqlparser::tokenizer::{Token as Theirs, Tokenizer};

    fn check(sql: &str, expected: &[(Kind, &str)]) {
        let ours: Vec<_> = tokens(sql).filter(|t| t.kind != Kind::Space).map(|t| (t.kind, t.text(sql))).collect();
        assert_eq!(ours, expected, "{sql}");
        assert_eq!(tokens(sql).map(|t| t.text(sql)).collect::<String>(), sql, "tokens cover the input");
    }

    #[test]
    fn kinds() {
        use Kind::*;
        check("select 1.5e-3", &[(Word, "select"), (Number, "1.5e-3")]);
        check("a::int", &[(Word, "a"), (Punctuation, "::"), (Word, "int")]);
        check("'it''s' x", &[(Text, "'it''s'"), (Word, "x")]);
        check(r"E'it\'s' x", &[(Text, r"E'it\'s'"), (Word, "x")]);
        check("$a$ ; $b$ ; $a$;", &[(Text, "$a$ ; $b$ ; $a$"), (Punctuation, ";")]);
        check("$1", &[(Punctuation, "$"), (Number, "1")]);
        check("/* a /* b */ ; */ x", &[(Comment, "/* a /* b */ ; */"), (Word, "x")]);
        check("-- é\nà", &[(Comment, "-- é"), (Word, "à")]);
    }

    #[test]
    fn unfinished() {
        for sql in ["'abc", "\"abc", "/* /* */", "$x$ abc", "E'abc\\'"] {
            assert!(!tokens(sql).last().unwrap().closed, "{sql}");
        }
    }

    #[test]
    fn agrees_with_sqlparser_on_finished_input() {
        let sql = "with t as (select a.\"B c\", 'x;''y' as s, $$d;q$$, 12.5e3 /* c /* n */ */ from x.y -- z\n) \
                   select count(*) filter (where s = 'é') from t where a >= 10 and b::int = 3";
        let theirs: Vec<String> = Tokenizer::new(&GenericDialect {}, sql)
            .tokenize()
            .unwrap()
            .into_iter()
            .filter_map(|t| match t {
                Theirs::Word(w) => Some(w.value),
                Theirs::Number(n, _) => Some(n),
                Theirs::SingleQuotedString(s) => Some(s),
                Theirs::DollarQuotedString(s) => Some(s.value),
                _ => None,
            })
            .collect();
        let ours: Vec<String> = tokens(sql)
            .filter_map(|t| match t.kind {
                Kind::Word | Kind::Number => Some(t.text(sql).to_owned()),
                Kind::QuotedName => Some(name_of(&t, sql)),
                Kind::Text => Some(t.text(sql).trim_matches(['\'', '$']).replace("''", "'")),
                _ => None,
            })
            .collect();
        assert_eq!(ours, theirs);
    }
}
