//! What a statement asks of the server: what is the connection's own affair, and what goes to the engine.

use envoi::sqlparser::tokenizer::Token;

use super::error::{FEATURE_NOT_SUPPORTED, PgError, Result};
use super::words::{Reader, Word};

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Begin(Begin),
    /// Commit, and with `chain` begin anew.
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// `SET TRANSACTION …` and `SET SESSION CHARACTERISTICS …`.
    SetTransaction {
        begin: Begin,
        session: bool,
    },
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    ResetAll,
    Show(String),
    ShowAll,
    Declare(Declare),
    Fetch {
        cursor: String,
        direction: Direction,
        shown: bool,
    },
    /// Closes a cursor, or all.
    Close(Option<String>),
    Prepare {
        name: String,
        types: Vec<String>,
        query: String,
        begin: usize,
    },
    Execute {
        name: String,
        arguments: Option<String>,
    },
    Deallocate(Option<String>),
    Discard(Discard),
    CopyOut(CopyOut),
    Explain {
        analyze: bool,
        verbose: bool,
        query: String,
        begin: usize,
    },
    /// Stops listening, which nobody does.
    Unlisten,
    /// The engine's.
    Query,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Begin {
    /// It was asked to write.
    pub(crate) write: bool,
    /// The isolation that was asked for.
    pub(crate) isolation: Option<&'static str>,
}

/// A cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declare {
    pub(crate) name: String,
    pub(crate) binary: bool,
    pub(crate) hold: bool,
    pub(crate) scroll: bool,
    pub(crate) query: String,
    /// The byte that the query begins at.
    pub(crate) begin: usize,
}

/// Which rows are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// So many after the row where the cursor is.
    Forward(u64),
    /// All after it.
    All,
    /// So many before it, the nearest first, which only a cursor that keeps its rows can.
    Backward(u64),
    /// All before it.
    BackwardAll,
    /// The row of that number; counted from the end if it is below 0, and 0 is before the first.
    Absolute(i64),
    /// The row so many after the one where the cursor is, or before.
    Relative(i64),
}

/// What is discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discard {
    All,
    Plans,
    Sequences,
    Temp,
}

/// `COPY … TO STDOUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyOut {
    pub(crate) query: String,
    /// The byte that the query begins at, if it was written.
    pub(crate) begin: usize,
    /// Names and values of options.
    pub(crate) options: Vec<(String, Option<String>)>,
}

/// The command of a statement.
///
/// # Errors
/// 42601 in statements that are the connection's own; 0A000 for what this server has not.
pub(crate) fn command(sql: &str, words: &[Word]) -> Result<Command> {
    let mut r = Reader::new(sql, words);
    let command = match () {
        () if r.keyword("begin") => {
            let _ = r.keyword("work") || r.keyword("transaction");
            Command::Begin(modes(&mut r)?)
        }
        () if r.keywords(&["start", "transaction"]) => Command::Begin(modes(&mut r)?),
        () if r.keyword("commit") || r.keyword("end") => {
            if r.keyword("prepared") {
                return Err(not_here("prepared transactions"));
            }
            Command::Commit { chain: chain(&mut r) }
        }
        () if r.keyword("rollback") || r.keyword("abort") => {
            let _ = r.keyword("work") || r.keyword("transaction");
            match r.keyword("to") {
                true => {
                    let _ = r.keyword("savepoint");
                    Command::RollbackTo(r.name()?)
                }
                false => Command::Rollback { chain: chain(&mut r) },
            }
        }
        () if r.keyword("savepoint") => Command::Savepoint(r.name()?),
        () if r.keyword("release") => {
            let _ = r.keyword("savepoint");
            Command::Release(r.name()?)
        }
        () if r.keyword("set") => set(&mut r)?,
        () if r.keyword("reset") => match r.keyword("all") {
            true => Command::ResetAll,
            false => Command::Set { name: setting(&mut r)?, value: None, local: false },
        },
        () if r.keyword("show") => match r.keyword("all") {
            true => Command::ShowAll,
            false => Command::Show(setting(&mut r)?),
        },
        () if r.keyword("declare") => declare(&mut r)?,
        () if r.keyword("fetch") => fetch(&mut r, true)?,
        () if r.keyword("move") => fetch(&mut r, false)?,
        () if r.keyword("close") => match r.keyword("all") {
            true => Command::Close(None),
            false => Command::Close(Some(r.name()?)),
        },
        () if r.keyword("prepare") => prepare(&mut r)?,
        () if r.keyword("execute") => {
            let name = r.name()?;
            let arguments = if r.done() { None } else { Some(r.parenthesised()?.to_owned()) };
            Command::Execute { name, arguments }
        }
        () if r.keyword("deallocate") => {
            let _ = r.keyword("prepare");
            match r.keyword("all") {
                true => Command::Deallocate(None),
                false => Command::Deallocate(Some(r.name()?)),
            }
        }
        () if r.keyword("discard") => Command::Discard(match r.name()?.as_str() {
            "all" => Discard::All,
            "plans" => Discard::Plans,
            "sequences" => Discard::Sequences,
            "temp" | "temporary" => Discard::Temp,
            _ => return Err(Reader::new(sql, words).syntax()),
        }),
        () if r.keyword("copy") => copy(&mut r)?,
        () if r.keyword("explain") => explain(&mut r)?,
        () if r.keyword("unlisten") => {
            r.rest();
            Command::Unlisten
        }
        () if r.keyword("listen") || r.keyword("notify") => return Err(not_here("LISTEN and NOTIFY")),
        () if let Some(word) = r.writes() => {
            return Err(PgError::new(READ_ONLY, format!("cannot execute {word} in a read-only transaction")));
        }
        () => {
            r.rest();
            Command::Query
        }
    };
    r.end()?;
    Ok(command)
}

