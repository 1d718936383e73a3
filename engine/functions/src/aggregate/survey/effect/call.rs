//! A call of `transfer_effect`: its arguments, and how they are read.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, exec_datafusion_err, exec_err};

use super::NAME;
use super::names::Keys;
use crate::aggregate::frame::{FINITE, Given, WEIGHT, check, refuse};
use crate::aggregate::survey::design::Design;
use crate::aggregate::survey::replicates::Replicates;

/// What a call asks for.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) design: Design,
    pub(super) replicates: Option<Replicates>,
    /// Share and statistic of a line relative to incomes.
    pub(super) relative: Option<(f64, String)>,
    /// Share of the median, or mean, of income with remittances that the line in `z` is an estimate of.
    pub(super) estimated: Option<Estimated>,
    /// Whether every household is a sampling unit.
    pub(super) alone: bool,
    /// Whether there are numbers of units in the population.
    pub(super) finite: bool,
    /// Whether there are cells.
    pub(super) cells: bool,
}

/// Of which statistic a line is an estimate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimated {
    pub(super) share: f64,
    /// Of the mean, not the median.
    pub(super) of_mean: bool,
}

impl Call {
    /// Reads the arguments of the whole call.
    pub(super) fn new(given: &Given) -> Result<Self> {
        let relative = given.relative("z");
        if relative.is_none()
            && let Some(line) = given.number("z")?
            && line <= 0.0
        {
            return refuse(NAME, "z", line, "expected a poverty line greater than 0");
        }
        let estimated = match given.number("line_share")? {
            Some(share) if share > 0.0 => {
                Some(Estimated { share, of_mean: given.choice("line_statistic")? == Some("mean") })
            }
            Some(share) => return refuse(NAME, "line_share", share, "expected a share greater than 0"),
            None => None,
        };
        let replicates = Replicates::new(given)?;
        if estimated.is_some() && (relative.is_some() || replicates.is_some()) {
            return exec_err!(
                "`{NAME}` takes `line_share` with a line in `z` and errors by linearisation; \
                 for jackknife and bootstrap expected `z` to be `relative(...)`"
            );
        }
        Ok(Self {
            design: Design::new(given)?,
            replicates,
            relative,
            estimated,
            alone: !given.given("psu"),
            finite: given.given("fpc"),
            cells: given.given("cell") || given.given("subcell"),
        })
    }

    /// Reads a batch; `passes` says which of its rows the filter lets through.
    pub(super) fn columns<'a>(&self, arrays: &'a [ArrayRef], passes: Option<&NullBuffer>) -> Result<Columns<'a>> {
        let amount = |place: usize, name: &'static str| -> Result<Option<&'a Float64Array>> {
            let Some(column) = numbers(arrays, place, name)? else { return Ok(None) };
            let seen = NullBuffer::union(column.nulls(), passes);
            check(NAME, name, column.values(), seen.as_ref(), f64::is_finite, FINITE)?;
            Ok(Some(column))
        };
        let weight = |place: usize, name: &'static str| -> Result<&'a Float64Array> {
            let column = numbers(arrays, place, name)?.ok_or_else(|| wrong(name))?;
            let seen = NullBuffer::union(column.nulls(), passes);
            check(NAME, name, column.values(), seen.as_ref(), |w| w.is_finite() && w >= 0.0, WEIGHT)?;
            Ok(column)
        };
        let required = |place: usize, name: &'static str| amount(place, name)?.ok_or_else(|| wrong(name));
        let key = |place: usize, name: &'static str| Keys::new(arrays.get(place)).ok_or_else(|| wrong(name));
        let columns = Columns {
            income: required(0, "x")?,
            received: required(1, "r")?,
            scale: required(2, "s")?,
            line: if self.relative.is_some() { None } else { Some(required(3, "z")?) },
            weight: weight(4, "w")?,
            persons: weight(5, "n")?,
            stratum: key(6, "stratum")?,
            psu: key(7, "psu")?,
            fpc: amount(8, "fpc")?,
            captured: amount(9, "captured")?,
            cell: key(10, "cell")?,
            subcell: key(11, "subcell")?,
            counterfactual: amount(12, "counterfactual")?,
            without_factor: amount(13, "without_factor")?,
            domain: amount(14, "domain")?,
            counted: None,
            designed: None,
        };
        let given = |place: usize| arrays.get(place).filter(|a| !a.data_type().is_null());
        let with = |rows: Option<&NullBuffer>, places: &[usize]| {
            let arrays = places.iter().filter_map(|place| given(*place));
            arrays.fold(rows.cloned(), |rows, a| NullBuffer::union(rows.as_ref(), a.logical_nulls().as_ref()))
        };
        // A line, a share captured, a cell, a counterfactual or a factor may be missing; all else has to be there.
        let designed = with(passes, &[6, 7, 8, 14]);
        let counted = with(designed.as_ref(), &[0, 1, 2, 4, 5]);
        Ok(Columns { counted, designed, ..columns })
    }
}

