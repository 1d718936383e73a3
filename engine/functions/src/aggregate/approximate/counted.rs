//! Weighted values in buckets, of which each is at most 1/128 of its values wide.
//!
//! A bucket is what the sign, the exponent and the first seven bits of a double name. So
//! buckets have the order of their values, no parameter depends on the data, and what is in
//! them depends neither on the order of rows nor on how they were split (as in DDSketch,
//! Masson, Rim and Lee 2019, but without a logarithm).

use crate::aggregate::frame::{Total, key, value};

/// The bits of a double that do not name its bucket.
const WITHIN: u32 = 64 - 1 - 11 - 7;

/// What is in a bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    pub(super) key: u32,
    pub(super) rows: u64,
    pub(super) weight: Total,
    /// The weighted sum of what values are above the bucket's lowest.
    pub(super) above: Total,
}

impl Bucket {
    /// The lowest value that belongs here.
    fn lowest(&self) -> f64 {
        value(u64::from(self.key) << WITHIN)
    }
}

/// All buckets that are not empty, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Counted {
    buckets: Vec<Bucket>,
}

impl Counted {
    /// The buckets.
    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The room that they take in bytes.
    pub(super) fn size(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// Adds a row.
    pub(super) fn add(&mut self, y: f64, w: f64) {
        self.change(bucket_of(y), |bucket| {
            bucket.rows += 1;
            bucket.weight.add(w);
            bucket.above.add(w * (y - bucket.lowest()));
        });
    }

    /// Takes a row away that was added.
    pub(super) fn remove(&mut self, y: f64, w: f64) {
        let mut left = 0;
        self.change(bucket_of(y), |bucket| {
            bucket.rows = bucket.rows.saturating_sub(1);
            bucket.weight.add(-w);
            bucket.above.add(-w * (y - bucket.lowest()));
            left = bucket.rows;
        });
        if left == 0 {
            self.buckets.retain(|b| b.rows > 0);
        }
    }

    /// Adds what another has in a bucket.
    pub(super) fn merge(&mut self, other: Bucket) {
        self.change(other.key, |bucket| {
            bucket.rows += other.rows;
            bucket.weight.merge(other.weight);
            bucket.above.merge(other.above);
        });
    }

    /// The mean value and the weight of each bucket.
    pub(super) fn means(&self) -> (Vec<f64>, Vec<f64>) {
        let mean = |b: &Bucket| (b.lowest() + b.above.value() / b.weight.value(), b.weight.value());
        self.buckets.iter().map(mean).unzip()
    }

    /// Changes a bucket, which is made if there is none.
    fn change(&mut self, key: u32, change: impl FnOnce(&mut Bucket)) {
        match self.buckets.binary_search_by_key(&key, |b| b.key) {
            Ok(place) => {
                if let Some(bucket) = self.buckets.get_mut(place) {
                    change(bucket);
                }
            }
            Err(place) => {
                let mut bucket = Bucket { key, ..Bucket::default() };
                change(&mut bucket);
                self.buckets.insert(place, bucket);
            }
        }
    }
}

/// The name of a value's bucket. The two zeros are one.
fn bucket_of(y: f64) -> u32 {
    (key(y + 0.0) >> WITHIN) as u32
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Counted, bucket_of};

    #[test]
    fn buckets_are_narrow_and_in_order() {
        for y in [1e-300, 0.01, 1.0, 1.999, 3.7, 1e9, 1e300] {
            let lowest = Bucket { key: bucket_of(y), ..Bucket::default() }.lowest();
            assert!(lowest <= y && y - lowest <= lowest / 128.0, "{y}");
            let below = Bucket { key: bucket_of(-y), ..Bucket::default() }.lowest();
            assert!(below <= -y && -y - below <= y / 128.0, "-{y}");
        }
        assert_eq!(bucket_of(-0.0), bucket_of(0.0));
        assert!(
            bucket_of(-2.0) < bucket_of(-1.0) && bucket_of(-1.0) < bucket_of(0.0) && bucket_of(0.0) < bucket_of(1.0)
        );
    }

    #[test]
    fn rows_come_and_go() {
        let mut counted = Counted::default();
        [(3.0, 1.0), (-2.0, 2.0), (3.01, 1.0), (0.0, 1.0)].into_iter().for_each(|(y, w)| counted.add(y, w));
        let (means, weights) = counted.means();
        assert_eq!((means, weights), (vec![-2.0, 0.0, 3.005], vec![2.0, 1.0, 2.0]));
        counted.remove(-2.0, 2.0);
        assert_eq!(counted.buckets().len(), 2);
    }
}
