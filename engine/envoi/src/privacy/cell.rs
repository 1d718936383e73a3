//! The hidden column: which households a cell rests on, and how much each contributes.
//!
//! ```text
//! __envoi_cell(survey, household, contribution, …) -> bytes of a Cell
//! ```
//! State: for every household of the group its hash and the sums of its absolute
//! contributions, so that rows may be multiplied by joins and split over partitions.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::OnceLock;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, UInt64Type};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use crate::error::Error;

/// Name of the function; nobody can call it by name, since it is registered nowhere.
const NAME: &str = "__envoi_cell";
/// Households, by a secret hash of each, without order.
pub(crate) type Set = Vec<u64>;

/// One contribution of a cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Part {
    /// Households that contribute something other than zero.
    pub(crate) set: Set,
    /// The largest absolute contribution over the sum of all; 0 without any.
    pub(crate) share: f64,
    /// No infinity or NaN among them.
    pub(crate) finite: bool,
}

/// What one group rests on.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cell {
    /// Households of the group.
    pub(crate) set: Set,
    /// They are of more than one survey.
    pub(crate) mixed: bool,
    /// The contributions in the order of the arguments.
    pub(crate) parts: Vec<Part>,
}

impl Cell {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.mixed)];
        let set = |bytes: &mut Vec<u8>, set: &Set| {
            bytes.extend((set.len() as u64).to_le_bytes());
            bytes.extend(set.iter().flat_map(|household| household.to_le_bytes()));
        };
        set(&mut bytes, &self.set);
        for part in &self.parts {
            set(&mut bytes, &part.set);
            bytes.extend(part.share.to_le_bytes());
            bytes.push(u8::from(part.finite));
        }
        bytes
    }

    /// Reads what the hidden column holds.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes).ok_or_else(|| Error::internal("a hidden column of households is broken").into())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (mixed, rest) = bytes.split_first()?;
        let (set, mut rest) = read_set(rest)?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (set, after) = read_set(rest)?;
            let (share, after) = after.split_at_checked(8)?;
            let (finite, after) = after.split_first()?;
            parts.push(Part { set, share: f64::from_bits(word(share)?), finite: *finite == 1 });
            rest = after;
        }
        Some(Self { set, mixed: *mixed == 1, parts })
    }
}

fn read_set(bytes: &[u8]) -> Option<(Set, &[u8])> {
    let (count, rest) = bytes.split_at_checked(8)?;
    let width = usize::try_from(word(count)?).ok()?.checked_mul(8)?;
    let (households, rest) = rest.split_at_checked(width)?;
    Some((households.chunks_exact(8).map(word).collect::<Option<_>>()?, rest))
}