fn wrong(name: &str) -> datafusion_common::DataFusionError {
    exec_datafusion_err!("`{NAME}` did not get what it takes as `{name}`")
}

/// An argument of numbers; `None` if it was left out.
fn numbers<'a>(arrays: &'a [ArrayRef], place: usize, name: &str) -> Result<Option<&'a Float64Array>> {
    match arrays.get(place).filter(|a| !a.data_type().is_null()) {
        Some(array) => array.as_primitive_opt::<Float64Type>().map(Some).ok_or_else(|| wrong(name)),
        None => Ok(None),
    }
}

/// The columns of a batch.
pub(super) struct Columns<'a> {
    income: &'a Float64Array,
    received: &'a Float64Array,
    scale: &'a Float64Array,
    line: Option<&'a Float64Array>,
    weight: &'a Float64Array,
    persons: &'a Float64Array,
    pub(super) stratum: Keys<'a>,
    pub(super) psu: Keys<'a>,
    fpc: Option<&'a Float64Array>,
    captured: Option<&'a Float64Array>,
    pub(super) cell: Keys<'a>,
    pub(super) subcell: Keys<'a>,
    counterfactual: Option<&'a Float64Array>,
    without_factor: Option<&'a Float64Array>,
    domain: Option<&'a Float64Array>,
    /// Rows that pass the filter and have a place in the design; all, if there is none.
    designed: Option<NullBuffer>,
    /// Of these the rows without a NULL where there may be none, that pass the filter; all, if there is none.
    counted: Option<NullBuffer>,
}

/// A household as it is read.
pub(super) struct Household {
    /// Income without and with remittances, by the equivalence scale.
    pub(super) without: f64,
    pub(super) with: f64,
    /// Remittances by the equivalence scale, and as they are.
    pub(super) share: f64,
    pub(super) received: f64,
    pub(super) weight: f64,
    /// Weight of its persons.
    pub(super) persons: f64,
    /// Poverty line; NaN for NULL.
    pub(super) line: f64,
    /// Share of remittances that surveys capture; NaN for NULL.
    pub(super) captured: f64,
    pub(super) fpc: f64,
    /// What its weight is multiplied by without remittances.
    pub(super) without_factor: f64,
}

impl Columns<'_> {
    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.income.len()
    }

    /// Whether a row is of the design alone, and if so the number of units in its stratum's population.
    #[inline]
    pub(super) fn outside(&self, row: usize) -> Option<f64> {
        let outside = self.domain.is_some_and(|domain| domain.values().get(row).is_some_and(|d| *d == 0.0));
        let designed = self.designed.as_ref().is_none_or(|d| d.is_valid(row));
        (outside && designed).then(|| {
            let fpc = self.fpc.filter(|c| c.is_valid(row));
            fpc.and_then(|fpc| fpc.values().get(row).copied()).unwrap_or(f64::NAN)
        })
    }

    /// A row; `None` if it does not count.
    #[inline]
    pub(super) fn household(&self, row: usize) -> Result<Option<Household>> {
        let at = |column: &Float64Array| column.values().get(row).copied().unwrap_or(f64::NAN);
        let maybe = |column: Option<&Float64Array>| column.filter(|c| c.is_valid(row)).map_or(f64::NAN, at);
        let (weight, size) = (at(self.weight), at(self.persons));
        if self.counted.as_ref().is_some_and(|c| c.is_null(row)) || weight <= 0.0 || size <= 0.0 {
            return Ok(None);
        }
        let (income, received, scale) = (at(self.income), at(self.received), at(self.scale));
        if scale <= 0.0 {
            return refuse(NAME, "s", scale, "expected an equivalence scale greater than 0");
        }
        let captured = maybe(self.captured);
        if captured < 0.0 {
            return refuse(NAME, "captured", captured, "expected a share of 0 or more, or NULL");
        }
        let factor = maybe(self.without_factor);
        let without_factor = if factor.is_nan() { 1.0 } else { factor };
        if without_factor < 0.0 {
            return refuse(NAME, "without_factor", factor, "expected a factor of 0 or more, or NULL");
        }
        let household = maybe(self.counterfactual);
        let household = if household.is_nan() { income - received } else { household };
        let (without, with) = (household / scale, income / scale);
        if !without.is_finite() || !with.is_finite() {
            return refuse(NAME, "s", scale, "expected a scale by which incomes stay in the range of doubles");
        }
        Ok(Some(Household {
            without,
            with,
            share: received / scale,
            received,
            weight,
            persons: weight * size,
            line: self.line.map_or(f64::NAN, |line| maybe(Some(line))),
            captured,
            fpc: maybe(self.fpc),
            without_factor,
        }))
    }
}
