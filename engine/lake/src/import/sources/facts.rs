//! Facts of one indicator as rows: economies in one table, the publisher's aggregates in another.

use chrono::NaiveDate;

use crate::country::Match;
use crate::error::Result;
use crate::import::rows::{Rows, Value};
use crate::tables::{AGGREGATE_OBSERVATION, INDICATOR, OBSERVATION};

/// What all facts of an indicator have in common.
pub(super) struct Indicator<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
    pub(super) unit: Option<&'a str>,
    pub(super) definition: Option<&'a str>,
    pub(super) source_id: &'a str,
    pub(super) vintage: NaiveDate,
}

impl Indicator<'_> {
    /// The row of table `indicator`; `row` and `column` are where the file names it.
    pub(super) fn row(&self, series: &str, row: u64, column: &str) -> Result<Rows> {
        let mut rows = Rows::new(&INDICATOR, series);
        let values = [
            Value::Text(self.code),
            Value::Text(self.name),
            Value::MaybeText(self.unit),
            Value::MaybeText(self.definition),
            Value::Text(self.source_id),
            Value::Date(self.vintage),
        ];
        rows.push(row, column, &values)?;
        Ok(rows)
    }
}

/// A value and where it stands.
pub(super) struct Fact<'a> {
    pub(super) row: u64,
    pub(super) column: &'a str,
    /// The publisher's name of the area, kept for aggregates.
    pub(super) area: &'a str,
    pub(super) period: NaiveDate,
    /// `A`, `Q` or `M`.
    pub(super) frequency: &'a str,
    pub(super) value: f64,
    pub(super) status: Option<&'a str>,
}

/// Rows of `observation` and `aggregate_observation` of one series.
pub(super) struct Facts {
    pub(super) economies: Rows,
    pub(super) aggregates: Rows,
}

impl Facts {
    pub(super) fn new(series: &str) -> Self {
        Self { economies: Rows::new(&OBSERVATION, series), aggregates: Rows::new(&AGGREGATE_OBSERVATION, series) }
    }

    /// Adds a fact to the table that its area belongs in.
    pub(super) fn push(&mut self, indicator: &Indicator<'_>, area: &Match, fact: &Fact<'_>) -> Result<()> {
        let (source, vintage) = (Value::Text(indicator.source_id), Value::Date(indicator.vintage));
        let (unit, status) = (Value::MaybeText(indicator.unit), Value::MaybeText(fact.status));
        let (code, period, value) = (Value::Text(indicator.code), Value::Date(fact.period), Value::Number(fact.value));
        match area {
            Match::Economy(iso3) => {
                let (iso3, frequency) = (Value::Text(iso3.as_ref()), Value::Text(fact.frequency));
                let values = [code, iso3, period, frequency, value, unit, source, vintage, status];
                self.economies.push(fact.row, fact.column, &values)
            }
            Match::Aggregate { code: area_code, .. } => {
                let (area_code, area) = (Value::Text(area_code), Value::Text(fact.area));
                let values = [code, area_code, area, period, value, unit, source, vintage, status];
                self.aggregates.push(fact.row, fact.column, &values)
            }
        }
    }

    /// Number of values of economies and of aggregates.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.economies.len(), self.aggregates.len())
    }
}