fn not_here(what: &str) -> PgError {
    PgError::new(FEATURE_NOT_SUPPORTED, format!("{what} are not supported: this server is read-only"))
}

fn chain(r: &mut Reader<'_>) -> bool {
    let _ = r.keyword("work") || r.keyword("transaction");
    if r.keywords(&["and", "no", "chain"]) {
        return false;
    }
    r.keywords(&["and", "chain"])
}

/// Isolation, access and deferral; every one means the same here: one version of the lake, read.
fn modes(r: &mut Reader<'_>) -> Result<Begin> {
    let mut begin = Begin::default();
    while !r.done() {
        let known = match () {
            () if r.keywords(&["isolation", "level"]) => {
                let levels = ["read committed", "read uncommitted", "repeatable read", "serializable"];
                begin.isolation = levels.into_iter().find(|level| r.keywords(&level.split(' ').collect::<Vec<_>>()));
                begin.isolation.is_some()
            }
            () if r.keywords(&["read", "only"]) => true,
            () if r.keywords(&["read", "write"]) => {
                begin.write = true;
                true
            }
            () => r.keyword("deferrable") || r.keywords(&["not", "deferrable"]) || r.token(&Token::Comma),
        };
        if !known {
            return Err(r.syntax());
        }
    }
    Ok(begin)
}

fn set(r: &mut Reader<'_>) -> Result<Command> {
    let session = r.keyword("session");
    if session && r.keywords(&["characteristics", "as", "transaction"]) {
        return Ok(Command::SetTransaction { begin: modes(r)?, session: true });
    }
    let local = !session && r.keyword("local");
    if r.keyword("transaction") {
        return Ok(Command::SetTransaction { begin: modes(r)?, session: false });
    }
    // Settings that have a spelling of their own.
    for (words, name) in [
        (&["time", "zone"][..], "timezone"),
        (&["names"], "client_encoding"),
        (&["session", "authorization"], "session_authorization"),
        (&["role"], "role"),
        (&["xml", "option"], "xmloption"),
    ] {
        // `SET SESSION AUTHORIZATION x`: the first word was read as the scope.
        let found = r.keywords(words) || (session && name == "session_authorization" && r.keyword("authorization"));
        if found {
            if !r.token(&Token::Eq) {
                let _ = r.keyword("to");
            }
            return Ok(Command::Set { name: name.to_owned(), value: value(r)?, local });
        }
    }
    let name = setting(r)?;
    if !(r.token(&Token::Eq) || r.keyword("to")) {
        return Err(r.syntax());
    }
    Ok(Command::Set { name, value: value(r)?, local })
}