fn word(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// The function for so many contributions.
pub(crate) fn function(parts: usize) -> AggregateUDF {
    AggregateUDF::from(CellUdf { parts, signature: Signature::variadic_any(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CellUdf {
    parts: usize,
    signature: Signature,
}

impl AggregateUDFImpl for CellUdf {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list =
            |name: &str, of: DataType| Field::new(format!("{}[{name}]", args.name), DataType::new_list(of, true), true);
        let fields = [
            list("surveys", DataType::UInt64),
            list("households", DataType::UInt64),
            list("contributions", DataType::Float64),
        ];
        Ok(fields.map(FieldRef::new).to_vec())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Households { parts: self.parts, surveys: Vec::new(), sums: HashMap::new() }))
    }
}

/// The households of a group.
#[derive(Debug)]
struct Households {
    parts: usize,
    /// Hashes of the surveys seen; no more than two are kept.
    surveys: Vec<u64>,
    /// By hash of the household, its absolute contributions.
    sums: HashMap<u64, Vec<f64>>,
}

/// A seed of this process: which bucket a household is in cannot be worked out by who asks.
fn seed() -> &'static RandomState {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    SEED.get_or_init(|| RandomState::with_seed(std::hash::RandomState::new().hash_one(0u8)))
}

impl Households {
    fn survey(&mut self, hash: u64) {
        if self.surveys.len() < 2 && !self.surveys.contains(&hash) {
            self.surveys.push(hash);
        }
    }

    fn add(&mut self, household: u64, contributions: impl Iterator<Item = f64>) {
        let sums = self.sums.entry(household).or_insert_with(|| vec![0.0; self.parts]);
        for (sum, contribution) in sums.iter_mut().zip(contributions) {
            *sum += contribution.abs();
        }
    }
}

impl Accumulator for Households {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [survey, household, contributions @ ..] = values else { return Ok(()) };
        let mut surveys = vec![0; survey.len()];
        create_hashes([survey], seed(), &mut surveys)?;
        let mut households = vec![0; survey.len()];
        create_hashes([survey, household], seed(), &mut households)?;
        let columns: Vec<Option<&Float64Array>> =
            contributions.iter().map(|c| c.as_primitive_opt::<Float64Type>()).collect();
        for (row, (survey, hash)) in surveys.iter().zip(&households).enumerate() {
            // The side of an outer join without a partner is nobody.
            if household.is_null(row) {
                continue;
            }
            self.survey(*survey);
            self.add(*hash, columns.iter().map(|c| c.filter(|c| c.is_valid(row)).map_or(0.0, |c| c.value(row))));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [surveys, households, contributions] = states else { return Ok(()) };
        let wrong = || DataFusionError::from(Error::internal("a state of households is broken"));
        let lists = [surveys, households, contributions].map(|l| l.as_list_opt::<i32>());
        let [Some(surveys), Some(households), Some(contributions)] = lists else { return Err(wrong()) };
        for row in 0..households.len() {
            let of = |array: ArrayRef| array.as_primitive_opt::<UInt64Type>().cloned().ok_or_else(wrong);
            of(surveys.value(row))?.values().iter().for_each(|s| self.survey(*s));
            let hashes: UInt64Array = of(households.value(row))?;
            let sums = contributions.value(row);
            let sums = sums.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?.values().to_vec();
            for (at, hash) in hashes.values().iter().enumerate() {
                let mine = sums.get(at * self.parts..(at + 1) * self.parts).ok_or_else(wrong)?;
                self.add(*hash, mine.iter().copied());
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sums = std::mem::take(&mut self.sums);
        let households: Vec<ScalarValue> = sums.keys().map(|h| ScalarValue::from(*h)).collect();
        let contributions: Vec<ScalarValue> = sums.values().flatten().map(|c| ScalarValue::from(*c)).collect();
        let surveys: Vec<ScalarValue> = self.surveys.iter().map(|s| ScalarValue::from(*s)).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&surveys, &DataType::UInt64)),
            ScalarValue::List(ScalarValue::new_list_nullable(&households, &DataType::UInt64)),
            ScalarValue::List(ScalarValue::new_list_nullable(&contributions, &DataType::Float64)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut cell = Cell { mixed: self.surveys.len() > 1, ..Cell::default() };
        cell.parts = vec![Part { finite: true, ..Part::default() }; self.parts];
        let mut totals = vec![(0.0, 0.0); self.parts];
        for (household, sums) in &self.sums {
            cell.set.push(*household);
            for ((part, (largest, total)), sum) in cell.parts.iter_mut().zip(&mut totals).zip(sums) {
                if *sum != 0.0 {
                    part.set.push(*household);
                }
                part.finite &= sum.is_finite();
                *largest = sum.max(*largest);
                *total += sum;
            }
        }
        for (part, (largest, total)) in cell.parts.iter_mut().zip(&totals) {
            part.finite &= total.is_finite();
            part.share = if *total > 0.0 { largest / total } else { 0.0 };
        }
        Ok(ScalarValue::Binary(Some(cell.to_bytes())))
    }

    fn size(&self) -> usize {
        let entry = size_of::<(u64, Vec<f64>)>() + self.parts * size_of::<f64>() + 8;
        size_of_val(self) + self.sums.capacity() * entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let part = Part { set: vec![1, u64::MAX, 3], share: 0.25, finite: true };
        let cell =
            Cell { set: (0..40).collect(), mixed: true, parts: vec![part.clone(), Part { finite: false, ..part }] };
        assert_eq!(Cell::parse(&cell.to_bytes()).unwrap(), cell);
        assert!(Cell::parse(&cell.to_bytes()[..7]).is_err());
    }
}
