//! What a role was told, and what follows from it by adding and subtracting.
//!
//! Every cell that is shown is a sum over a set of households. What can be computed of such
//! sums is their linear span, so that is what is kept:
//!
//! ```text
//! atoms   households that every set so far has all of, or none        sizes
//! rows    the sets shown, 1 for each atom they have                   columns: atoms
//! echelon the rows after elimination, atoms of k households and more first
//! ```
//! A row of the echelon that begins behind those atoms is a combination of what was told in
//! which all but small atoms cancel. If it rests on fewer than k households it gives them
//! away, whichever statements it is made of; so a set that would bring such a row is not shown.

use std::collections::{HashMap, HashSet};

use super::cell::Set;

/// Elimination is done modulo a prime: exact, and no digit is lost.
const PRIME: u64 = (1 << 31) - 1;
/// Orders of the small atoms that are tried: a combination of two rows may rest on fewer than either.
const ORDERS: u64 = 8;

/// Bounded by the role's budget of sets: where it is used up nothing new is shown.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The atom of each household that was ever asked about.
    atoms: HashMap<u64, usize>,
    sizes: Vec<u64>,
    /// Of each set shown that does not follow from others, its atoms.
    rows: Vec<Vec<bool>>,
    /// For each form of a statement, the statements seen.
    shapes: HashMap<u64, HashSet<u64>>,
    /// Statements that failed while they ran.
    pub(crate) failures: u32,
}

impl Memory {
    /// Counts a statement; false if there were too many of its form.
    pub(crate) fn admits(&mut self, shape: u64, whole: u64, most: usize) -> bool {
        let seen = self.shapes.entry(shape).or_default();
        seen.contains(&whole) || (seen.len() < most && seen.insert(whole))
    }

    /// Sets known so far, those that follow from others left out.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Splits atoms so that a set has all or none of each.
    pub(crate) fn split(&mut self, set: &Set) {
        let mut within: HashMap<Option<usize>, Vec<u64>> = HashMap::new();
        for household in set {
            within.entry(self.atoms.get(household).copied()).or_default().push(*household);
        }
        for (atom, households) in within {
            let count = households.len() as u64;
            if let Some(size) = atom.and_then(|a| self.sizes.get_mut(a)) {
                if *size == count {
                    continue;
                }
                *size -= count;
            }
            let new = self.sizes.len();
            self.sizes.push(count);
            for row in &mut self.rows {
                let held = atom.and_then(|a| row.get(a)).copied().unwrap_or(false);
                row.resize(new, false);
                row.push(held);
            }
            for household in households {
                self.atoms.insert(household, new);
            }
        }
    }

    /// What is known, ready to judge sets of which the atoms are split.
    pub(crate) fn judge(&self, k: u64) -> Judge {
        let mut order: Vec<usize> = (0..self.sizes.len()).filter(|a| self.size(*a) > 0).collect();
        order.sort_by_key(|a| (self.size(*a) < k, *a));
        let big = order.iter().filter(|a| self.size(**a) >= k).count();
        let sizes = order.iter().map(|a| self.size(*a)).collect();
        let mut judge = Judge { order, sizes, big, k, rows: Vec::new() };
        for row in &self.rows {
            let row = judge.order.iter().map(|a| u64::from(row.get(*a).copied().unwrap_or(false))).collect();
            if let Some(row) = judge.reduced(row) {
                judge.rows.push(row);
            }
        }
        judge
    }

    /// The atoms of a set.
    pub(crate) fn row(&self, set: &Set) -> Vec<bool> {
        let mut row = vec![false; self.sizes.len()];
        for atom in set.iter().filter_map(|household| self.atoms.get(household)) {
            if let Some(held) = row.get_mut(*atom) {
                *held = true;
            }
        }
        row
    }

    /// Remembers sets that are shown.
    pub(crate) fn learn(&mut self, rows: Vec<Vec<bool>>) {
        self.rows.extend(rows);
    }

    fn size(&self, atom: usize) -> u64 {
        self.sizes.get(atom).copied().unwrap_or(0)
    }
}

/// Rows after elimination.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    /// The atoms in the order of the columns, those of k households and more first.
    order: Vec<usize>,
    sizes: Vec<u64>,
    big: usize,
    k: u64,
    /// Each with the column that it begins in, where it is 1; none begins where another does.
    rows: Vec<(usize, Vec<u64>)>,
}

impl Judge {
    /// Takes a set in. `None` if it would, with what is known, give fewer than k households away;
    /// else whether it says anything new.
    pub(crate) fn take(&mut self, row: &[bool]) -> Option<bool> {
        let columns = self.order.iter().map(|a| u64::from(row.get(*a).copied().unwrap_or(false))).collect();
        let Some((begins, row)) = self.reduced(columns) else { return Some(false) };
        self.rows.push((begins, row));
        if begins >= self.big && self.singles_out() {
            self.rows.pop();
            return None;
        }
        Some(true)
    }

