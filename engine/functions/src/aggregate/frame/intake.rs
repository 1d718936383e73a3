//! From arguments to rows that count: checked doubles without NULL.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, exec_datafusion_err};

use super::{Given, Kind, refuse};

pub(crate) const FINITE: &str = "expected a finite number or NULL";
pub(crate) const WEIGHT: &str = "weights are finite numbers of 0 or more, or NULL";

/// Takes batches of arguments in.
#[derive(Debug)]
pub(crate) struct Intake {
    function: &'static str,
    slots: Vec<Slot>,
    width: usize,
}

#[derive(Debug)]
struct Slot {
    place: usize,
    name: &'static str,
    kind: Kind,
}

/// Columns of a batch, and which of its rows count; all, if `kept` is `None`.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) columns: Vec<Cow<'a, [f64]>>,
    pub(crate) kept: Option<Vec<usize>>,
}

impl Intake {
    /// The intake of a call. The weights' column is the last.
    pub(crate) fn new(given: &Given) -> Self {
        let parameters = given.measure.parameters.iter().enumerate();
        let mut slots: Vec<Slot> = parameters
            .clone()
            .filter(|(place, _)| given.width(*place) > 0)
            .map(|(place, p)| Slot { place, name: p.name, kind: p.kind })
            .collect();
        let mut width = slots.iter().map(|s| given.width(s.place)).sum();
        if given.weighted() {
            let weights = parameters.filter(|(_, p)| p.kind == Kind::Weight);
            slots.extend(weights.map(|(place, p)| Slot { place, name: p.name, kind: p.kind }));
            width += 1;
        }
        Self { function: given.measure.name, slots, width }
    }

    /// How many columns there are, weights included.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Checks the rows that pass the filter, and says which of them count.
    pub(crate) fn take<'a>(&self, arrays: &'a [ArrayRef], filter: Option<&BooleanArray>) -> Result<Batch<'a>> {
        let passes = passing(filter);
        let mut columns = Vec::with_capacity(self.width);
        let mut counted = passes.clone();
        let mut zeros = false;
        for slot in &self.slots {
            let wrong = || exec_datafusion_err!("`{}` did not get numbers as `{}`", self.function, slot.name);
            let array = arrays.get(slot.place).ok_or_else(wrong)?;
            match slot.kind {
                Kind::Key => {
                    let (high, low) = keys(array).ok_or_else(wrong)?;
                    columns.push(Cow::Owned(high));
                    columns.push(Cow::Owned(low));
                }
                Kind::Sources => {
                    for (field, column) in array.as_struct().fields().iter().zip(array.as_struct().columns()) {
                        let numbers = cast(column, &DataType::Float64)?;
                        let numbers = numbers.as_primitive::<Float64Type>();
                        let nulls = NullBuffer::union(numbers.nulls(), array.nulls());
                        let seen = NullBuffer::union(nulls.as_ref(), passes.as_ref());
                        let name = format!("{}.{}", slot.name, field.name());
                        check(self.function, &name, numbers.values(), seen.as_ref(), f64::is_finite, FINITE)?;
                        counted = NullBuffer::union(counted.as_ref(), nulls.as_ref());
                        columns.push(Cow::Owned(numbers.values().to_vec()));
                    }
                    continue;
                }
                _ => {
                    let numbers = array.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
                    let seen = NullBuffer::union(numbers.nulls(), passes.as_ref());
                    let values: &[f64] = numbers.values();
                    if slot.kind == Kind::Weight {
                        check(self.function, slot.name, values, seen.as_ref(), |w| w.is_finite() && w >= 0.0, WEIGHT)?;
                        zeros = values.iter().fold(false, |zero, w| zero | (*w <= 0.0));
                    } else {
                        check(self.function, slot.name, values, seen.as_ref(), f64::is_finite, FINITE)?;
                    }
                    if slot.kind == Kind::Nullable && numbers.null_count() > 0 {
                        columns.push(Cow::Owned(numbers.iter().map(|v| v.unwrap_or(f64::NAN)).collect()));
                    } else {
                        columns.push(Cow::Borrowed(values));
                    }
                }
            }
            if slot.kind != Kind::Nullable {
                counted = NullBuffer::union(counted.as_ref(), array.logical_nulls().as_ref());
            }
        }
        let kept = (zeros || counted.as_ref().is_some_and(|c| c.null_count() > 0)).then(|| {
            let weights = columns.last().filter(|_| zeros);
            let heavy = |row: &usize| weights.is_none_or(|w| w.get(*row).is_some_and(|w| *w > 0.0));
            match &counted {
                Some(counted) => counted.valid_indices().filter(heavy).collect(),
                None => (0..columns.first().map_or(0, |c| c.len())).filter(heavy).collect(),
            }
        });
        Ok(Batch { columns, kept })
    }
}

