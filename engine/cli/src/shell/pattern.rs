//! Patterns of `\d` and its kin, as psql reads them.

/// `*` and `?` match as in a shell, a dot parts schema from name, double quotes
/// make all they hold literal. Names are compared without case.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    schema: Option<Glob>,
    name: Glob,
}

#[derive(Debug, Clone, Default)]
struct Glob(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Just(char),
}

impl Pattern {
    /// Every text is a pattern. A catalogue before the schema is passed over:
    /// there is one.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = vec![Glob::default()];
        let mut quoted = false;
        for c in text.chars() {
            let piece = match c {
                '"' => {
                    quoted = !quoted;
                    continue;
                }
                '.' if !quoted => {
                    parts.push(Glob::default());
                    continue;
                }
                '*' if !quoted => Piece::Any,
                '?' if !quoted => Piece::One,
                c => Piece::Just(c),
            };
            if let Some(Glob(pieces)) = parts.last_mut() {
                match piece {
                    Piece::Just(c) => pieces.extend(c.to_lowercase().map(Piece::Just)),
                    other => pieces.push(other),
                }
            }
        }
        let name = parts.pop().unwrap_or_default();
        let whole = |glob: Glob| if glob.0.is_empty() { Glob(vec![Piece::Any]) } else { glob };
        let schema = parts.pop();
        // `mart.` is all of the schema.
        let name = if schema.is_some() { whole(name) } else { name };
        Self { schema: schema.map(whole), name }
    }

    /// Whether it may mean several names.
    pub(super) fn is_wild(&self) -> bool {
        self.schema.iter().chain([&self.name]).any(Glob::is_wild)
    }

    /// Whether it names a schema.
    pub(super) fn has_schema(&self) -> bool {
        self.schema.is_some()
    }

    /// Whether it is this name of this schema.
    pub(super) fn is(&self, schema: &str, name: &str) -> bool {
        self.schema.as_ref().is_none_or(|glob| glob.is(schema)) && self.name.is(name)
    }

    /// What it selects: whole names; or, of a pattern without `*` and `?` that is
    /// no name, names with it inside, so that `\df gini` finds `svy_gini`.
    pub(super) fn select<'a, T>(&self, all: &'a [T], name: impl Fn(&'a T) -> (&'a str, &'a str)) -> Vec<&'a T> {
        let pick = |pattern: &Self| all.iter().filter(|item| pattern.is(name(item).0, name(item).1)).collect();
        let exact: Vec<_> = pick(self);
        if !exact.is_empty() || self.name.is_wild() {
            return exact;
        }
        let inside = [&[Piece::Any], self.name.0.as_slice(), &[Piece::Any]].concat();
        pick(&Self { name: Glob(inside), ..self.clone() })
    }
}

impl Glob {
    fn is_wild(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Just(_)))
    }

    fn is(&self, text: &str) -> bool {
        let (pattern, text) = (&self.0, text.to_lowercase().chars().collect::<Vec<_>>());
        // Greedy matching with one point to return to: the last star.
        let (mut p, mut t, mut star) = (0, 0, None);
        while t < text.len() {
            match pattern.get(p) {
                Some(Piece::Any) => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(Piece::One) => (p, t) = (p + 1, t + 1),
                Some(Piece::Just(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
                _ => {
                    let Some((at, from)) = star else { return false };
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
            }
        }
        pattern.iter().skip(p).all(|piece| *piece == Piece::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, &str); 6] = [
        ("mart", "remittance_vs_oda"),
        ("mart", "remittance_growth"),
        ("lake", "country"),
        ("lake", "country_group"),
        ("session", "Odd.Name"),
        ("session", "star*"),
    ];

    fn check(pattern: &str, expected: &[&str]) {
        let found = Pattern::parse(pattern).select(&NAMES, |name| *name);
        assert_eq!(found.iter().map(|(_, name)| *name).collect::<Vec<_>>(), expected, "{pattern}");
    }

    #[test]
    fn names() {
        check("country", &["country"]);
        check("COUNTRY", &["country"]);
        check("group", &["country_group"]);
        check("lake.country", &["country"]);
        check("envoi.lake.country", &["country"]);
        check("mart.country", &[]);
    }

    #[test]
    fn globs() {
        check("mart.*", &["remittance_vs_oda", "remittance_growth"]);
        check("mart.", &["remittance_vs_oda", "remittance_growth"]);
        check("l*.*group", &["country_group"]);
        check("country*", &["country", "country_group"]);
        check("*oda", &["remittance_vs_oda"]);
        check("countr?", &["country"]);
        check("*a*b*", &[]);
        check("r*_*_o*a", &["remittance_vs_oda"]);
        check("nothing*", &[]);
        assert!(Pattern::parse("m?rt.country").is_wild() && !Pattern::parse("mart.country").is_wild());
    }

    #[test]
    fn quotes() {
        check("\"Odd.Name\"", &["Odd.Name"]);
        check("session.\"odd.name\"", &["Odd.Name"]);
        check("\"star*\"", &["star*"]);
        check("\"*\"", &["star*"]);
        assert!(!Pattern::parse("\"star*\"").is_wild());
    }
}
