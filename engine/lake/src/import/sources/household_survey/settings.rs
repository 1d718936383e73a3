//! What a survey mapping says: `datasets/surveys/*.toml` and `--mapping`. docs/surveys.md
//! explains every key.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::country::{Concordance, Iso3, Match, Provider};
use crate::import::descriptor::{Descriptor, one_line};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Survey and round; what editions replace one another in.
    pub(super) survey_id: String,
    pub(super) iso3: String,
    /// Year that the survey describes.
    pub(super) year: i32,
    /// ISO 4217 code of all amounts.
    pub(super) currency: String,
    /// Reference period of the amounts, in months.
    pub(super) months: f64,
    /// Date of the edition, as `2013-07-16`.
    vintage: String,
    /// The file of `files` whose keys are the households.
    pub(super) households: String,
    pub(super) files: BTreeMap<String, File>,
    pub(super) columns: Columns,
    pub(super) amounts: Amounts,
}

/// A file of the survey, told from others by the columns that the mapping names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Its name, with `*` for anything, where columns do not tell it from others.
    pub(super) name: Option<String>,
    /// Its columns for the first so many parts of the household's key.
    pub(super) key: Vec<String>,
    #[serde(default)]
    pub(super) rows: PerKey,
    /// Rows that count: for each column the values, `A01-A09` for a range, `*` for anything.
    #[serde(default, rename = "where")]
    pub(super) only: BTreeMap<String, Vec<String>>,
    /// Values that stand for missing, beside blank.
    #[serde(default)]
    pub(super) missing: Vec<String>,
    /// Decimal sign of a text file.
    #[serde(default = "point")]
    pub(super) decimal: char,
    /// Sums over the file's rows that tell this edition from others.
    #[serde(default)]
    pub(super) totals: BTreeMap<String, f64>,
}

fn point() -> char {
    '.'
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PerKey {
    /// One row a key; a second is an error.
    #[default]
    One,
    /// Lines: amounts are added up, other values must agree.
    Many,
}

/// One or several; a mapping writes `"a"` or `["a", "b"]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Several<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Several<T> {
    pub(super) fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) weight: Source,
    pub(super) stratum: Option<Source>,
    pub(super) psu: Option<Source>,
    pub(super) size_persons: Option<Source>,
    pub(super) adults: Option<Source>,
    pub(super) children: Option<Source>,
    pub(super) urban: Option<Source>,
    pub(super) region: Option<Source>,
}

/// Where a value of the household stands: `"column"`, or a table that says more.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Source {
    Column(String),
    From(From),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// Default: the households' file.
    pub(super) file: Option<String>,
    /// Several are joined by `-`.
    pub(super) column: Option<Several<String>>,
    /// Only so many characters from the left.
    pub(super) first: Option<usize>,
    /// What the survey's codes become; a code that is not there is an error.
    pub(super) codes: Option<BTreeMap<String, String>>,
    /// Values that mean yes; with `no`, others are an error.
    pub(super) yes: Option<Vec<String>>,
    pub(super) no: Option<Vec<String>>,
    /// The value is for all households of a dwelling: the column that says how many they are.
    pub(super) shared_by: Option<String>,
    /// The number of the file's rows.
    #[serde(default)]
    pub(super) count: bool,
    /// Rows that are counted, as `where` of a file.
    #[serde(default, rename = "where")]
    pub(super) only: BTreeMap<String, Vec<String>>,
}

