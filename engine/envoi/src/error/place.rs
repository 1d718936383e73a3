//! Where in a statement an error is that the engine below gives no place for: at the one thing of that text in it.

/// The byte that what a message names begins at, if the statement has it once.
pub(super) fn of(message: &str, sql: &str) -> Option<usize> {
    if let Some(value) = after(message, "Cannot cast string '")
        .or_else(|| after(message, "Cannot cast value '"))
        .or_else(|| after(message, "Error parsing timestamp from '"))
    {
        // A value that holds a quote ends elsewhere than its text does.
        return once(sql, &format!("'{}'", value.split('\'').next()?));
    }
    if let Some(value) = after(message, "Invalid input syntax for type interval: \"") {
        return once(sql, &format!("'{}'", value.split('"').next()?));
    }
    if let Some(name) = after(message, "Unsupported SQL type ") {
        return once_word(sql, name.split(|c: char| c.is_whitespace()).next()?);
    }
    if let Some(name) = after(message, "No field named ") {
        return once_word(sql, name.split([' ', ',']).next()?.trim_end_matches('.'));
    }
    let call = after(message, "argument types '").or_else(|| after(message, "call to '"))?;
    let name = call.split(['(', '\'']).next()?;
    let at = once_word(&sql.to_ascii_lowercase(), name)?;
    sql.get(at + name.len()..)?.trim_start().starts_with('(').then_some(at)
}

fn after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, rest)| rest)
}

fn once(sql: &str, text: &str) -> Option<usize> {
    let mut all = sql.match_indices(text);
    let (at, _) = all.next()?;
    all.next().is_none().then_some(at)
}

/// The same with nothing of a word before and after it.
fn once_word(sql: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |at: &usize| {
        let (before, rest) = (sql.get(..*at), sql.get(*at + word.len()..));
        !before.is_some_and(|b| b.ends_with(part)) && !rest.is_some_and(|r| r.starts_with(part))
    };
    if word.is_empty() {
        return None;
    }
    let mut all = sql.match_indices(word).map(|(at, _)| at).filter(whole);
    let at = all.next()?;
    all.next().is_none().then_some(at)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn places_are_those_of_what_is_named() {
        let cast = "Cast error: Cannot cast string 'abc' to value of Int32 type";
        assert_eq!(of(cast, "select 'abc'::int"), Some(7));
        assert_eq!(of(cast, "select 'abc'::int, 'abc'"), None);
        assert_eq!(of(cast, "select name::int from t"), None);
        assert_eq!(of("Unsupported SQL type notype", "select 1::notype"), Some(10));
        assert_eq!(of("call to 'sqrt' function", "select Sqrt ('a', 2)"), Some(7));
        assert_eq!(of("call to 'sqrt' function", "select sqrt from t"), None);
        assert_eq!(of("No field named nothing.", "select 1 order by nothing"), Some(18));
    }
}
