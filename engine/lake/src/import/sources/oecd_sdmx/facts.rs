//! Values on their way from the text to the tables: few bytes each, by series, on disk if they are many.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::lake::{Span, Spool};

/// A value, with what it is and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fact {
    /// Index of the shape.
    pub(super) shape: u32,
    /// Index of the place.
    pub(super) place: u32,
    pub(super) year: i32,
    /// Line of the text.
    pub(super) row: u64,
    pub(super) value: f64,
}

/// Bytes of a fact on disk.
const WIDTH: usize = 28;

impl Fact {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.shape.to_le_bytes());
        bytes.extend(self.place.to_le_bytes());
        bytes.extend(self.year.to_le_bytes());
        bytes.extend(self.row.to_le_bytes());
        bytes.extend(self.value.to_le_bytes());
    }

    fn read(bytes: &[u8; WIDTH]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, row @ .., m, n, o, p, q, r, s, t] = *bytes;
        Self {
            shape: u32::from_le_bytes([a, b, c, d]),
            place: u32::from_le_bytes([e, f, g, h]),
            year: i32::from_le_bytes([i, j, k, l]),
            row: u64::from_le_bytes(row),
            value: f64::from_le_bytes([m, n, o, p, q, r, s, t]),
        }
    }
}

/// Buckets: all facts of a series are in one, and one fits into memory.
pub(super) const BUCKETS: usize = 256;

/// Facts held in memory before all go to disk: 128 MB.
const HELD: usize = 4 << 20;

/// All facts of a file.
#[derive(Default)]
pub(super) struct Buckets {
    all: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    held: usize,
    memory: Vec<Vec<Fact>>,
    spool: Option<Arc<Spool>>,
    disk: Vec<Vec<Span>>,
}

impl Buckets {
    /// Takes facts of one bucket.
    pub(super) fn add(&self, bucket: usize, facts: &mut Vec<Fact>) -> Result<()> {
        let mut kept = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        kept.memory.resize_with(BUCKETS, Vec::new);
        kept.held += facts.len();
        if let Some(held) = kept.memory.get_mut(bucket) {
            held.append(facts);
        }
        if kept.held > HELD { kept.put_down() } else { Ok(()) }
    }

    /// True if they did not fit into memory.
    pub(super) fn spilled(&self) -> bool {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).spool.is_some()
    }

    /// All facts of a bucket, which is empty afterwards.
    pub(super) fn take(&self, bucket: usize) -> Result<Vec<Fact>> {
        let (mut facts, spans) = {
            let mut kept = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            let facts = kept.memory.get_mut(bucket).map(std::mem::take).unwrap_or_default();
            (facts, kept.disk.get_mut(bucket).map(std::mem::take).unwrap_or_default())
        };
        for span in spans {
            facts.extend(span.read()?.as_chunks::<WIDTH>().0.iter().map(Fact::read));
        }
        Ok(facts)
    }
}

impl Kept {
    fn put_down(&mut self) -> Result<()> {
        let spool = match &self.spool {
            Some(spool) => Arc::clone(spool),
            None => Arc::clone(self.spool.insert(Spool::new()?)),
        };
        self.disk.resize_with(BUCKETS, Vec::new);
        let mut bytes = Vec::new();
        for (facts, spans) in self.memory.iter_mut().zip(&mut self.disk).filter(|(facts, _)| !facts.is_empty()) {
            bytes.clear();
            facts.iter().for_each(|fact| fact.write(&mut bytes));
            // The room goes back too: the next round fills other buckets.
            *facts = Vec::new();
            spans.push(spool.append(&bytes)?);
        }
        self.held = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_disk_comes_back() {
        let fact = |i: usize| Fact {
            shape: i as u32,
            place: u32::MAX - i as u32,
            year: 1960 - i as i32,
            row: u64::MAX / 3 + i as u64,
            value: -0.1 * i as f64,
        };
        let buckets = Buckets::default();
        let many = HELD / 2;
        for round in 0..5 {
            let mut facts: Vec<Fact> = (0..many).map(|i| fact(round * many + i)).collect();
            buckets.add(round % 2, &mut facts).unwrap();
        }
        assert!(buckets.spilled());
        let mut facts = buckets.take(0).unwrap();
        facts.sort_by_key(|f| f.row);
        assert_eq!(facts.len(), 3 * many);
        assert_eq!([facts[1], facts[many]], [fact(1), fact(2 * many)]);
        assert!(buckets.take(0).unwrap().is_empty() && buckets.take(7).unwrap().is_empty());
    }
}
