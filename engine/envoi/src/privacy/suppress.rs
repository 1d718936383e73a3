//! Which cells of an answer are not shown.
//!
//! 1. Primary: too few households, one that dominates, a condition that all but a few meet.
//! 2. Secondary: along every key, what is left out must be two cells and k households
//!    together, or the total less the cells shown gives it back.
//! 3. Memory: cells that, with what the role has seen, give few households away (`memory`).
//!
//! The smallest cell goes first, so that totals stay.

use std::collections::{BTreeMap, BTreeSet};

use super::DisclosureRules;
use super::cell::{Cell, Set};
use super::memory::{Judge, Memory};

/// What is demanded of one column of an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnRule {
    /// Its contributions, by their place in the cell.
    pub(super) parts: Vec<usize>,
    /// Those which only a condition leaves in: the households left out are a cell too.
    pub(super) conditional: Vec<usize>,
    /// Says nothing of households: which keys the row is grouped by, what is the same for the survey.
    pub(super) open: bool,
    /// Households that it needs.
    pub(super) least: u64,
    /// Only within one survey: its values are multiplied by something that differs between surveys.
    pub(super) one_survey: bool,
    /// The value is a share of households, by a line that depends on them: as many must be on either side.
    pub(super) headcount: bool,
}

/// A group of the answer.
#[derive(Debug)]
pub(super) struct Row {
    /// Grouping set, then the keys.
    pub(super) set: String,
    pub(super) keys: Vec<String>,
    pub(super) cell: Cell,
    /// For each column its value, where the rule asks for it.
    pub(super) values: Vec<Option<f64>>,
}

/// What is not shown.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Rows of which nothing is shown, not even the keys: there are too few households.
    pub(super) dropped: BTreeSet<usize>,
    /// Cells by row and column.
    pub(super) hidden: BTreeSet<(usize, usize)>,
}

/// Decides, and remembers what is shown. `keys` says of each key whether it varies within a survey.
///
/// `None`: the role's budget of cells is used up.
pub(super) fn decide(
    rows: &[Row],
    columns: &[ColumnRule],
    keys: &[bool],
    rules: &DisclosureRules,
    memory: &mut Memory,
) -> Option<Verdict> {
    let k = rules.min_households;
    let table = Table { rows, columns, lines: lines(rows, keys), k, max_share: rules.max_share };
    let mut forced: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut verdict = table.verdict(&forced);
    for (row, column) in table.shown(&verdict) {
        table.sets(row, column).for_each(|set| memory.split(set));
    }
    let known = memory.judge(k);
    // Every round forces another cell, so there are no more rounds than cells.
    loop {
        match table.told(&verdict, memory, known.clone()) {
            Ok(told) if memory.len() + told.len() > rules.cells => return None,
            Ok(told) => {
                memory.learn(told);
                return Some(verdict);
            }
            Err(found) => {
                forced.extend(found);
                verdict = table.verdict(&forced);
            }
        }
    }
}

struct Table<'a> {
    rows: &'a [Row],
    columns: &'a [ColumnRule],
    /// Rows that share a grouping set and all keys but one that varies within a survey.
    lines: Vec<Vec<usize>>,
    k: u64,
    max_share: f64,
}

/// Rows along each key that varies within a survey.
fn lines(rows: &[Row], keys: &[bool]) -> Vec<Vec<usize>> {
    /// The key that varies, the grouping set, and the other keys.
    type Line<'a> = (usize, &'a str, Vec<&'a str>);
    let mut lines: BTreeMap<Line<'_>, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        for (key, _) in keys.iter().enumerate().filter(|(_, varies)| **varies) {
            let others = row.keys.iter().enumerate().filter(|(i, _)| *i != key).map(|(_, k)| k.as_str()).collect();
            lines.entry((key, &row.set, others)).or_default().push(at);
        }
    }
    lines.into_values().filter(|rows| rows.len() > 1).collect()
}

