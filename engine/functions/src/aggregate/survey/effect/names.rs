//! Names of strata, units and cells as small numbers.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::Int64Type;
use datafusion_common::HashMap;

use crate::aggregate::frame::name;

/// A name: an integer, or a hash of 128 bits of a text, as the survey's other measures have it.
pub(super) type Name = (u64, u64);

/// What has no name: the cell of rows that belong to none, and units that are rows.
pub(super) const NAMELESS: Name = (u64::MAX, u64::MAX);

/// How many names are found without a hash of their text.
const RECENT: usize = 4096;
/// Texts up to this length stand in the view itself, so that the view is the text.
const INLINE: u32 = 12;

/// A column of names.
pub(super) enum Keys<'a> {
    /// Left out: all rows have the same.
    One,
    Numbers(&'a Int64Array),
    Texts(&'a StringViewArray),
}

impl<'a> Keys<'a> {
    /// Reads an argument that may be left out; `None` if it is neither integers nor texts.
    pub(super) fn new(array: Option<&'a ArrayRef>) -> Option<Self> {
        let Some(array) = array.filter(|a| !a.data_type().is_null()) else { return Some(Self::One) };
        let numbers = || array.as_primitive_opt::<Int64Type>().map(Self::Numbers);
        numbers().or_else(|| array.as_string_view_opt().map(Self::Texts))
    }
}

/// The names of a column, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Name>,
    numbers: HashMap<Name, u32>,
    last: Option<(u128, u32)>,
    /// By bits of the name as it stands in the column.
    recent: Vec<Option<(u128, u32)>>,
}

impl Names {
    /// The number of the name in a row.
    #[inline]
    pub(super) fn at(&mut self, keys: &Keys<'_>, row: usize) -> u32 {
        let bits = match keys {
            Keys::One if self.names.is_empty() => return self.number(NAMELESS),
            Keys::One => return 0,
            Keys::Numbers(numbers) if numbers.is_valid(row) => u128::from(numbers.value(row) as u64),
            Keys::Texts(texts) if texts.is_valid(row) => match texts.views().get(row) {
                Some(view) if *view as u32 <= INLINE => *view,
                _ => return self.number(name(texts.value(row))),
            },
            _ => return self.number(NAMELESS),
        };
        match self.last {
            Some((known, number)) if known == bits => number,
            _ => self.seldom(keys, row, bits),
        }
    }

    fn seldom(&mut self, keys: &Keys<'_>, row: usize, bits: u128) -> u32 {
        let folded = (bits as u64 ^ (bits >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = (folded >> (u64::BITS - RECENT.ilog2())) as usize;
        let number = match self.recent.get(slot).copied().flatten() {
            Some((known, number)) if known == bits => number,
            _ => {
                let number = self.number(match keys {
                    Keys::Texts(texts) => name(texts.value(row)),
                    _ => (0, bits as u64),
                });
                self.recent.resize(RECENT, None);
                if let Some(entry) = self.recent.get_mut(slot) {
                    *entry = Some((bits, number));
                }
                number
            }
        };
        self.last = Some((bits, number));
        number
    }

    /// The number of a name.
    pub(super) fn number(&mut self, name: Name) -> u32 {
        let next = self.names.len() as u32;
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.names.push(name);
        }
        number
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> Name {
        self.names.get(number as usize).copied().unwrap_or(NAMELESS)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.names.capacity() * size_of::<Name>()
            + self.numbers.capacity() * size_of::<(Name, u32)>()
            + self.recent.capacity() * size_of::<Option<(u128, u32)>>()
    }
}

/// What belongs to a group: a sampling unit by its stratum and name, a cell by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Member {
    /// Number of the stratum, or of the cell.
    pub(super) first: u32,
    /// Number of the unit.
    pub(super) second: u32,
}

/// Members of a group, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    numbers: HashMap<Member, u32>,
    last: Option<(Member, u32)>,
}

impl Members {
    /// The number of a member.
    #[inline]
    pub(super) fn number(&mut self, member: Member) -> u32 {
        match self.last {
            Some((known, number)) if known == member => number,
            _ => {
                let next = self.all.len() as u32;
                let number = *self.numbers.entry(member).or_insert(next);
                if number == next {
                    self.all.push(member);
                }
                self.last = Some((member, number));
                number
            }
        }
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.all.capacity() * size_of::<Member>() + self.numbers.capacity() * size_of::<(Member, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringViewArray};

    use super::{Keys, NAMELESS, Names};
    use crate::aggregate::frame::name;

    #[test]
    fn texts_short_and_long_have_numbers() {
        let long = "a name that does not stand in its view";
        let texts = [Some("b"), Some(""), Some(long), None, Some("b"), Some(long), Some("twelve bytes"), Some("")];
        let array: ArrayRef = Arc::new(StringViewArray::from(texts.to_vec()));
        let keys = Keys::new(Some(&array)).unwrap();
        let mut names = Names::default();
        let numbers: Vec<u32> = (0..texts.len()).map(|row| names.at(&keys, row)).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 0, 2, 4, 1]);
        assert_eq!((names.name(0), names.name(3)), (name("b"), NAMELESS));
        assert_eq!((names.name(2), names.name(4)), (name(long), name("twelve bytes")));
    }

    #[test]
    fn more_integers_than_are_kept_near() {
        let many: Vec<i64> = (0..20_000).map(|i| i * 7919 % 9_000 - 4_000).collect();
        let array: ArrayRef = Arc::new(Int64Array::from(many.clone()));
        let keys = Keys::new(Some(&array)).unwrap();
        let mut names = Names::default();
        for (row, value) in many.iter().enumerate() {
            let number = names.at(&keys, row);
            assert_eq!(names.name(number), (0, *value as u64));
        }
        assert_eq!(names.names.len(), 9_000);
        let mut left_out = Names::default();
        let all = left_out.at(&Keys::One, 0);
        assert_eq!((all, left_out.at(&Keys::One, 1), left_out.name(all)), (0, 0, NAMELESS));
    }
}