/// The name of a setting, `time zone` and the like included.
fn setting(r: &mut Reader<'_>) -> Result<String> {
    if r.keywords(&["time", "zone"]) {
        return Ok("timezone".to_owned());
    }
    if r.keywords(&["transaction", "isolation", "level"]) {
        return Ok("transaction_isolation".to_owned());
    }
    if r.keywords(&["session", "authorization"]) {
        return Ok("session_authorization".to_owned());
    }
    let mut name = r.name()?;
    while r.token(&Token::Period) {
        name.push('.');
        name.push_str(&r.name()?);
    }
    Ok(name)
}

/// Values, joined by commas; `None` for DEFAULT.
fn value(r: &mut Reader<'_>) -> Result<Option<String>> {
    if r.keyword("default") || (r.keyword("local") && r.done()) {
        return Ok(None);
    }
    let mut all: Vec<String> = Vec::new();
    loop {
        let minus = r.token(&Token::Minus);
        let one = match r.next() {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => text.clone(),
            Some(Token::DollarQuotedString(text)) => text.value.clone(),
            Some(Token::Number(digits, _)) => format!("{}{digits}", if minus { "-" } else { "" }),
            Some(Token::Plus) => continue,
            Some(Token::Word(w)) if w.quote_style.is_some() => w.value.clone(),
            Some(Token::Word(w)) if w.value.eq_ignore_ascii_case("interval") => continue,
            Some(Token::Word(w)) => w.value.to_lowercase(),
            _ => return Err(r.syntax()),
        };
        all.push(one);
        if !r.token(&Token::Comma) {
            break;
        }
    }
    // `SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE`.
    if r.keyword("hour") {
        let _ = r.keywords(&["to", "minute"]);
    }
    Ok(Some(all.join(", ")))
}

fn declare(r: &mut Reader<'_>) -> Result<Command> {
    let name = r.name()?;
    let (mut binary, mut scroll) = (false, false);
    loop {
        match () {
            () if r.keyword("binary") => binary = true,
            () if r.keyword("insensitive") || r.keyword("asensitive") => {}
            () if r.keywords(&["no", "scroll"]) => {}
            () if r.keyword("scroll") => scroll = true,
            () => break,
        }
    }
    if !r.keyword("cursor") {
        return Err(r.syntax());
    }
    let hold = r.keywords(&["with", "hold"]);
    let _ = r.keywords(&["without", "hold"]);
    if !r.keyword("for") {
        return Err(r.syntax());
    }
    let begin = r.begin();
    Ok(Command::Declare(Declare { name, binary, hold, scroll, query: r.rest().to_owned(), begin }))
}

fn fetch(r: &mut Reader<'_>, shown: bool) -> Result<Command> {
    let direction = match () {
        () if r.keyword("next") => Direction::Forward(1),
        () if r.keyword("all") => Direction::All,
        () if r.keyword("forward") => match r.keyword("all") {
            true => Direction::All,
            false => of_sign(signed(r)?.unwrap_or(1)),
        },
        () if r.keyword("prior") => Direction::Backward(1),
        () if r.keyword("backward") => match r.keyword("all") {
            true => Direction::BackwardAll,
            false => of_sign(-signed(r)?.unwrap_or(1)),
        },
        () if r.keyword("first") => Direction::Absolute(1),
        () if r.keyword("last") => Direction::Absolute(-1),
        () if r.keyword("absolute") => Direction::Absolute(signed(r)?.ok_or_else(|| r.syntax())?),
        () if r.keyword("relative") => Direction::Relative(signed(r)?.ok_or_else(|| r.syntax())?),
        () => of_sign(signed(r)?.unwrap_or(1)),
    };
    let _ = r.keyword("from") || r.keyword("in");
    Ok(Command::Fetch { cursor: r.name()?, direction, shown })
}

/// A number of rows, backwards if it is below 0.
fn of_sign(rows: i64) -> Direction {
    if rows < 0 { Direction::Backward(rows.unsigned_abs()) } else { Direction::Forward(rows.unsigned_abs()) }
}

fn signed(r: &mut Reader<'_>) -> Result<Option<i64>> {
    let minus = r.token(&Token::Minus);
    let Some(Token::Number(digits, _)) = r.peek() else { return if minus { Err(r.syntax()) } else { Ok(None) } };
    let number: i64 = digits.parse().map_err(|_| r.syntax())?;
    r.next();
    Ok(Some(if minus { -number } else { number }))
}

