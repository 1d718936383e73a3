//! An equivalence scale as users write it.

use std::fmt;

/// What a household's income is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EquivalenceScale {
    Household,
    PerHead,
    SquareRoot,
    OecdModified,
    Parametric { phi: f64, theta: f64 },
}

const NAMED: [(&str, EquivalenceScale); 4] = [
    ("household", EquivalenceScale::Household),
    ("per_head", EquivalenceScale::PerHead),
    ("square_root", EquivalenceScale::SquareRoot),
    ("oecd_modified", EquivalenceScale::OecdModified),
];

impl EquivalenceScale {
    /// Reads a scale; the error says what is expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_lowercase();
        if let Some((_, scale)) = NAMED.iter().find(|(name, _)| *name == lower) {
            return Ok(*scale);
        }
        let expected = || {
            let names: Vec<String> = NAMED.iter().map(|(name, _)| format!("'{name}'")).collect();
            format!("{} or 'parametric PHI THETA', two numbers from 0 to 1", names.join(", "))
        };
        let words: Vec<&str> = lower.split_whitespace().collect();
        let ["parametric", phi, theta] = words.as_slice() else { return Err(expected()) };
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| (0.0..=1.0).contains(n)).ok_or_else(expected);
        Ok(Self::Parametric { phi: number(phi)?, theta: number(theta)? })
    }

    /// What stands for `$equivalence_scale_…` in a query over table `household`.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let number = match self {
            // A household of which the size is not known has an income all the same.
            Self::Household => "1.0".to_owned(),
            Self::PerHead => "size_persons".to_owned(),
            Self::SquareRoot => "sqrt(size_persons)".to_owned(),
            Self::OecdModified => "adult_equiv(adults, children, 'oecd_modified')".to_owned(),
            Self::Parametric { phi, theta } => {
                format!("adult_equiv(adults, children, 'parametric', {phi:?}, {theta:?})")
            }
        };
        vec![("number", number)]
    }
}

impl fmt::Display for EquivalenceScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMED.iter().find(|(_, scale)| scale == self), self) {
            (None, Self::Parametric { phi, theta }) => write!(f, "parametric {phi} {theta}"),
            (named, _) => f.write_str(named.map_or("household", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EquivalenceScale;

    #[test]
    fn scales_are_read_and_printed() {
        for (text, expected) in [
            ("per_head", "per_head"),
            (" OECD_modified ", "oecd_modified"),
            ("square_root", "square_root"),
            ("household", "household"),
            ("parametric 0.5 0.90", "parametric 0.5 0.9"),
        ] {
            assert_eq!(EquivalenceScale::parse(text).unwrap().to_string(), expected);
        }
        for text in ["", "capita", "parametric", "parametric 2 1", "parametric nan 1"] {
            assert!(EquivalenceScale::parse(text).unwrap_err().contains("'per_head'"), "{text}");
        }
    }
}
