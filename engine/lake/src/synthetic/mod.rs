//! Invented data of realistic shape: households of surveys and transactions of providers.
//!
//! ```text
//! Plan -> Survey (one an economy) or Transfers -> rows by counter -> files on several threads -> folder
//! ```
//! The same plan gives the same bytes, whatever the number of threads. What is generated is
//! marked as such in its rows (`survey_id`, `transfer_id`, `source_id`), in the names and the
//! metadata of its files ([`MARK`]), and in a README beside them.

mod design;
mod economy;
mod family;
mod household;
mod random;
mod readme;
mod transfer;
mod write;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use economy::Economies;
pub(crate) use household::Survey;

use crate::error::{Error, Result};
use crate::lake::checksum;
use crate::tables::{HOUSEHOLD, TRANSFER, TableDef};
use household::vintage as household_vintage;
use transfer::{Transfers, vintage as transfer_vintage};

/// `source_id` of all that is generated.
pub const SOURCE_ID: &str = "envoi.synthetic";

/// Key of the Parquet metadata that says that a file is generated, and by which plan: a [`Mark`].
pub const MARK: &str = "envoi.synthetic";

/// Number of the model: another one gives other values for the same seed.
pub(crate) const MODEL: u64 = 1;

/// Rows of a file: one row group of the lake's.
const ROWS_OF_A_FILE: u64 = 1 << 20;

/// Rows of a plan, at most: what a row number in ten digits can tell apart.
const MOST_ROWS: u64 = 9_999_999_999;

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Households of income surveys, one survey an economy.
    Household,
    /// Transactions of remittance providers.
    Transfer,
}

impl Table {
    /// Its definition.
    pub fn def(self) -> &'static TableDef {
        match self {
            Self::Household => &HOUSEHOLD,
            Self::Transfer => &TRANSFER,
        }
    }
}

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The table.
    pub table: Table,
    /// Rows of all economies together.
    pub rows: u64,
    /// Another seed, other rows.
    pub seed: u64,
    /// Economies with a survey, or to which money is sent. `None`: the one that receives
    /// most, or those of all corridors of the sample.
    pub economies: Option<Economies>,
    /// Strata of each survey; `None`: 100, or what fits.
    pub strata: Option<u64>,
    /// Primary sampling units of each survey; `None`: 2,000, or what fits.
    pub units: Option<u64>,
}

/// What a generated file says of itself, under [`MARK`] in its metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What every reader should see first.
    pub note: String,
    /// Table of the lake.
    pub table: String,
    /// What the file's rows belong to: a survey, or transactions of a plan.
    pub set: String,
    /// Number of the file in its set, from 1, and how many there are.
    pub part: u64,
    /// See `part`.
    pub parts: u64,
    /// Number of the model, and what was asked for.
    pub model: u64,
    /// See `model`.
    pub seed: u64,
    /// Rows of the plan.
    pub rows: u64,
    /// Day of the edition, as in column `vintage`.
    pub vintage: NaiveDate,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Surveys, or one set of transactions.
    pub sets: Vec<String>,
}

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many rows are to be written.
    Begin(u64),
    /// So many more are.
    Rows(u64),
}

/// Totals of some rows, weighted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Tally {
    rows: u64,
    weight: f64,
    persons: f64,
    receiving: f64,
    amount: f64,
}

/// A set of rows: a survey, or all transactions.
enum Set {
    Survey(Box<Survey>),
    Transfers(Box<Transfers>),
}

impl Set {
    fn name(&self, tag: &str) -> String {
        match self {
            Self::Survey(survey) => survey.id.clone(),
            Self::Transfers(_) => format!("synthetic_transfers{tag}"),
        }
    }

    fn rows(&self) -> u64 {
        match self {
            Self::Survey(survey) => survey.rows,
            Self::Transfers(transfers) => transfers.rows,
        }
    }

    fn batch(&self, from: u64, count: usize) -> Result<(arrow::array::RecordBatch, Tally)> {
        match self {
            Self::Survey(survey) => survey.batch(from, count),
            Self::Transfers(transfers) => transfers.batch(from, count),
        }
    }
}

impl Plan {
    /// A short text that another plan does not have.
    fn tag(&self) -> String {
        let text = format!(
            "{} {MODEL} {} {} {:?} {:?} {:?}",
            self.table.def().name,
            self.rows,
            self.seed,
            self.economies,
            self.strata,
            self.units
        );
        format!("_{}", checksum(text.as_bytes()).get(..8).unwrap_or_default())
    }

    fn sets(&self) -> Result<Vec<Set>> {
        if self.rows == 0 || self.rows > MOST_ROWS {
            return Err(Error::Usage(format!("{} rows cannot be generated: 1 to {MOST_ROWS} work", self.rows)));
        }
        let tag = self.tag();
        if self.table == Table::Transfer {
            if self.strata.or(self.units).is_some() {
                return Err(Error::Usage("strata and units are of surveys: leave them out for `transfer`".to_owned()));
            }
            let transfers = Transfers::new(self.rows, self.seed, self.economies.as_ref(), &tag)?;
            return Ok(vec![Set::Transfers(Box::new(transfers))]);
        }
        let economies = economy::chosen(self.economies.as_ref().unwrap_or(&Economies::Largest(1)))?;
        let many = economies.len() as u64;
        if many > self.rows {
            let what = format!("{many} economies have no household each among {} rows; ask for more rows", self.rows);
            return Err(Error::Usage(what));
        }
        let survey = |(number, economy): (u64, economy::Economy)| {
            let rows = self.rows / many + u64::from(number < self.rows % many);
            Ok(Set::Survey(Box::new(Survey::new(economy, rows, self.seed, (self.strata, self.units), &tag)?)))
        };
        (0..).zip(economies).map(survey).collect()
    }

    fn vintage(&self) -> NaiveDate {
        match self.table {
            Table::Household => household_vintage(),
            Table::Transfer => transfer_vintage(),
        }
    }
}

/// A small survey of an economy in the year 2019, for the sample lake.
pub(crate) fn survey(iso3: &str, rows: u64, seed: u64, strata: u64, units: u64) -> Result<(Survey, NaiveDate)> {
    let economy = economy::chosen(&Economies::Named(vec![iso3.to_owned()]))?.into_iter().next();
    let Some(economy) = economy else { return Err(Error::Internal(format!("no economy `{iso3}`"))) };
    Ok((Survey::new(economy, rows, seed, (Some(strata), Some(units)), "")?, household_vintage()))
}

/// Writes what is planned to `<folder>/<table>/part-*.parquet`, all of it or nothing: the
/// folder must be new or empty, and has files with their names once all are whole.
///
/// `progress` is told what is done and says whether to go on; if not, the folder is left as
/// it was and there is no report.
///
/// # Errors
/// `Error::Usage` for a plan that cannot be met and a folder that is not empty,
/// `Error::Write` for what cannot be written, such as on a full disk.
pub fn generate(
    plan: &Plan,
    folder: &Path,
    threads: usize,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Option<Report>> {
    write::all(plan, folder, threads, ROWS_OF_A_FILE, progress)
}

#[cfg(test)]
mod tests;
