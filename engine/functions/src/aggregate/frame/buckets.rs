//! Sorting the rows of a group of middling size: by buckets first.
//!
//! Incomes spread over their range, so putting each row into one of as many buckets as
//! there are rows, by its distance from the least key, leaves a few rows a bucket. For
//! groups of 2,000 rows that takes half the time of the sort by comparison; where
//! values crowd together the buckets are sorted by comparison after all.

/// With fewer rows counting does not pay; with more the buckets leave the cache.
const SIZES: std::ops::Range<usize> = 64..65_536;
/// Up to so many rows a bucket is sorted by insertion.
const FEW: usize = 24;

/// Sorts pairs; keeps its memory from one group to the next.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    sorted: Vec<u128>,
    begins: Vec<u32>,
}

impl Buckets {
    /// Sorts the rows of a group, two columns a pair.
    pub(super) fn sort(&mut self, pairs: &mut [u128]) {
        let first = |pair: &u128| (pair >> 64) as u64;
        let (least, most) = pairs.iter().map(first).fold((u64::MAX, 0), |(least, most), k| (least.min(k), most.max(k)));
        if !SIZES.contains(&pairs.len()) || least >= most {
            pairs.sort_unstable();
            return;
        }
        let span = most - least;
        let wanted = usize::BITS - pairs.len().leading_zeros() + 1;
        let shift = (u64::BITS - span.leading_zeros()).saturating_sub(wanted);
        let bucket = |pair: &u128| ((first(pair) - least) >> shift) as usize;
        let buckets = (span >> shift) as usize + 1;
        self.begins.clear();
        self.begins.resize(buckets + 1, 0);
        for pair in &*pairs {
            if let Some(count) = self.begins.get_mut(bucket(pair) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut self.begins {
            sum += *begin;
            *begin = sum;
        }
        self.sorted.clear();
        self.sorted.resize(pairs.len(), 0);
        for pair in &*pairs {
            if let Some(next) = self.begins.get_mut(bucket(pair))
                && let Some(slot) = self.sorted.get_mut(*next as usize)
            {
                *slot = *pair;
                *next += 1;
            }
        }
        // What began a bucket has moved to its end.
        let mut begin = 0;
        for end in &self.begins {
            let end = *end as usize;
            match self.sorted.get_mut(begin..end) {
                Some(part) if part.len() > FEW => part.sort_unstable(),
                Some(part) if part.len() > 1 => insert(part),
                _ => {}
            }
            begin = end;
        }
        pairs.copy_from_slice(&self.sorted);
    }
}

fn insert(part: &mut [u128]) {
    for end in 1..part.len() {
        let mut at = end;
        while at > 0
            && let Some([left, right]) = part.get_mut(at - 1..=at)
            && *left > *right
        {
            std::mem::swap(left, right);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sort::pair;
    use super::Buckets;

    #[test]
    fn sorts_like_the_sort_by_comparison() {
        let mut state = 88_172_645_463_325_252u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut buckets = Buckets::default();
        for len in [0, 1, 63, 64, 65, 500, 3000, 70_000] {
            let shapes: [&mut dyn FnMut() -> f64; 6] =
                [&mut || 5.0, &mut || 0.0, &mut || -3.0, &mut || f64::MAX, &mut || f64::MIN_POSITIVE, &mut || 1e-310];
            for (n, odd) in shapes.into_iter().enumerate() {
                let mut value = || if random() < 0.2 { odd() } else { (random() - 0.3) * 10f64.powi(n as i32 * 3) };
                let mut pairs: Vec<u128> = (0..len).map(|i| pair(value(), f64::from(i % 7))).collect();
                let mut should = pairs.clone();
                should.sort_unstable();
                buckets.sort(&mut pairs);
                assert!(pairs == should, "{len} {n}");
            }
        }
    }
}