impl Source {
    /// As a table, whichever way it is written.
    pub(super) fn from(&self) -> From {
        match self {
            Self::Column(name) => From { column: Some(Several::One(name.clone())), ..From::default() },
            Self::From(from) => from.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amounts {
    pub(super) income_total: Option<Several<Amount>>,
    pub(super) income_labour: Option<Several<Amount>>,
    pub(super) income_farm: Option<Several<Amount>>,
    pub(super) income_transfer: Option<Several<Amount>>,
    pub(super) remittance: Several<Amount>,
    pub(super) remittance_domestic: Option<Several<Amount>>,
    pub(super) consumption: Option<Several<Amount>>,
}

/// Money of a household: `"column"`, or a table that says more. Several are added up.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Column(String),
    Of(Of),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    /// Default: the households' file.
    pub(super) file: Option<String>,
    /// Several are added up.
    pub(super) amount: Several<String>,
    /// Lines that count, as `where` of a file.
    #[serde(default, rename = "where")]
    pub(super) only: BTreeMap<String, Vec<String>>,
    /// Reference period of these columns, where it is not that of the survey.
    pub(super) months: Option<f64>,
    /// What a 1 in the file is in the currency.
    pub(super) scale: Option<f64>,
    /// What a household without a value has: 0 of a file of lines, else not known.
    pub(super) missing_is_zero: Option<bool>,
}

impl Amount {
    pub(super) fn of(&self) -> Of {
        match self {
            Self::Column(name) => Of {
                file: None,
                amount: Several::One(name.clone()),
                only: BTreeMap::new(),
                months: None,
                scale: None,
                missing_is_zero: None,
            },
            Self::Of(of) => of.clone(),
        }
    }
}

impl Columns {
    /// Each with its name in table `household`.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, From)> {
        let optional = [
            ("stratum", &self.stratum),
            ("psu", &self.psu),
            ("size_persons", &self.size_persons),
            ("adults", &self.adults),
            ("children", &self.children),
            ("urban", &self.urban),
            ("region", &self.region),
        ];
        let optional = optional.into_iter().filter_map(|(name, source)| source.as_ref().map(|s| (name, s.from())));
        std::iter::once(("weight", self.weight.from())).chain(optional)
    }
}

impl Amounts {
    /// Each with its name in table `household`, in the table's order.
    pub(super) fn all(&self) -> [(&'static str, Vec<Of>); 7] {
        let of = |all: Option<&Several<Amount>>| -> Vec<Of> {
            all.map(|a| a.all().iter().map(Amount::of).collect()).unwrap_or_default()
        };
        [
            ("income_total", of(self.income_total.as_ref())),
            ("income_labour", of(self.income_labour.as_ref())),
            ("income_farm", of(self.income_farm.as_ref())),
            ("income_transfer", of(self.income_transfer.as_ref())),
            ("remittance", of(Some(&self.remittance))),
            ("remittance_domestic", of(self.remittance_domestic.as_ref())),
            ("consumption", of(self.consumption.as_ref())),
        ]
    }
}

impl Settings {
    /// The settings of a survey's descriptor, checked for sense without a look at any file.
    pub(super) fn of(descriptor: &Descriptor) -> Result<Self, String> {
        let settings: Self = descriptor.try_settings().map_err(|e| one_line(&e))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let concordance = Concordance::embedded().map_err(|e| e.to_string())?;
        let known = concordance.lookup(Provider::Any, &self.iso3);
        if !matches!(known, Some(Match::Economy(iso3)) if Iso3::new(&self.iso3) == Some(iso3)) {
            return Err(format!("iso3 `{}` is no code of an economy, such as `MEX`", self.iso3));
        }
        if !(1900..=2200).contains(&self.year) {
            return Err(format!("year {} is no calendar year", self.year));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(format!("currency `{}` is no ISO 4217 code, such as `MXN`", self.currency));
        }
        positive("months", self.months)?;
        self.vintage()?;
        if self.survey_id.is_empty()
            || !self.survey_id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            return Err(format!("survey_id `{}` is not of lower-case letters, digits and `_`", self.survey_id));
        }
        let parts = self.file(&self.households)?.key.len();
        for (name, file) in &self.files {
            if file.key.is_empty() || file.key.len() > parts {
                return Err(format!(
                    "key of file `{name}` has {} columns; it needs 1 to {parts}, the parts of a household's key",
                    file.key.len()
                ));
            }
        }
        for (name, from) in self.columns.all() {
            let file =
                self.file(from.file.as_deref().unwrap_or(&self.households)).map_err(|e| format!("{name}: {e}"))?;
            match (&from.column, from.count) {
                (None, false) => return Err(format!("{name}: names no column; add `column` or `count = true`")),
                (Some(_), true) => return Err(format!("{name}: has `column` and `count`; keep one of the two")),
                (None, true) if file.key.len() < parts => {
                    return Err(format!("{name}: rows are counted in a file whose key is not the household's"));
                }
                _ => {}
            }
            let members = matches!(name, "size_persons" | "adults" | "children");
            let number = members || name == "weight";
            if number && (from.first.is_some() || from.codes.is_some()) || name != "urban" && from.yes.is_some() {
                return Err(format!("{name}: `first` and `codes` are for text, `yes` is for urban"));
            }
            if name == "urban" && from.yes.is_none() {
                return Err("urban: say which values mean yes, as in { column = \"area\", yes = [\"1\"] }".to_owned());
            }
            if from.no.is_some() && from.yes.is_none() || from.count && !members {
                return Err(format!("{name}: `no` goes with `yes`, `count` with size_persons, adults and children"));
            }
            if !from.only.is_empty() && !from.count {
                return Err(format!(
                    "{name}: `where` goes with `count`; a file of the mapping has a `where` of its own"
                ));
            }
        }
        for (name, all) in self.amounts.all() {
            for of in all {
                let file = of.file.as_deref().unwrap_or(&self.households);
                if self.file(file).map_err(|e| format!("{name}: {e}"))?.key.len() < parts {
                    return Err(format!(
                        "{name}: amounts of file `{file}` are not a household's: its key has fewer parts than that of `{}`",
                        self.households
                    ));
                }
                if of.amount.all().is_empty() {
                    return Err(format!("{name}: names no column in `amount`"));
                }
                positive(&format!("{name}: months"), of.months.unwrap_or(1.0))?;
                positive(&format!("{name}: scale"), of.scale.unwrap_or(1.0))?;
            }
        }
        Ok(())
    }

    /// Date of the edition.
    pub(super) fn vintage(&self) -> Result<NaiveDate, String> {
        self.vintage.parse().map_err(|_| format!("vintage `{}` is not a day such as 2013-07-16", self.vintage))
    }

    /// A file of the mapping by its name there.
    pub(super) fn file(&self, name: &str) -> Result<&File, String> {
        self.files.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.files.keys().map(String::as_str).collect();
            format!("there is no file `{name}` in the mapping, which has `{}`", known.join("`, `"))
        })
    }

    /// Every column that the mapping reads in that file, each once.
    pub(super) fn reads(&self, file: &str) -> Vec<String> {
        let mut columns = Vec::new();
        if let Some(found) = self.files.get(file) {
            columns.extend(found.key.iter().chain(found.only.keys()).chain(found.totals.keys()).cloned());
        }
        let here = |named: Option<&String>| named.unwrap_or(&self.households) == file;
        for (_, from) in self.columns.all().filter(|(_, from)| here(from.file.as_ref())) {
            columns.extend(from.column.iter().flat_map(|c| c.all().iter().cloned()).chain(from.shared_by));
            columns.extend(from.only.into_keys());
        }
        for of in self.amounts.all().into_iter().flat_map(|(_, all)| all).filter(|of| here(of.file.as_ref())) {
            columns.extend(of.amount.all().iter().chain(of.only.keys()).cloned());
        }
        columns.sort();
        columns.dedup();
        columns
    }
}

fn positive(what: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { Err(format!("{what} {value} is not above 0")) }
}