impl Table<'_> {
    fn cell(&self, row: usize) -> Option<&Cell> {
        self.rows.get(row).map(|r| &r.cell)
    }

    fn width(&self) -> usize {
        // Rows without a column, as of DISTINCT, are hidden or shown as a whole.
        self.columns.len().max(1)
    }

    fn is_open(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|c| c.open)
    }

    /// Households that a column of a row rests on.
    fn support(&self, row: usize, column: usize) -> u64 {
        let Some(cell) = self.cell(row) else { return 0 };
        let parts = self.columns.get(column).map(|c| c.parts.as_slice()).unwrap_or_default();
        let parts = parts.iter().filter_map(|p| cell.parts.get(*p)).map(|p| &p.set);
        parts.chain([&cell.set]).map(|s| s.len() as u64).min().unwrap_or(0)
    }

    fn too_few(&self, count: usize) -> bool {
        count > 0 && (count as u64) < self.k
    }

    /// Whether a cell may not be shown whatever else is shown.
    fn primary(&self, row: &Row, place: usize) -> bool {
        let cell = &row.cell;
        if self.is_open(place) {
            return false;
        }
        if self.too_few(cell.set.len()) {
            return true;
        }
        let Some(rule) = self.columns.get(place) else { return false };
        if cell.set.is_empty() {
            return false;
        }
        if (rule.one_survey && cell.mixed) || (cell.set.len() as u64) < rule.least {
            return true;
        }
        if rule.headcount {
            let share = row.values.get(place).copied().flatten().unwrap_or(0.0);
            let poor = share * cell.set.len() as f64;
            let rest = cell.set.len() as f64 - poor;
            let few = |n: f64| n > 0.0 && n < self.k as f64;
            if !(0.0..=1.0).contains(&share) || few(poor) || few(rest) {
                return true;
            }
        }
        rule.parts.iter().filter_map(|p| Some((*p, cell.parts.get(*p)?))).any(|(p, part)| {
            let few = !part.set.is_empty() && (part.set.len() as u64) < rule.least.max(self.k);
            let left_out = rule.conditional.contains(&p) && self.too_few(cell.set.len().saturating_sub(part.set.len()));
            few || left_out || !part.finite || part.share > self.max_share
        })
    }

    fn verdict(&self, forced: &BTreeSet<(usize, usize)>) -> Verdict {
        let mut hidden = forced.clone();
        let mut dropped = BTreeSet::new();
        for (at, row) in self.rows.iter().enumerate() {
            if self.too_few(row.cell.set.len()) {
                dropped.insert(at);
            }
            hidden.extend((0..self.width()).filter(|c| self.primary(row, *c)).map(|c| (at, c)));
        }
        // One more cell of a line is hidden in every round, until no line gives a hidden one back.
        for column in (0..self.width()).filter(|c| !self.is_open(*c)) {
            let mut again = true;
            while again {
                again = false;
                for line in &self.lines {
                    let (gone, left): (Vec<usize>, Vec<usize>) =
                        line.iter().partition(|row| hidden.contains(&(**row, column)));
                    let together: u64 = gone.iter().map(|row| self.support(*row, column)).sum();
                    if gone.is_empty() || (gone.len() > 1 && together >= self.k) {
                        continue;
                    }
                    let counted = left.into_iter().map(|row| (self.support(row, column), row));
                    // A cell of nobody hides nobody.
                    if let Some((_, row)) = counted.filter(|(n, _)| *n > 0).min() {
                        hidden.insert((row, column));
                        again = true;
                    }
                }
            }
        }
        Verdict { dropped, hidden }
    }

    /// The sets behind a cell: the group's, and those that a condition leaves in. Zeros that
    /// are no condition's are left out: a sum without them is the same sum.
    fn sets(&self, row: usize, column: usize) -> impl Iterator<Item = &Set> {
        let cell = self.cell(row);
        let parts = self.columns.get(column).map(|c| c.conditional.as_slice()).unwrap_or_default();
        let parts = parts.iter().filter_map(move |p| cell?.parts.get(*p)).map(|p| &p.set);
        cell.map(|c| &c.set).into_iter().chain(parts)
    }

    /// The cells that are shown, the largest first.
    fn shown(&self, verdict: &Verdict) -> Vec<(usize, usize)> {
        let all = (0..self.rows.len()).flat_map(|row| (0..self.width()).map(move |column| (row, column)));
        let shown = all.filter(|at| !verdict.hidden.contains(at) && !self.is_open(at.1));
        let mut shown: Vec<(usize, usize)> = shown.collect();
        shown.sort_by_key(|(row, column)| std::cmp::Reverse(self.support(*row, *column)));
        shown
    }

    /// What the cells shown tell that was not known; or those that, with the larger ones, tell too much.
    fn told(
        &self,
        verdict: &Verdict,
        memory: &Memory,
        mut known: Judge,
    ) -> Result<Vec<Vec<bool>>, Vec<(usize, usize)>> {
        let (mut told, mut found) = (Vec::new(), Vec::new());
        for (row, column) in self.shown(verdict) {
            // One set of a cell may be near to another: the poor with and without remittances.
            for set in self.sets(row, column) {
                let atoms = memory.row(set);
                match known.take(&atoms) {
                    Some(true) => told.push(atoms),
                    Some(false) => {}
                    None => {
                        found.push((row, column));
                        break;
                    }
                }
            }
        }
        if found.is_empty() { Ok(told) } else { Err(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::cell::Part;

    fn rows(counts: &[u64]) -> Vec<Row> {
        let mut from = 0;
        let row = |(at, count): (usize, &u64)| {
            from += count;
            let set: Set = (from - count..from).collect();
            let part = Part { set: set.clone(), share: 1.0 / (*count as f64), finite: true };
            let cell = Cell { set, mixed: false, parts: vec![part] };
            Row { set: String::new(), keys: vec![at.to_string()], cell, values: vec![None] }
        };
        counts.iter().enumerate().map(row).collect()
    }

    fn hidden(rows: &[Row], memory: &mut Memory) -> Vec<usize> {
        let column = ColumnRule { parts: vec![0], least: 10, ..ColumnRule::default() };
        let verdict = decide(rows, &[column], &[true], &DisclosureRules::default(), memory).unwrap();
        verdict.hidden.into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn a_small_cell_takes_the_next_with_it() {
        let mut memory = Memory::default();
        assert_eq!(hidden(&rows(&[100, 4, 30, 50]), &mut memory), [1, 2]);
        assert_eq!(hidden(&rows(&[100, 40, 30]), &mut Memory::default()), Vec::<usize>::new());
        // Together they are too few still.
        assert_eq!(hidden(&rows(&[100, 4, 3, 30]), &mut Memory::default()), [1, 2, 3]);
    }

    #[test]
    fn what_was_seen_before_is_not_taken_apart() {
        let mut memory = Memory::default();
        let regions = rows(&[100, 4, 30, 50]);
        assert_eq!(hidden(&regions, &mut memory), [1, 2]);
        // The total less those shown is the small one and its companion: 34 households.
        let total: Set = regions.iter().flat_map(|r| r.cell.set.clone()).collect();
        let whole = |set: &Set| {
            let cell = Cell { set: set.clone(), mixed: false, parts: Vec::new() };
            vec![Row { set: String::new(), keys: Vec::new(), cell, values: Vec::new() }]
        };
        let ask = |set: &Set, memory: &mut Memory| {
            decide(&whole(set), &[ColumnRule::default()], &[], &DisclosureRules::default(), memory)
                .unwrap()
                .hidden
                .len()
        };
        assert_eq!(ask(&total, &mut memory), 0);
        // The companion alone would give the small one away, and so would all but the small one.
        assert_eq!(ask(&regions[2].cell.set, &mut memory), 1);
        let rest: Set = total.iter().copied().filter(|h| !regions[1].cell.set.contains(h)).collect();
        assert_eq!(ask(&rest, &mut memory), 1);
        // What was shown is shown again.
        assert_eq!(ask(&total, &mut memory), 0);
        assert_eq!(ask(&regions[0].cell.set, &mut memory), 0);
    }
}
