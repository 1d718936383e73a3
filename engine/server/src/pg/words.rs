//! A statement as tokens with their places, and texts of several statements taken apart.

use envoi::sqlparser::dialect::PostgreSqlDialect;
use envoi::sqlparser::tokenizer::{Location, Token, Tokenizer, Whitespace};

use super::error::{PROGRAM_LIMIT_EXCEEDED, PgError, Result, SYNTAX_ERROR};

/// Bytes of a text that is taken apart.
const LONGEST: usize = 1 << 20;

/// A token and where it is, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) token: Token,
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

impl Word {
    /// Whether it may join two expressions, or queries, to one: neither a name, a value, nor between those of a list.
    pub(crate) fn joins(&self) -> bool {
        match &self.token {
            Token::Word(w) if w.quote_style.is_none() => {
                const WORDS: [&str; 14] = [
                    "and",
                    "or",
                    "not",
                    "union",
                    "except",
                    "intersect",
                    "like",
                    "ilike",
                    "is",
                    "in",
                    "between",
                    "at",
                    "collate",
                    "when",
                ];
                WORDS.iter().any(|word| w.value.eq_ignore_ascii_case(word))
            }
            Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => false,
            Token::Comma | Token::Period | Token::LParen | Token::RParen | Token::SemiColon => false,
            _ => true,
        }
    }
}

/// The tokens of a text, without blanks and comments.
///
/// # Errors
/// 42601 with the place, for a text or comment that does not end.
pub(crate) fn words(sql: &str) -> Result<Vec<Word>> {
    // Tokens take a hundred times the room of their text, before the engine's own limits are asked.
    if sql.len() > LONGEST {
        let message = format!("statement of {} bytes; at most {LONGEST} are taken", sql.len());
        return Err(PgError::new(PROGRAM_LIMIT_EXCEEDED, message));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().map_err(|e| {
        let mut error = PgError::new(SYNTAX_ERROR, format!("syntax error: {}", e.message.to_lowercase()));
        let place = Places::new(sql).byte(e.location);
        error.position = sql.get(..place).map(|before| before.chars().count() + 1);
        error
    })?;
    let mut places = Places::new(sql);
    let mut words = Vec::with_capacity(tokens.len());
    for token in tokens {
        let (begin, end) = (places.byte(token.span.start), places.byte(token.span.end));
        if matches!(token.token, Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab))
            || matches!(token.token, Token::Whitespace(_) | Token::EOF)
        {
            continue;
        }
        words.push(Word { token: token.token, begin, end });
    }
    Ok(words)
}

/// The statements of a text, each with its tokens and the byte it begins at; those between two semicolons with
/// nothing in them are left out.
pub(crate) fn statements(sql: &str) -> Result<Vec<(usize, String, Vec<Word>)>> {
    let mut all = Vec::new();
    let mut of_one: Vec<Word> = Vec::new();
    let mut take = |words: &mut Vec<Word>| {
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            let (begin, end) = (first.begin, last.end);
            let text = sql.get(begin..end).unwrap_or_default().to_owned();
            for word in words.iter_mut() {
                word.begin -= begin;
                word.end -= begin;
            }
            all.push((begin, text, std::mem::take(words)));
        }
    };
    for word in words(sql)? {
        if word.token == Token::SemiColon {
            take(&mut of_one);
        } else {
            of_one.push(word);
        }
    }
    take(&mut of_one);
    Ok(all)
}

/// Byte offsets of lines and columns, for places that come in order.
struct Places<'a> {
    sql: &'a str,
    byte: usize,
    line: u64,
    column: u64,
}

impl<'a> Places<'a> {
    fn new(sql: &'a str) -> Self {
        Self { sql, byte: 0, line: 1, column: 1 }
    }

    fn byte(&mut self, at: Location) -> usize {
        if (at.line, at.column) < (self.line, self.column) {
            (self.byte, self.line, self.column) = (0, 1, 1);
        }
        let rest = self.sql.get(self.byte..).unwrap_or_default();
        for c in rest.chars() {
            if (self.line, self.column) >= (at.line, at.column) {
                break;
            }
            self.byte += c.len_utf8();
            if c == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            } else {
                self.column += 1;
            }
        }
        self.byte
    }
}

