//! Which economy a publisher means: names and codes in, ISO 3166 alpha-3 out.
//!
//! ```
//! use envoi_lake::country::{Concordance, Match, Provider};
//!
//! let countries = Concordance::embedded()?;
//! let found = countries.lookup(Provider::Knomad, "Congo, Dem. Rep.");
//! assert!(matches!(found, Some(Match::Economy(iso3)) if iso3.as_str() == "COD"));
//! let world = countries.lookup(Provider::WorldBank, "WLD");
//! assert!(matches!(world, Some(Match::Aggregate { .. })));
//! # Ok::<(), envoi_lake::Error>(())
//! ```
//!
//! A match is exact after folding (`fold.rs`); near names serve error messages only. Names
//! that mean different things to different publishers (`Micronesia` is a region for the UN
//! and a country for the OECD) are settled by the provider's own list, which is asked first.

mod fold;
mod iso3;
mod nearest;
mod reference;
mod rows;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::OnceLock;

use fold::{fold, is_number};
pub use iso3::Iso3;
pub use reference::add_reference;
pub use rows::{Aggregate, Alias, Country, Group, Successor};

use crate::error::{Error, Place, Printable, Result};

/// Whose spelling it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// World Development Indicators and other World Bank files.
    WorldBank,
    /// Bilateral matrices and flows of KNOMAD.
    Knomad,
    /// International Migrant Stock of UN DESA; numbers are M49.
    UnDesa,
    /// OECD DAC; numbers are DAC codes, which are not M49.
    Oecd,
    /// Not known, or a person; numbers are M49.
    Any,
}

impl Provider {
    const PUBLISHERS: [Self; 4] = [Self::WorldBank, Self::Knomad, Self::UnDesa, Self::Oecd];

    /// The name in `country_alias.provider`.
    pub fn name(self) -> &'static str {
        match self {
            Self::WorldBank => "worldbank",
            Self::Knomad => "knomad",
            Self::UnDesa => "undesa",
            Self::Oecd => "oecd",
            Self::Any => "general",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "iso" => Some(Self::Any),
            _ => Self::PUBLISHERS.into_iter().chain([Self::Any]).find(|p| p.name() == name),
        }
    }
}

/// What a name or code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// One economy.
    Economy(Iso3),
    /// A total, a region, a group or a residual: never a row of a country table.
    Aggregate {
        /// The publisher's code, or the name where there is none.
        code: String,
        /// Name to show.
        name: String,
    },
}

