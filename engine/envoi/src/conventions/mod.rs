//! How families are measured: the poverty line, the equivalence scale, what income
//! without remittances would be. Arguments of the household marts, with defaults that a
//! session may `SET`; results print back what was in force.

mod equivalence_scale;
mod poverty_line;

use std::collections::BTreeMap;

use equivalence_scale::EquivalenceScale;
use poverty_line::PovertyLine;

/// One convention.
#[derive(Debug)]
pub struct Convention {
    /// Name of the argument, and of the setting behind `envoi.`.
    pub name: &'static str,
    /// In force where nobody says otherwise.
    pub default: &'static str,
    /// What it decides, and what may be given.
    pub description: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Line,
    Scale,
    Choice(&'static [&'static str]),
    Whole(u64, u64),
}

/// All conventions.
pub static CONVENTIONS: [Convention; 7] = [
    Convention {
        name: "poverty_line",
        default: "0.6 median",
        description: "who is poor: '0.6 median' or '0.5 mean' of equivalised income with remittances; an amount in local \
             currency such as '3000 MXN a quarter' (or 'lcu'; day, month, quarter, year); international dollars a day \
             with their price year such as '2.15 ppp 2017'",
        kind: Kind::Line,
    },
    Convention {
        name: "equivalence_scale",
        default: "per_head",
        description: "what a household's income is divided by: 'household', 'per_head', 'square_root', 'oecd_modified', or \
             'parametric PHI THETA' such as 'parametric 0.5 0.9'; the last two need the survey's adults and children",
        kind: Kind::Scale,
    },
    Convention {
        name: "counterfactual",
        default: "subtraction",
        description: "income without remittances: 'subtraction' takes them off, an accounting bound; 'regression' predicts what \
             receivers would have from households that receive nothing, with residuals drawn from those; 'ipw' weighs households \
             that receive nothing by their propensity to receive, so that they stand for those that do",
        kind: Kind::Choice(&["subtraction", "regression", "ipw"]),
    },
    Convention {
        name: "draws",
        default: "5",
        description: "repetitions of the regression's residual draws, 1 to 100; national effects are their mean, with the variance \
             between them in the errors",
        kind: Kind::Whole(1, 100),
    },
    Convention {
        name: "seed",
        default: "0",
        description: "seed of the draws, a whole number; the same seed gives the same draws",
        kind: Kind::Whole(0, 1 << 53),
    },
    Convention {
        name: "sampling",
        default: "design",
        description: "sampling errors: 'design' needs the survey's strata and sampling units and gives none without; \
             'simple_random' takes each household of a survey without sampling units for one",
        kind: Kind::Choice(&["design", "simple_random"]),
    },
    Convention {
        name: "lonely_psu",
        default: "error",
        description: "a stratum with one sampling unit: 'error' gives no sampling errors and says why, 'adjust' centres it at the \
             mean of all units, 'certainty' lets it add nothing",
        kind: Kind::Choice(&["error", "adjust", "certainty"]),
    },
];

/// The convention of that name.
pub fn convention(name: &str) -> Option<&'static Convention> {
    CONVENTIONS.iter().find(|c| c.name == name)
}

impl Convention {
    /// What was given, as results print it; the error says what may be given.
    pub fn canonical(&self, text: &str) -> Result<String, String> {
        let wrong = |expected: &str| Err(format!("`{}` cannot be '{text}'; expected {expected}", self.name));
        match self.kind {
            Kind::Line => PovertyLine::parse(text).map(|l| l.to_string()).or_else(|e| wrong(&e)),
            Kind::Scale => EquivalenceScale::parse(text).map(|s| s.to_string()).or_else(|e| wrong(&e)),
            Kind::Choice(words) => match words.iter().find(|w| w.eq_ignore_ascii_case(text.trim())) {
                Some(word) => Ok((*word).to_owned()),
                None => wrong(&format!("'{}'", words.join("' or '"))),
            },
            Kind::Whole(least, most) => match text.trim().parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
                _ => wrong(&format!("a whole number from {least} to {most}")),
            },
        }
    }

    /// What stands for `$name` and `$name_part` in a query, of a text that is canonical.
    pub(crate) fn variables(&self, text: &str) -> Result<Vec<(String, String)>, String> {
        let own = match self.kind {
            Kind::Whole(..) => text.to_owned(),
            _ => format!("'{}'", text.replace('\'', "''")),
        };
        let parts = match self.kind {
            Kind::Line => PovertyLine::parse(text)?.parts(),
            Kind::Scale => EquivalenceScale::parse(text)?.parts(),
            Kind::Choice(_) | Kind::Whole(..) => Vec::new(),
        };
        let parts = parts.into_iter().map(|(part, sql)| (format!("{}_{part}", self.name), sql));
        Ok(std::iter::once((self.name.to_owned(), own)).chain(parts).collect())
    }
}

/// The conventions of a session: those that were set, and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conventions(BTreeMap<&'static str, String>);

impl Conventions {
    /// The text in force.
    pub fn get(&self, convention: &Convention) -> &str {
        self.0.get(convention.name).map_or(convention.default, String::as_str)
    }

    /// Sets one; an empty text is its default.
    pub fn set(&mut self, convention: &'static Convention, text: &str) -> Result<(), String> {
        if text.trim().is_empty() {
            self.0.remove(convention.name);
        } else {
            self.0.insert(convention.name, convention.canonical(text)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_what_they_print() {
        for convention in &CONVENTIONS {
            assert_eq!(convention.canonical(convention.default).as_deref(), Ok(convention.default));
            let variables = convention.variables(convention.default).unwrap();
            assert_eq!(variables[0].0, convention.name);
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let check = |name: &str, text: &str, expected: &str| {
            let error = convention(name).unwrap().canonical(text).unwrap_err();
            assert!(error.contains(expected) && error.contains(text), "{error}");
        };
        check("counterfactual", "magic", "'subtraction' or 'regression' or 'ipw'");
        check("draws", "0", "a whole number from 1 to 100");
        check("draws", "2.5", "a whole number from 1 to 100");
        check("lonely_psu", "drop", "'error' or 'adjust' or 'certainty'");
    }
}