/// Rows that pass a filter; `None` if all do.
pub(crate) fn passing(filter: Option<&BooleanArray>) -> Option<NullBuffer> {
    let passes = filter.map(|f| match f.nulls() {
        Some(nulls) => NullBuffer::new(f.values() & nulls.inner()),
        None => NullBuffer::new(f.values().clone()),
    });
    passes.filter(|p| p.null_count() > 0)
}

/// Refuses a value that is not allowed where `seen` says that it counts.
pub(crate) fn check(
    function: &str,
    name: &str,
    values: &[f64],
    seen: Option<&NullBuffer>,
    allowed: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<()> {
    // Without an early end the loop takes several values at once.
    if values.iter().fold(true, |all, v| all & allowed(*v)) {
        return Ok(());
    }
    // Under a NULL or outside the filter anything may stand.
    let wrong = |(row, v): &(usize, &f64)| !allowed(**v) && seen.is_none_or(|s| s.is_valid(*row));
    match values.iter().enumerate().find(wrong) {
        Some((_, value)) => refuse(function, name, value, expected),
        None => Ok(()),
    }
}

impl Batch<'_> {
    /// How many rows count.
    pub(crate) fn len(&self) -> usize {
        self.kept.as_ref().map_or_else(|| self.columns.first().map_or(0, |c| c.len()), Vec::len)
    }

    /// Appends the rows that count.
    pub(crate) fn append(&self, to: &mut [Vec<f64>]) {
        for (column, to) in self.columns.iter().zip(to) {
            match &self.kept {
                None => to.extend_from_slice(column),
                Some(kept) => to.extend(kept.iter().filter_map(|row| column.get(*row))),
            }
        }
    }

    /// Leaves only the rows that count.
    pub(crate) fn compact(&mut self) {
        if let Some(kept) = self.kept.take() {
            for column in &mut self.columns {
                *column = Cow::Owned(kept.iter().filter_map(|row| column.get(*row).copied()).collect());
            }
        }
    }
}

/// Names as the bits of two doubles: integers as they are, texts by a hash of 128 bits.
///
/// So rows stay flat columns of doubles. Two texts out of a million share a hash with a
/// probability below 1e-26; the hash has no secret, so that partitions agree.
fn keys(array: &ArrayRef) -> Option<(Vec<f64>, Vec<f64>)> {
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        let low = numbers.values().iter().map(|v| f64::from_bits(*v as u64)).collect();
        return Some((vec![0.0; numbers.len()], low));
    }
    let texts = array.as_string_view_opt()?;
    let bits = |(high, low): (u64, u64)| (f64::from_bits(high), f64::from_bits(low));
    Some(texts.iter().map(|t| t.map_or((0.0, 0.0), |t| bits(name(t)))).unzip())
}

/// The bits that stand for a text.
pub(crate) fn name(text: &str) -> (u64, u64) {
    let hash = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(text.as_bytes());
        hasher.finish()
    };
    (hash(1), hash(2))
}