    /// What is left of a row without the others, and where it begins; `None` if nothing is.
    fn reduced(&self, mut row: Vec<u64>) -> Option<(usize, Vec<u64>)> {
        reduce(&mut row, &self.rows);
        leading(row)
    }

    /// Whether a combination in which the big atoms cancel rests on fewer than k households.
    fn singles_out(&self) -> bool {
        let small: Vec<&[u64]> = self
            .rows
            .iter()
            .filter(|(begins, _)| *begins >= self.big)
            .filter_map(|(_, row)| row.get(self.big..))
            .collect();
        let sizes = self.sizes.get(self.big..).unwrap_or_default();
        (0..ORDERS).any(|turn| {
            // Larger atoms first, then at random: the rows at the end rest on few.
            let mut order: Vec<usize> = (0..sizes.len()).collect();
            order.sort_by_key(|c| {
                let mixed = (*c as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(2 * turn + 1);
                let size = sizes.get(*c).copied().unwrap_or(0);
                if turn == 0 { u64::MAX - size } else { mixed.rotate_left(31) }
            });
            let size = |column: usize| order.get(column).and_then(|c| sizes.get(*c)).copied().unwrap_or(0);
            full(small.iter().map(|row| order.iter().map(|c| row.get(*c).copied().unwrap_or(0)).collect())).iter().any(
                |row| {
                    let rests_on =
                        row.iter().enumerate().filter(|(_, v)| **v != 0).map(|(column, _)| size(column)).sum::<u64>();
                    rests_on > 0 && rests_on < self.k
                },
            )
        })
    }
}

/// Takes from a row what others have where they begin; they are in the order they came.
fn reduce(row: &mut [u64], others: &[(usize, Vec<u64>)]) {
    for (begins, other) in others {
        let times = row.get(*begins).copied().unwrap_or(0);
        if times != 0 {
            let times = PRIME - times;
            row.iter_mut().zip(other).for_each(|(v, o)| *v = (*v + times * o) % PRIME);
        }
    }
}

/// A row with 1 where it begins.
fn leading(mut row: Vec<u64>) -> Option<(usize, Vec<u64>)> {
    let begins = row.iter().position(|v| *v != 0)?;
    let scale = inverse(row.get(begins).copied().unwrap_or(1));
    row.iter_mut().for_each(|v| *v = *v * scale % PRIME);
    Some((begins, row))
}

/// Reduced echelon form: no row has anything where another begins.
fn full(rows: impl Iterator<Item = Vec<u64>>) -> Vec<Vec<u64>> {
    let mut done: Vec<(usize, Vec<u64>)> = Vec::new();
    for mut row in rows {
        reduce(&mut row, &done);
        if let Some(row) = leading(row) {
            for (_, other) in &mut done {
                reduce(other, std::slice::from_ref(&row));
            }
            done.push(row);
        }
    }
    done.into_iter().map(|(_, row)| row).collect()
}

fn inverse(of: u64) -> u64 {
    let (mut base, mut power, mut result) = (of % PRIME, PRIME - 2, 1);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % PRIME;
        }
        (base, power) = (base * base % PRIME, power >> 1);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(memory: &mut Memory, set: impl Iterator<Item = u64>) -> bool {
        let set: Set = set.collect();
        memory.split(&set);
        let row = memory.row(&set);
        match memory.judge(10).take(&row) {
            None => false,
            Some(new) => {
                memory.learn(new.then_some(row).into_iter().collect());
                true
            }
        }
    }

    #[test]
    fn sets_that_differ_in_few_are_not_shown_beside_one_another() {
        let mut memory = Memory::default();
        assert!(shown(&mut memory, 0..500));
        assert!(!shown(&mut memory, 3..500));
        assert!(!shown(&mut memory, (0..499).chain([777])), "one household for another");
        assert!(shown(&mut memory, 0..500), "it was shown before");
        assert!(shown(&mut memory, 0..200));
        assert!(!shown(&mut memory, 204..500), "4 are left of the whole");
        assert!(shown(&mut memory, 200..500), "it follows from what is known");
        assert!(shown(&mut memory, 210..500));
        assert_eq!(memory.len(), 3);
    }

    #[test]
    fn many_parts_leave_no_few() {
        let mut memory = Memory::default();
        assert!(shown(&mut memory, 0..96));
        // Sets that cut across do not lead astray.
        assert!(shown(&mut memory, (0..96).filter(|h| h % 2 == 0)));
        for part in 0..8 {
            assert!(shown(&mut memory, part * 12..part * 12 + 12), "{part}");
            assert!(memory.len() <= 12);
        }
    }

    #[test]
    fn the_last_part_is_not_shown() {
        let mut memory = Memory::default();
        assert!(shown(&mut memory, 0..103));
        let seen: Vec<bool> = (0..8).map(|part| shown(&mut memory, part * 12..part * 12 + 12)).collect();
        assert_eq!(seen, [true, true, true, true, true, true, true, false], "7 are left of the whole");
    }
}
