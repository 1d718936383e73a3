//! Sorting of rows: by the first column, then by the next, and so on.
//!
//! The whole row is the key. Rows that tie in all columns are alike, so the outcome,
//! and every sum over it, is the same whatever order the rows came in.

/// A double as an integer of the same order.
#[inline]
pub(crate) fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

/// The double of a key.
#[inline]
pub(crate) fn value(key: u64) -> f64 {
    f64::from_bits(key ^ (((!key as i64) >> 63) as u64 | 1 << 63))
}

/// Two columns of a row as one integer, which sorts like the row.
#[inline]
pub(crate) fn pair(first: f64, second: f64) -> u128 {
    (u128::from(key(first)) << 64) | u128::from(key(second))
}

/// The columns of a pair.
#[inline]
pub(crate) fn unpair(pair: u128) -> (f64, f64) {
    (value((pair >> 64) as u64), value(pair as u64))
}

/// Sorts the columns of rows in place.
pub(crate) fn sort(columns: &mut [Vec<f64>]) {
    match columns {
        [] => {}
        [only] => only.sort_unstable_by(f64::total_cmp),
        [first, second] => {
            let mut pairs: Vec<u128> = first.iter().zip(&*second).map(|(a, b)| pair(*a, *b)).collect();
            // Parts that were sorted apart are runs, which this sort finds and merges.
            pairs.sort();
            for ((a, b), pair) in first.iter_mut().zip(second).zip(pairs) {
                (*a, *b) = unpair(pair);
            }
        }
        [first, rest @ ..] => {
            let mut order: Vec<(u64, usize)> = first.iter().map(|v| key(*v)).zip(0..).collect();
            order.sort_by(|(a, left), (b, right)| {
                let further = || {
                    let ties = rest.iter().map(|c| key_at(c, *left).cmp(&key_at(c, *right)));
                    ties.into_iter().find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
                };
                a.cmp(b).then_with(further)
            });
            for column in columns {
                *column = order.iter().filter_map(|(_, row)| column.get(*row).copied()).collect();
            }
        }
    }
}

/// Leaves one of each set of alike rows; the rows are sorted.
pub(crate) fn dedup(columns: &mut [Vec<f64>]) {
    let len = columns.first().map_or(0, Vec::len);
    let differs = |row: &usize| *row == 0 || columns.iter().any(|c| key_at(c, *row) != key_at(c, *row - 1));
    let kept: Vec<usize> = (0..len).filter(differs).collect();
    if kept.len() < len {
        for column in columns {
            *column = kept.iter().filter_map(|row| column.get(*row).copied()).collect();
        }
    }
}

fn key_at(column: &[f64], row: usize) -> Option<u64> {
    column.get(row).map(|v| key(*v))
}

#[cfg(test)]
mod tests {
    use super::{dedup, key, pair, sort, unpair, value};

    #[test]
    fn keys_keep_the_order() {
        let values = [f64::NEG_INFINITY, -1e300, -1.0, -1e-300, -0.0, 0.0, 1e-300, 1.0, 1e300, f64::INFINITY];
        assert!(values.windows(2).all(|w| key(w[0]) < key(w[1])));
        assert!(values.iter().all(|v| value(key(*v)).to_bits() == v.to_bits()));
        assert_eq!(unpair(pair(-2.5, 3.0)), (-2.5, 3.0));
    }

    #[test]
    fn rows_are_sorted_as_a_whole() {
        let rows = [vec![2.0, 1.0, 2.0, 1.0], vec![5.0, 9.0, 4.0, 9.0], vec![0.0, 1.0, 2.0, 1.0]];
        let mut three = rows.clone();
        sort(&mut three);
        assert_eq!(three, [vec![1.0, 1.0, 2.0, 2.0], vec![9.0, 9.0, 4.0, 5.0], vec![1.0, 1.0, 2.0, 0.0]]);
        let mut two = rows[..2].to_vec();
        sort(&mut two);
        assert_eq!(two, three[..2]);
        dedup(&mut three);
        assert_eq!(three, [vec![1.0, 2.0, 2.0], vec![9.0, 4.0, 5.0], vec![1.0, 2.0, 0.0]]);
    }
}
