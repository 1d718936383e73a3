//! Units in title lines and headers: `(Millions of US dollars)` is `USD million`.

/// The unit a text states: what is counted, then the scale; `None` if it states none.
pub(super) fn of(text: &str) -> Option<String> {
    const SCALES: [(&str, &[&str]); 4] = [
        ("thousand", &["thousand", "thousands", "'000", "000s", "milliers", "miles", "tausend", "mil"]),
        ("million", &["million", "millions", "mn", "mln", "mio", "millones", "milhões", "millionen", "м"]),
        ("billion", &["billion", "billions", "bn", "bln", "milliards", "mrd", "bilhões"]),
        ("trillion", &["trillion", "trillions", "tn"]),
    ];
    const THINGS: [(&str, &[&str]); 15] = [
        (
            "USD",
            &[
                "us dollars",
                "us dollar",
                "u.s. dollars",
                "u.s. dollar",
                "us$",
                "usd",
                "us $",
                "dollars des états-unis",
                "dollars américains",
                "dólares",
                "dollars eu",
            ],
        ),
        ("EUR", &["euros", "euro", "eur", "€"]),
        ("GBP", &["pounds sterling", "pound sterling", "gbp", "£"]),
        ("JPY", &["yen", "jpy", "¥"]),
        ("XOF", &["fcfa", "cfa francs", "francs cfa", "xof"]),
        ("SDR", &["sdr", "sdrs"]),
        ("PKR", &["pakistani rupees", "pkr"]),
        ("INR", &["indian rupees", "inr", "₹"]),
        ("MXN", &["mexican pesos", "mxn"]),
        ("PHP", &["philippine pesos", "php"]),
        ("% of GDP", &["percent of gdp", "per cent of gdp", "% of gdp", "percentage of gdp", "% du pib", "% del pib"]),
        ("% of GNI", &["percent of gni", "per cent of gni", "% of gni", "percentage of gni"]),
        ("%", &["percent", "per cent", "percentage", "%", "pour cent", "por ciento"]),
        ("persons", &["persons", "people", "personnes", "personas", "migrants", "inhabitants"]),
        ("USD", &["dollars", "$"]),
    ];
    let lower = text.to_lowercase();
    let lower = lower.trim().trim_start_matches('(').trim_end_matches(')');
    if lower.is_empty() || lower.len() > 160 {
        return None;
    }
    let scale = SCALES.iter().find(|(_, names)| names.iter().any(|n| has_word(lower, n))).map(|(scale, _)| *scale);
    let thing = THINGS.iter().find(|(_, names)| names.iter().any(|n| has_word(lower, n))).map(|(thing, _)| *thing);
    match (thing, scale) {
        (Some(thing), Some(scale)) => Some(format!("{thing} {scale}")),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
    }
}

/// The unit of a table from its title lines: a line that is all unit is believed
/// first, then a part in brackets, then any line that names money or a scale.
pub(super) fn of_titles(titles: &[String]) -> Option<String> {
    let whole = |line: &&String| {
        let line = line.trim();
        let lower = line.to_lowercase();
        line.starts_with('(') && line.ends_with(')')
            || ["unit", "in ", "unité", "unidad", "en "].iter().any(|w| lower.starts_with(w))
            || line.split_whitespace().count() <= 4
    };
    let scaled = |unit: &String| !matches!(unit.as_str(), "persons" | "%");
    titles
        .iter()
        .filter(whole)
        .find_map(|line| of(line))
        .or_else(|| titles.iter().find_map(|line| in_brackets(line)))
        .or_else(|| titles.iter().find_map(|line| of(line).filter(scaled)))
}

/// The unit in the last brackets of a text, as in `Remittances (Million USD)`.
pub(super) fn in_brackets(text: &str) -> Option<String> {
    let open = text.rfind('(')?;
    of(text[open..].split(')').next()?)
}

fn has_word(text: &str, word: &str) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let letters = word.starts_with(char::is_alphanumeric);
    let end = word.ends_with(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        (!letters || edge(text[..at].chars().next_back())) && (!end || edge(text[at + word.len()..].chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let cases = [
            ("(Millions of US dollars)", Some("USD million")),
            ("US$ million", Some("USD million")),
            ("Thousands of persons", Some("persons thousand")),
            ("in per cent of GDP", Some("% of GDP")),
            ("Millones de dólares", Some("USD million")),
            ("Table 3. Workers' remittances received", None),
            ("Million", Some("million")),
        ];
        for (text, unit) in cases {
            assert_eq!(of(text).as_deref(), unit, "{text}");
        }
        let titles = ["Table 1. Migrants in 5 million homes".to_owned(), "(Millions of euros)".to_owned()];
        assert_eq!(of_titles(&titles).as_deref(), Some("EUR million"));
        assert_eq!(in_brackets("Workers Remittances (Million USD)").as_deref(), Some("USD million"));
    }
}
