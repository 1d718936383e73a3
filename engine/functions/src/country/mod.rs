//! Functions that know economies: names and codes in, ISO 3166 alpha-3 out.
//!
//! What they know is given by the engine ([`Countries`]): this crate holds no tables.

mod find;
mod groups;
mod lookup;
mod passages;

use std::fmt::Debug;
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_expr::ScalarUDF;
use lookup::Lookup;

/// What a name or code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One economy: its ISO 3166 alpha-3 code (`XKX` for Kosovo).
    Economy(String),
    /// A total, region, group or residual.
    Aggregate,
}

/// How an economy's territory passed to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassageRule {
    /// The old one ended and became several.
    Split,
    /// Part of the old one left; the rest kept the code.
    Apart,
    /// The old one joined the new one.
    Merge,
}

/// An economy that passed its territory, or part of it, to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Code before.
    pub old: String,
    /// Code after.
    pub new: String,
    /// First day of the new state of things, in days since 1970-01-01.
    pub day: i32,
    /// How.
    pub rule: PassageRule,
}

/// What the functions ask about economies.
pub trait Countries: Debug + Send + Sync {
    /// Languages and code lists that [`Countries::find`] takes.
    fn lists(&self) -> Vec<&str>;
    /// What a name or code means in a list, or to all of them; exact but for
    /// case, accents and punctuation. `None`: not known.
    fn find(&self, text: &str, list: Option<&str>) -> Option<Meaning>;
    /// Near names with their codes, for messages.
    fn near(&self, text: &str) -> Vec<(String, String)>;
    /// Name of an economy in `en`, `fr`, `es`, `ar`, `zh` or `ru`.
    fn name(&self, iso3: &str, language: &str) -> Option<&str>;
    /// World Bank income group of an economy on a day (days since 1970-01-01), or today's.
    fn income_group(&self, iso3: &str, day: Option<i32>) -> Option<&str>;
    /// Economies that ended, split, merged or lost a part.
    fn passages(&self) -> &[Passage];
}

/// Gives what the engine knows; called when a function first runs, so that a session opens without it.
pub type Known = fn() -> Result<&'static dyn Countries>;

/// The functions over what the engine knows.
pub(crate) fn all(known: Known) -> Vec<Arc<ScalarUDF>> {
    let all = [
        find::country(known),
        find::country_strict(known),
        find::country_name(known),
        find::is_aggregate(known),
        groups::income_group(known),
        passages::successors(known),
        passages::predecessors(known),
        passages::harmonise(known),
    ];
    all.into_iter().map(|f: Lookup| Arc::new(ScalarUDF::from(f))).collect()
}
