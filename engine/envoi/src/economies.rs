//! The lake's country tables as the SQL functions ask for them.

use std::collections::HashMap;
use std::sync::OnceLock;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::Date32Type;
use datafusion::common::Result as DfResult;
use envoi_functions::{Countries, Meaning, Passage, PassageRule};
use envoi_lake::country::{Concordance, Match, Provider};

use crate::error::{Error, Result};

/// In the order of the names in the country table.
const LANGUAGES: [&str; 6] = ["en", "fr", "es", "ar", "zh", "ru"];
const CODE_LISTS: [Provider; 4] = [Provider::WorldBank, Provider::Knomad, Provider::UnDesa, Provider::Oecd];
/// How many near names a message lists.
const NEAR: usize = 3;

/// What the functions know of economies: the country tables that ship with the program.
///
/// # Errors
/// An internal error if the embedded tables are broken, which a test excludes.
pub fn economies() -> DfResult<&'static dyn Countries> {
    Ok(Economies::embedded()?)
}

/// An income group with the first and the last day it held.
type IncomePeriod = (String, Option<i32>, Option<i32>);

#[derive(Debug)]
struct Economies {
    concordance: &'static Concordance,
    /// Names in the order of [`LANGUAGES`].
    names: HashMap<String, [String; 6]>,
    income: HashMap<String, Vec<IncomePeriod>>,
    passages: Vec<Passage>,
}

impl Economies {
    /// The tables, read once.
    fn embedded() -> Result<&'static Self> {
        static ONCE: OnceLock<Result<Economies, String>> = OnceLock::new();
        ONCE.get_or_init(|| Self::load().map_err(|e| e.to_string())).as_ref().map_err(Error::internal)
    }

    fn load() -> envoi_lake::Result<Self> {
        let concordance = Concordance::embedded()?;
        let mut names = HashMap::new();
        for economy in concordance.countries()? {
            // An economy of today goes before a period that ended.
            let code = economy.iso3.to_string();
            if economy.valid_to.is_none() || !names.contains_key(&code) {
                names.insert(code, economy.names);
            }
        }
        let mut income: HashMap<String, Vec<IncomePeriod>> = HashMap::new();
        for group in concordance.groups()?.into_iter().filter(|g| g.group_kind == "income") {
            let period = (group.group_code, group.valid_from.map(day), group.valid_to.map(day));
            income.entry(group.iso3.to_string()).or_default().push(period);
        }
        let passages = concordance.successors()?.into_iter().map(|p| Passage {
            old: p.old.to_string(),
            new: p.new.to_string(),
            day: day(p.date),
            rule: match p.rule.as_str() {
                "merge" => PassageRule::Merge,
                "apart" => PassageRule::Apart,
                _ => PassageRule::Split,
            },
        });
        Ok(Self { concordance, names, income, passages: passages.collect() })
    }
}

fn day(date: NaiveDate) -> i32 {
    Date32Type::from_naive_date(date)
}

impl Countries for Economies {
    fn lists(&self) -> Vec<&str> {
        LANGUAGES.into_iter().chain(CODE_LISTS.map(Provider::name)).collect()
    }

    fn find(&self, text: &str, list: Option<&str>) -> Option<Meaning> {
        let provider = CODE_LISTS.into_iter().find(|p| Some(p.name()) == list).unwrap_or(Provider::Any);
        let found = match LANGUAGES.iter().position(|l| Some(*l) == list) {
            Some(language) => self.concordance.in_language(language, text).map(Match::Economy),
            None => None,
        };
        match found.or_else(|| self.concordance.lookup(provider, text))? {
            Match::Economy(iso3) => Some(Meaning::Economy(iso3.to_string())),
            Match::Aggregate { .. } => Some(Meaning::Aggregate),
        }
    }

    fn near(&self, text: &str) -> Vec<(String, String)> {
        self.concordance.nearest(text, NEAR).into_iter().map(|(name, iso3)| (name, iso3.to_string())).collect()
    }

    fn name(&self, iso3: &str, language: &str) -> Option<&str> {
        let place = LANGUAGES.iter().position(|l| *l == language)?;
        self.names.get(iso3)?.get(place).map(String::as_str)
    }

    fn income_group(&self, iso3: &str, day: Option<i32>) -> Option<&str> {
        let holds = |(_, from, to): &&(String, Option<i32>, Option<i32>)| match day {
            Some(day) => from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to),
            None => to.is_none(),
        };
        self.income.get(iso3)?.iter().find(holds).map(|(code, _, _)| code.as_str())
    }

    fn passages(&self) -> &[Passage] {
        &self.passages
    }
}