fn prepare(r: &mut Reader<'_>) -> Result<Command> {
    if r.keyword("transaction") {
        return Err(not_here("prepared transactions"));
    }
    let name = r.name()?;
    let types = match r.peek() {
        Some(Token::LParen) => r.parenthesised()?.split(',').map(|t| t.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    if !r.keyword("as") {
        return Err(r.syntax());
    }
    let begin = r.begin();
    Ok(Command::Prepare { name, types, query: r.rest().to_owned(), begin })
}

fn copy(r: &mut Reader<'_>) -> Result<Command> {
    let (query, begin) = match r.peek() {
        Some(Token::LParen) => {
            let begin = r.begin() + 1;
            (r.parenthesised()?.to_owned(), begin)
        }
        _ => {
            let from = r.begin();
            r.name()?;
            while r.token(&Token::Period) {
                r.name()?;
            }
            let table = r.before(from).to_owned();
            let columns = match r.peek() {
                Some(Token::LParen) => r.parenthesised()?,
                _ => "*",
            };
            (format!("select {columns} from {table}"), 0)
        }
    };
    if r.keyword("from") {
        return Err(PgError::new(READ_ONLY, "cannot execute COPY FROM in a read-only transaction"));
    }
    if !r.keyword("to") {
        return Err(r.syntax());
    }
    if !r.keyword("stdout") {
        return Err(PgError::new("42501", "COPY to a file or a program is not for readers; use COPY TO STDOUT"));
    }
    let _ = r.keyword("with");
    let mut options = Vec::new();
    match r.token(&Token::LParen) {
        true => loop {
            let name = r.name()?;
            options.push((name, option(r)?));
            if !r.token(&Token::Comma) {
                if !r.token(&Token::RParen) {
                    return Err(r.syntax());
                }
                break;
            }
        },
        // The spelling before PostgreSQL 9.
        false => {
            while !r.done() {
                let name = r.name()?;
                match name.as_str() {
                    "binary" | "csv" => options.push(("format".to_owned(), Some(name))),
                    "header" => options.push((name, None)),
                    "delimiter" | "null" | "quote" | "escape" => {
                        let _ = r.keyword("as");
                        options.push((name, option(r)?));
                    }
                    "force" => {
                        if !r.keyword("quote") {
                            return Err(r.syntax());
                        }
                        options.push(("force_quote".to_owned(), option(r)?));
                    }
                    _ => return Err(r.syntax()),
                }
            }
        }
    }
    Ok(Command::CopyOut(CopyOut { query, begin, options }))
}

/// SQLSTATE of writes.
pub(crate) const READ_ONLY: &str = "25006";

/// The value of an option of COPY; lists of columns are joined by commas.
fn option(r: &mut Reader<'_>) -> Result<Option<String>> {
    match r.peek() {
        Some(Token::Comma | Token::RParen) | None => Ok(None),
        Some(Token::LParen) => r.parenthesised().map(|t| Some(t.to_owned())),
        Some(Token::Mul) => {
            r.next();
            Ok(Some("*".to_owned()))
        }
        Some(Token::Number(digits, _)) => {
            r.next();
            Ok(Some(digits.clone()))
        }
        Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => {
            r.next();
            Ok(Some(text.clone()))
        }
        Some(Token::Word(_)) => r.name().map(Some),
        Some(_) => Err(r.syntax()),
    }
}

fn explain(r: &mut Reader<'_>) -> Result<Command> {
    let (mut analyze, mut verbose) = (false, false);
    if matches!(r.peek(), Some(Token::LParen)) {
        for option in r.parenthesised()?.split(',') {
            let mut parts = option.split_whitespace();
            let name = parts.next().unwrap_or_default().to_lowercase();
            let on = !matches!(parts.next().map(str::to_lowercase).as_deref(), Some("off" | "false" | "0"));
            match name.as_str() {
                "analyze" => analyze = on,
                "verbose" => verbose = on,
                "costs" | "settings" | "buffers" | "wal" | "timing" | "summary" | "format" | "generic_plan" => {}
                _ => {
                    return Err(PgError::new(
                        super::error::SYNTAX_ERROR,
                        format!("unrecognized EXPLAIN option \"{name}\""),
                    ));
                }
            }
        }
    } else {
        loop {
            match () {
                () if r.keyword("analyze") || r.keyword("analyse") => analyze = true,
                () if r.keyword("verbose") => verbose = true,
                () => break,
            }
        }
    }
    let begin = r.begin();
    Ok(Command::Explain { analyze, verbose, query: r.rest().to_owned(), begin })
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
