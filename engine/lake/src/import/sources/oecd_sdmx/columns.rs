//! Which column of an SDMX-CSV holds what, in every dialect that the OECD and its readers write.

use serde::Deserialize;

use crate::read::Row;

/// What the descriptor says of a dataflow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Marks of a value that is not there.
    pub(super) missing: Vec<String>,
    /// Part of the dataflow's name, where the file has it.
    pub(super) dataflow: String,
    /// Columns that make a file without that name one of this dataflow or nearly.
    pub(super) marks: Vec<String>,
    /// Columns that it may not have then, unless they say "not applicable".
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// Columns that the import needs.
    pub(super) dimensions: Vec<String>,
    /// Names of the column of values.
    pub(super) value: Vec<String>,
    /// Dimension that is the economy of a row.
    pub(super) place: String,
    /// First part of indicator codes.
    pub(super) prefix: String,
    /// Rows of totals are aid flows between donors and recipients, in US dollars.
    #[serde(default)]
    pub(super) aid_flow: bool,
    /// Further dimensions, with the codes that stand for all of each; other codes are detail.
    #[serde(default)]
    pub(super) total: toml::map::Map<String, toml::Value>,
    /// Dimensions with codes whose rows are left out, and what those rows are.
    #[serde(default)]
    pub(super) leave: Option<Leave>,
    /// Units by code.
    pub(super) units: toml::map::Map<String, toml::Value>,
}

/// Rows that belong into no table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leave {
    pub(super) dimension: String,
    pub(super) codes: Vec<String>,
    /// What they are, for the report.
    pub(super) what: String,
    /// What to import instead of a file of nothing else.
    pub(super) instead: String,
}

/// Code for "not applicable" in every dimension.
pub(super) const NOT_APPLICABLE: &str = "_Z";

/// Positions of columns.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) width: usize,
    /// Line of the header.
    pub(super) line: u64,
    pub(super) place: usize,
    /// Column of the place's label, where the file has one beside the code.
    pub(super) place_label: Option<usize>,
    pub(super) time: usize,
    pub(super) value: usize,
    /// Name of the column of values, for messages.
    pub(super) value_name: String,
    /// All of whose codes together say what a value is: see [`Role`].
    pub(super) coded: Vec<Coded>,
}

/// A column of codes.
#[derive(Debug)]
pub(super) struct Coded {
    pub(super) role: Role,
    pub(super) at: usize,
    /// Column of the code's label, where the file has one beside it.
    pub(super) label: Option<usize>,
}

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Donor,
    Measure,
    Flow,
    Price,
    Unit,
    Multiplier,
    Base,
    Status,
    /// A dimension beyond those, by name.
    Detail(String),
}

/// Column of that code; `CODE: Label` is how SDMX-CSV 2 writes both.
pub(super) fn position(header: &Row, name: &str) -> Option<usize> {
    header.cells.iter().position(|c| code_of(&c.text()) == name)
}

/// The code of a cell that may be `code: label`.
pub(super) fn code_of(text: &str) -> &str {
    text.split(':').next().unwrap_or_default().trim()
}

/// The column beside a code's that holds its label: `DONOR,Donor` is named in words.
fn label(header: &Row, at: usize, value: usize) -> Option<usize> {
    let beside = header.cell(at + 1).text();
    let words = beside.chars().any(char::is_lowercase) && !beside.contains(':');
    (words && at + 1 != value).then_some(at + 1)
}

impl Columns {
    /// `None` if a column that the import cannot do without is not there.
    pub(super) fn of(header: &Row, settings: &Settings) -> Option<Self> {
        let value = settings.value.iter().find_map(|name| position(header, name))?;
        let known = [
            ("DONOR", Role::Donor),
            ("MEASURE", Role::Measure),
            ("FLOW_TYPE", Role::Flow),
            ("PRICE_BASE", Role::Price),
            ("UNIT_MEASURE", Role::Unit),
            ("UNIT_MULT", Role::Multiplier),
            ("BASE_PER", Role::Base),
            ("OBS_STATUS", Role::Status),
        ];
        let detail = settings.total.keys().map(|name| (name.as_str(), Role::Detail(name.clone())));
        let coded = known.into_iter().chain(detail).filter(|(name, _)| *name != settings.place);
        let coded = coded.filter_map(|(name, role)| {
            let at = position(header, name)?;
            Some(Coded { role, at, label: label(header, at, value) })
        });
        let place = position(header, &settings.place)?;
        Some(Self {
            width: header.cells.len(),
            line: header.number,
            place,
            place_label: label(header, place, value),
            time: position(header, "TIME_PERIOD")?,
            value,
            value_name: header.cell(value).text(),
            coded: coded.collect(),
        })
    }

    /// True if there is a column of that role.
    pub(super) fn has(&self, role: &Role) -> bool {
        self.coded.iter().any(|c| c.role == *role)
    }
}