impl Match {
    /// The economy, if it is one.
    pub fn economy(&self) -> Option<Iso3> {
        match self {
            Self::Economy(iso3) => Some(*iso3),
            Self::Aggregate { .. } => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Economy(Iso3),
    /// Index into `Concordance::aggregates`.
    Aggregate(usize),
}

impl Target {
    fn is_group(self) -> bool {
        matches!(self, Self::Aggregate(_))
    }
}

/// Short forms that name two economies. A provider's own list may settle them; the lists of
/// others may not.
const CONTESTED: [&str; 4] = ["korea", "coree", "virgin is", "st martin"];

/// How many near names a message lists.
const NEAR: usize = 3;

/// Names and codes of all providers.
#[derive(Debug)]
pub struct Concordance {
    /// By `Provider as usize`; `Any` holds the ISO codes and the general spellings.
    own: [HashMap<String, Target>; 5],
    /// Code and name to show.
    aggregates: Vec<(String, String)>,
    /// Names in the six UN languages, read when nothing else matches.
    languages: OnceLock<[HashMap<String, Option<Iso3>>; 6]>,
}

impl Concordance {
    /// The tables that ship with the program, read once, in about a millisecond.
    ///
    /// # Errors
    /// An internal error if the embedded tables are broken, which a test excludes.
    pub fn embedded() -> Result<&'static Self> {
        static ONCE: OnceLock<Result<Concordance, String>> = OnceLock::new();
        ONCE.get_or_init(|| Self::load().map_err(|e| e.to_string())).as_ref().map_err(|e| Error::Internal(e.clone()))
    }

    fn load() -> Result<Self> {
        let mut own: [HashMap<String, Target>; 5] = std::array::from_fn(|_| HashMap::with_capacity(1024));
        let mut aggregates: Vec<(String, String)> = Vec::new();
        let mut place = |provider: &str, text: &str, target: Target| -> Result<()> {
            let known = Provider::from_name(provider).and_then(|p| own.get_mut(p as usize));
            let map = known.ok_or_else(|| Error::Internal(format!("country tables name the provider `{provider}`")))?;
            let old = *map.entry(fold(text)).or_insert(target);
            // A group may have two codes under one name (`DPGC_X` and 998): the first stands.
            if old == target || old.is_group() && target.is_group() {
                return Ok(());
            }
            Err(Error::Internal(format!("`{text}` of `{provider}` is {target:?} and {old:?}")))
        };
        for alias in rows::aliases()? {
            place(&alias.provider, &alias.alias, Target::Economy(alias.iso3))?;
        }
        let mut seen: HashMap<(String, String), usize> = HashMap::new();
        for row in rows::aggregates()? {
            let index = *seen.entry((row.provider.clone(), row.code.clone())).or_insert_with(|| {
                aggregates.push((row.code.clone(), row.name.clone()));
                aggregates.len() - 1
            });
            place(&row.provider, &row.code, Target::Aggregate(index))?;
            place(&row.provider, &row.name, Target::Aggregate(index))?;
        }
        Ok(Self { own, aggregates, languages: OnceLock::new() })
    }

    /// What `text` means to `provider`: an ISO or M49 code (with or without leading zeros),
    /// a code of the provider's own, or a name in any UN language; blind to accents, case,
    /// punctuation, blanks and footnote stars. A trailing remark in brackets is ignored
    /// only when the name with it is unknown. Never fuzzy: `None` is an answer.
    pub fn lookup(&self, provider: Provider, text: &str) -> Option<Match> {
        let target = self.exact(provider, text).or_else(|| self.without_remark(provider, text));
        match target {
            Some(Target::Economy(iso3)) => Some(Match::Economy(iso3)),
            Some(Target::Aggregate(i)) => {
                self.aggregates.get(i).map(|(code, name)| Match::Aggregate { code: code.clone(), name: name.clone() })
            }
            None => area_group(provider, text.trim()),
        }
    }

    /// As [`lookup`](Self::lookup), for a file: an unknown name is an error that says where
    /// it stands, what is near and what to do.
    ///
    /// # Errors
    /// A data error at `place` for a name that is not known.
    pub fn resolve(&self, provider: Provider, text: &str, place: Place) -> Result<Match> {
        self.lookup(provider, text).ok_or_else(|| self.unknown(provider, text, self.nearest(text, NEAR), place))
    }

    /// As [`resolve`](Self::resolve), for a code that stands beside a name: the name is
    /// never taken instead of the code, but says what is near to an unknown one.
    ///
    /// # Errors
    /// A data error at `place` for a code that is not known.
    pub fn resolve_code(&self, provider: Provider, code: &str, name: &str, place: Place) -> Result<Match> {
        self.lookup(provider, code).ok_or_else(|| {
            let meant = self.lookup(provider, name).map(|found| match found {
                Match::Economy(iso3) => (name.to_owned(), iso3.to_string()),
                Match::Aggregate { code, name } => (name, code),
            });
            let named = meant.into_iter().chain(self.nearest_of(provider, name, 1));
            let mut near: Vec<(String, String)> = Vec::new();
            for (name, code) in named.chain(self.nearest_of(provider, code, NEAR)) {
                if near.len() < NEAR && !near.iter().any(|(_, known)| *known == code) {
                    near.push((name, code));
                }
            }
            self.unknown(provider, code, near, place)
        })
    }

    fn unknown(&self, provider: Provider, text: &str, near: Vec<(String, impl Display)>, place: Place) -> Error {
        let near: Vec<String> = near
            .iter()
            .map(|(name, code)| format!("`{}` ({})", Printable(name), Printable(&code.to_string())))
            .collect();
        let near = match near.as_slice() {
            [] => String::new(),
            [one] => format!("nearest is {one}; "),
            all => format!("near are {}; ", all.join(", ")),
        };
        let what = format!(
            "unknown country `{}`; {near}add an alias in datasets/country/alias_{}.csv",
            Printable(text.trim()),
            provider.name()
        );
        Error::data(place, what)
    }

    /// Near economies and, for a code, near aggregates of the provider, with their codes.
    fn nearest_of(&self, provider: Provider, text: &str, n: usize) -> Vec<(String, String)> {
        let economies = self.nearest(text, n).into_iter().map(|(name, iso3)| (name, iso3.to_string()));
        let code = text.trim().to_uppercase();
        let aggregates = rows::aggregates().unwrap_or_default().into_iter().filter(|a| {
            code.len() == 3 && a.provider == provider.name() && strsim::damerau_levenshtein(&a.code, &code) == 1
        });
        economies.chain(aggregates.map(|a| (a.name, a.code))).collect()
    }

    /// The `n` economies whose spellings are nearest to `text`, best first, with their
    /// English names; for messages only. Slow (milliseconds): it compares with every alias.
    pub fn nearest(&self, text: &str, n: usize) -> Vec<(String, Iso3)> {
        nearest::nearest(&fold(text), n).unwrap_or_default()
    }

    /// Rows of the lake table `country`: one per economy and period of validity.
    pub fn countries(&self) -> Result<Vec<Country>> {
        rows::countries()
    }

    /// Rows of the lake table `country_alias`.
    pub fn aliases(&self) -> Result<Vec<Alias>> {
        rows::aliases()
    }

    /// Rows of the lake table `country_group`.
    pub fn groups(&self) -> Result<Vec<Group>> {
        rows::groups()
    }

    /// Spellings of all that is not an economy.
    pub fn aggregates(&self) -> Result<Vec<Aggregate>> {
        rows::aggregates()
    }

    /// Economies that ended, split or merged.
    pub fn successors(&self) -> Result<Vec<Successor>> {
        rows::successors()
    }

    fn exact(&self, provider: Provider, text: &str) -> Option<Target> {
        let key = fold(text);
        if key.is_empty() {
            return None;
        }
        let own = |p: Provider| self.own.get(p as usize).and_then(|m| m.get(&key)).copied();
        if let Some(found) = own(provider) {
            return Some(found);
        }
        // DAC numbers and M49 numbers overlap, so neither may stand in for the other.
        if provider == Provider::Oecd && is_number(&key) {
            return None;
        }
        if let Some(found) = own(Provider::Any) {
            return Some(found);
        }
        if CONTESTED.contains(&key.as_str()) || key.chars().count() < 2 && !is_number(&key) {
            return None;
        }
        let others = Provider::PUBLISHERS.into_iter().filter(|p| *p != Provider::Oecd || !is_number(&key));
        agreed(others.filter_map(own)).or_else(|| self.language(&key))
    }

    fn language(&self, key: &str) -> Option<Target> {
        // English names are in the general list; one name of two economies in two languages is neither.
        agreed(
            self.languages().iter().skip(1).filter_map(|names| names.get(key).copied().flatten().map(Target::Economy)),
        )
    }

    /// The economy of that name in one of the six UN languages, in the order of [`Country::names`].
    pub fn in_language(&self, language: usize, text: &str) -> Option<Iso3> {
        self.languages().get(language)?.get(&fold(text)).copied().flatten()
    }

    fn languages(&self) -> &[HashMap<String, Option<Iso3>>; 6] {
        self.languages.get_or_init(|| {
            let mut names: [HashMap<String, Option<Iso3>>; 6] = Default::default();
            for row in rows::countries().unwrap_or_default() {
                for (map, name) in names.iter_mut().zip(&row.names) {
                    map.entry(fold(name))
                        .and_modify(|old| *old = old.filter(|o| *o == row.iso3))
                        .or_insert(Some(row.iso3));
                }
            }
            names
        })
    }

    fn without_remark(&self, provider: Provider, text: &str) -> Option<Target> {
        let text = text.trim_end().trim_end_matches('*').trim_end();
        let open = match text.chars().next_back()? {
            ')' => '(',
            ']' => '[',
            _ => return None,
        };
        let (name, remark) = text.rsplit_once(open)?;
        if distinguishes(remark) || self.exact(Provider::Any, remark).is_some() {
            return None;
        }
        // `Congo (…)` with an unknown remark may be either Congo.
        let key = fold(name);
        if key == "congo" || CONTESTED.contains(&key.as_str()) {
            return None;
        }
        self.exact(provider, name)
    }
}

/// The one meaning that all lists give, or the first of several aggregates: regions differ
/// in code between publishers, but none of them is an economy.
fn agreed(mut found: impl Iterator<Item = Target>) -> Option<Target> {
    let first = found.next()?;
    found.all(|t| t == first || t.is_group() && first.is_group()).then_some(first)
}

/// A remark with one of these words may name another economy: `Korea (North)`.
fn distinguishes(remark: &str) -> bool {
    const WORDS: [&str; 32] = [
        "north",
        "south",
        "east",
        "west",
        "northern",
        "southern",
        "eastern",
        "western",
        "rep",
        "dem",
        "people",
        "arab",
        "kingdom",
        "part",
        "british",
        "dutch",
        "french",
        "us",
        "usa",
        "uk",
        "american",
        "sar",
        "province",
        "former",
        "utd",
        "fed",
        "st",
        "is",
        "territory",
        "antilles",
        "overseas",
        "metropolitan",
    ];
    // A leading blank word makes the fold treat a single word like one of several.
    fold(&format!("x {remark}")).split(' ').any(|w| WORDS.contains(&w))
}

/// Codes that are groups by their form, so that a code new to us is not taken for an economy:
/// UN DESA numbers above the range of M49, and OECD area codes such as `F4_X` or `4EU001`.
fn area_group(provider: Provider, text: &str) -> Option<Match> {
    let group = |kind: &str| Some(Match::Aggregate { code: text.to_owned(), name: format!("{kind} `{text}`") });
    let plain = text.len() <= 12 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    match provider {
        Provider::UnDesa if is_number(text) && text.parse::<u32>().is_ok_and(|n| (900..10_000).contains(&n)) => {
            group("UN group")
        }
        Provider::Oecd if plain && !is_number(text) => {
            let digits = text.bytes().any(|b| b.is_ascii_digit());
            let area = text.contains('_') || digits || text.len() == 1;
            if area { group("OECD group") } else { None }
        }
        _ => None,
    }
}