/// Reads tokens one after another.
pub(crate) struct Reader<'a> {
    sql: &'a str,
    words: &'a [Word],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sql: &'a str, words: &'a [Word]) -> Self {
        Self { sql, words, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.words.get(self.at).map(|w| &w.token)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.words.len()
    }

    /// Whether the next token is that keyword, which is then read.
    pub(crate) fn keyword(&mut self, keyword: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is);
        is
    }

    /// The word of a statement that changes something, if the next one is one.
    pub(crate) fn writes(&mut self) -> Option<&'static str> {
        const WORDS: [&str; 23] = [
            "INSERT",
            "UPDATE",
            "DELETE",
            "MERGE",
            "TRUNCATE",
            "ALTER",
            "CREATE",
            "DROP",
            "GRANT",
            "REVOKE",
            "COMMENT",
            "REINDEX",
            "VACUUM",
            "ANALYZE",
            "REFRESH",
            "CLUSTER",
            "LOCK",
            "CALL",
            "DO",
            "SECURITY",
            "IMPORT",
            "REASSIGN",
            "CHECKPOINT",
        ];
        WORDS.into_iter().find(|word| self.keyword(word))
    }

    /// Whether the next tokens are those keywords; they are read together or not at all.
    pub(crate) fn keywords(&mut self, keywords: &[&str]) -> bool {
        let at = self.at;
        let all = keywords.iter().all(|k| self.keyword(k));
        if !all {
            self.at = at;
        }
        all
    }

    /// Whether the next token is that one, which is then read.
    pub(crate) fn token(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    /// A name: as it is if quoted, else in lower case.
    pub(crate) fn name(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Word(w)) => {
                self.at += 1;
                Ok(if w.quote_style.is_some() { w.value.clone() } else { w.value.to_lowercase() })
            }
            _ => Err(self.syntax()),
        }
    }

    /// What follows, as it was written.
    pub(crate) fn rest(&mut self) -> &'a str {
        let begin = self.words.get(self.at).map_or(self.sql.len(), |w| w.begin);
        self.at = self.words.len();
        self.sql.get(begin..).unwrap_or_default()
    }

    /// The byte that the next token begins at.
    pub(crate) fn begin(&self) -> usize {
        self.words.get(self.at).map_or(self.sql.len(), |w| w.begin)
    }

    /// What was read since that byte, as it was written.
    pub(crate) fn before(&self, from: usize) -> &'a str {
        let end = self.at.checked_sub(1).and_then(|last| self.words.get(last)).map_or(from, |w| w.end);
        self.sql.get(from..end).unwrap_or_default()
    }

    /// What is between two parentheses, of which the first comes next, as it was written.
    pub(crate) fn parenthesised(&mut self) -> Result<&'a str> {
        if !self.token(&Token::LParen) {
            return Err(self.syntax());
        }
        let begin = self.begin();
        let mut depth = 1_usize;
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            match word.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.sql.get(begin..word.begin).unwrap_or_default().trim_end());
            }
        }
        Err(self.syntax())
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Result<()> {
        if self.done() { Ok(()) } else { Err(self.syntax()) }
    }

    /// The syntax error at the next token.
    pub(crate) fn syntax(&self) -> PgError {
        let (what, place) = match self.words.get(self.at) {
            Some(word) => {
                (format!("at or near \"{}\"", self.sql.get(word.begin..word.end).unwrap_or_default()), word.begin)
            }
            None => ("at end of input".to_owned(), self.sql.len()),
        };
        let mut error = PgError::new(SYNTAX_ERROR, format!("syntax error {what}"));
        error.position = self.sql.get(..place).map(|before| before.chars().count() + 1);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_taken_apart() {
        let sql = "select 1; -- one; two\n ;; select ';' as \"a;b\" ;/* ; */ select $$;$$";
        let all = statements(sql).unwrap();
        let texts: Vec<&str> = all.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(texts, ["select 1", "select ';' as \"a;b\"", "select $$;$$"]);
        for (begin, text, _) in &all {
            assert_eq!(sql.get(*begin..begin + text.len()), Some(text.as_str()));
        }
        assert!(statements(" ; -- nothing\n").unwrap().is_empty());
    }

    #[test]
    fn places_are_bytes_of_texts_that_are_not_ascii() {
        let all = statements("select 'é' as x,\n 'ß';\nselect 2").unwrap();
        assert_eq!(all.last().map(|(_, text, _)| text.as_str()), Some("select 2"));
        let error = words("select 'never ends").unwrap_err();
        assert_eq!(error.sqlstate, SYNTAX_ERROR);
    }
}
