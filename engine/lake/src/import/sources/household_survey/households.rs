//! The households of a survey, and what its files say of each.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::settings::{File, From, Of, PerKey, Settings};
use super::table::Table;
use crate::error::{Error, Place, Printable, Result};

/// Between the parts of a key: in no file's text.
const BETWEEN: &str = "\u{1f}";
/// Rows that a message lists.
const LISTED: usize = 5;

/// The files of a survey with the households they are about.
pub(super) struct Households<'a> {
    settings: &'a Settings,
    tables: &'a BTreeMap<String, Table<'a>>,
    base: &'a Table<'a>,
    /// Key of each household, its parts joined.
    keys: Vec<String>,
    /// Row of the households' file that has it first.
    first: Vec<usize>,
    index: HashMap<String, usize>,
    /// Row of each other file that belongs to a household.
    joined: BTreeMap<String, Vec<Option<usize>>>,
    /// Decisions and counts.
    pub(super) notes: Vec<String>,
}

impl<'a> Households<'a> {
    pub(super) fn of(settings: &'a Settings, tables: &'a BTreeMap<String, Table<'a>>) -> Result<Self> {
        let (base, file) = table(settings, tables, &settings.households)?;
        let mut all = Self {
            settings,
            tables,
            base,
            keys: Vec::new(),
            first: Vec::new(),
            index: HashMap::new(),
            joined: BTreeMap::new(),
            notes: Vec::new(),
        };
        for row in 0..base.len() {
            let key = key(base, file, row)?;
            match all.index.get(&key) {
                None => {
                    all.index.insert(key.clone(), all.keys.len());
                    all.keys.push(key);
                    all.first.push(row);
                }
                Some(&household) if file.rows == PerKey::One => {
                    let first = all.first.get(household).copied().unwrap_or_default();
                    return Err(twice(base, file, row, first, &key, "household"));
                }
                Some(_) => {}
            }
        }
        if all.keys.is_empty() {
            return Err(Error::data(base.place.clone(), "has no household below its header"));
        }
        let names: Vec<String> = settings.columns.all().filter_map(|(_, from)| from.file).collect();
        for name in names.iter().chain([&settings.households]) {
            if !all.joined.contains_key(name) {
                let rows = all.join(name)?;
                all.joined.insert(name.clone(), rows);
            }
        }
        Ok(all)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The household's key as people read it.
    pub(super) fn id(&self, household: usize) -> String {
        self.keys.get(household).map(|k| k.replace(BETWEEN, "-")).unwrap_or_default()
    }

    /// Number of its first row in the households' file.
    pub(super) fn row(&self, household: usize) -> u64 {
        self.first.get(household).map_or(0, |row| self.base.number_of(*row))
    }

    /// The row of another file for each household. Of a file of lines that is the first one,
    /// with which the others must agree in what is read as one value.
    fn join(&mut self, name: &str) -> Result<Vec<Option<usize>>> {
        let (table, file) = table(self.settings, self.tables, name)?;
        let here = |from: &From| from.file.as_deref().unwrap_or(&self.settings.households) == name;
        let single: Vec<String> = self
            .settings
            .columns
            .all()
            .filter(|(_, from)| here(from))
            .flat_map(|(_, from)| {
                from.column.iter().flat_map(|c| c.all().to_vec()).chain(from.shared_by).collect::<Vec<_>>()
            })
            .collect();
        let mut rows: HashMap<String, usize> = HashMap::with_capacity(table.len());
        for row in 0..table.len() {
            let key = key(table, file, row)?;
            match rows.get(&key) {
                None => {
                    rows.insert(key, row);
                }
                Some(&first) if file.rows == PerKey::One => return Err(twice(table, file, row, first, &key, "key")),
                Some(&first) => {
                    if let Some(column) = single.iter().find(|c| table.text(c, first) != table.text(c, row)) {
                        let say = |row| table.text(column, row).unwrap_or(Cow::Borrowed("")).into_owned();
                        let what = format!(
                            "`{}` of household {}, which has `{}` in row {}; one value a household is expected",
                            Printable(&say(row)),
                            Printable(&key.replace(BETWEEN, "-")),
                            Printable(&say(first)),
                            table.number_of(first)
                        );
                        return Err(Error::data(table.at(row, column), what));
                    }
                }
            }
        }
        let parts = file.key.len();
        let prefix = |key: &String| key.split(BETWEEN).take(parts).collect::<Vec<_>>().join(BETWEEN);
        let joined: Vec<Option<usize>> = self.keys.iter().map(|key| rows.get(&prefix(key)).copied()).collect();
        let found = joined.iter().filter(|row| row.is_some()).count();
        if found == 0 {
            let what = format!(
                "no household of `{}` is in it: the keys ({}) do not fit, such as `{}` there and `{}` here",
                Printable(&self.base.place.file),
                file.key.join(", "),
                self.id(0),
                rows.keys().min().map(|k| k.replace(BETWEEN, "-")).unwrap_or_default()
            );
            return Err(Error::data(table.place.clone(), what));
        }
        if file.rows == PerKey::One && name != self.settings.households {
            let used: std::collections::HashSet<usize> = joined.iter().flatten().copied().collect();
            let unused = rows.len() - used.len();
            if unused > 0 {
                self.notes.push(format!("{unused} of {} rows of `{name}` belong to no household", rows.len()));
            }
        }
        Ok(joined)
    }

    /// The row of the file of `from` for a household.
    fn place_of(&self, from: &From, household: usize) -> Result<(&'a Table<'a>, Option<usize>)> {
        let name = from.file.as_deref().unwrap_or(&self.settings.households);
        let (table, _) = table(self.settings, self.tables, name)?;
        Ok((table, self.joined.get(name).and_then(|rows| rows.get(household)).copied().flatten()))
    }

    /// Text of each household: a stratum, a region; `None` where the file says nothing.
    pub(super) fn texts(&self, name: &str, from: &From) -> Result<Vec<Option<String>>> {
        let columns = from.column.as_ref().map(|c| c.all().to_vec()).unwrap_or_default();
        let one = |household| -> Result<Option<String>> {
            let (table, Some(row)) = self.place_of(from, household)? else { return Ok(None) };
            let mut parts = Vec::with_capacity(columns.len());
            for column in &columns {
                let Some(text) = table.text(column, row) else { return Ok(None) };
                parts.push(from.first.map_or_else(|| text.to_string(), |n| text.chars().take(n).collect()));
            }
            let text = parts.join("-");
            let Some(codes) = &from.codes else { return Ok(Some(text)) };
            codes.get(&text).cloned().map(Some).ok_or_else(|| {
                let known: Vec<&str> = codes.keys().map(String::as_str).collect();
                let what = format!("`{}` is no code of {name}; known are `{}`", Printable(&text), known.join("`, `"));
                Error::data(table.at(row, &columns.join(", ")), what)
            })
        };
        (0..self.len()).map(one).collect()
    }

    /// Yes or no for each household.
    pub(super) fn flags(&self, name: &str, from: &From) -> Result<Vec<Option<bool>>> {
        let listed = |list: &Option<Vec<String>>, text: &str| {
            list.as_ref().map(|values| values.iter().any(|v| super::table::within(v, text)))
        };
        let one = |(household, text): (usize, Option<String>)| -> Result<Option<bool>> {
            let Some(text) = text else { return Ok(None) };
            match (listed(&from.yes, &text), listed(&from.no, &text)) {
                (Some(true), _) => Ok(Some(true)),
                (_, None | Some(true)) => Ok(Some(false)),
                _ => {
                    let (table, row) = self.place_of(from, household)?;
                    let column = from.column.as_ref().map(|c| c.all().join(", ")).unwrap_or_default();
                    let place = row.map_or_else(|| table.place.clone(), |row| table.at(row, &column));
                    Err(Error::data(place, format!("`{}` of {name} is in neither `yes` nor `no`", Printable(&text))))
                }
            }
        };
        self.texts(name, from)?.into_iter().enumerate().map(one).collect()
    }

    /// A number of each household, at least 0 for a weight and above 0 for persons; a weight
    /// must be there.
    pub(super) fn numbers(&self, name: &str, from: &From) -> Result<Vec<Option<f64>>> {
        if from.count {
            return self.counts(name, from);
        }
        let column = from.column.as_ref().and_then(|c| c.all().first()).cloned().unwrap_or_default();
        let weight = name == "weight";
        let (mut all, mut bad) = (Vec::with_capacity(self.len()), Vec::new());
        for household in 0..self.len() {
            let (table, row) = self.place_of(from, household)?;
            let number = match row {
                None => None,
                Some(row) => match (table.number(&column, row)?, &from.shared_by) {
                    (Some(number), Some(by)) => table.number(by, row)?.map(|n| number / n),
                    (number, _) => number,
                },
            };
            // A household may be without children, and stand for nobody; it has members.
            let least = name != "size_persons";
            let fine = match number {
                None => !weight,
                Some(n) => n.is_finite() && (n > 0.0 || least && n == 0.0),
            };
            if !fine {
                bad.push((household, number, row));
            }
            all.push(number);
        }
        let Some((household, number, row)) = bad.first().copied() else { return Ok(all) };
        let (table, _) = self.place_of(from, household)?;
        let place = match row {
            Some(row) => table.at(row, &column),
            None => self.base.place.clone().row(self.row(household)),
        };
        let told = match (number, row) {
            (Some(n), _) if weight => format!("weight {n} is below 0"),
            (Some(n), _) => format!("{n} is no number of persons"),
            (None, Some(_)) => "there is no weight".to_owned(),
            (None, None) => format!("`{}` has no row for it, so no weight", Printable(&table.place.file)),
        };
        let rows: Vec<String> = bad
            .iter()
            .take(LISTED)
            .map(|(household, _, row)| row.map_or(self.row(*household), |r| table.number_of(r)).to_string())
            .collect();
        let more = if bad.len() > LISTED { " …" } else { "" };
        let what = format!(
            "{told}, household {}; so in {} households, rows {}{more}; leave them out with `where`, or list the value in `missing`",
            Printable(&self.id(household)),
            bad.len(),
            rows.join(", ")
        );
        Err(Error::data(place, what))
    }

    /// How many rows of the file each household has. Only members as such cannot be none.
    fn counts(&self, name: &str, from: &From) -> Result<Vec<Option<f64>>> {
        let file_name = from.file.as_deref().unwrap_or(&self.settings.households);
        let (table, file) = table(self.settings, self.tables, file_name)?;
        let counted = |row: &usize| table.fits(&from.only, *row);
        if !from.only.is_empty() && !(0..table.len()).any(|row| counted(&row)) {
            return Err(Error::data(table.place.clone(), format!("{name}: no row {}", table.told(&from.only))));
        }
        let mut counts = vec![0.0; self.len()];
        for row in (0..table.len()).filter(counted) {
            if let Some(count) = self.index.get(&key(table, file, row)?).and_then(|i| counts.get_mut(*i)) {
                *count += 1.0;
            }
        }
        Ok(counts.into_iter().map(|n| (n > 0.0 || name != "size_persons").then_some(n)).collect())
    }

    /// Money of each household over the reference period of the survey.
    pub(super) fn amounts(&mut self, name: &str, all: &[Of]) -> Result<Vec<Option<f64>>> {
        let mut sums: Vec<Option<f64>> = vec![None; self.len()];
        for of in all {
            let file_name = of.file.as_deref().unwrap_or(&self.settings.households);
            let (table, file) = table(self.settings, self.tables, file_name)?;
            let factor = of.scale.unwrap_or(1.0) * of.months.map_or(1.0, |months| self.settings.months / months);
            if of.missing_is_zero.unwrap_or(file.rows == PerKey::Many) {
                sums.iter_mut().for_each(|sum| *sum = Some(sum.unwrap_or(0.0)));
            }
            let (mut lines, mut strangers) = (0_usize, 0_usize);
            for row in (0..table.len()).filter(|row| table.fits(&of.only, *row)) {
                lines += 1;
                let Some(sum) = self.index.get(&key(table, file, row)?).and_then(|i| sums.get_mut(*i)) else {
                    strangers += 1;
                    continue;
                };
                for column in of.amount.all() {
                    if let Some(amount) = table.number(column, row)? {
                        *sum = Some(sum.unwrap_or(0.0) + amount * factor);
                    }
                }
            }
            if lines == 0 && !of.only.is_empty() {
                let what = format!("{name}: no row {}", table.told(&of.only));
                return Err(Error::data(table.place.clone(), what));
            }
            if strangers > 0 && strangers == lines {
                let what = format!("{name}: none of {lines} rows is of a household of `{}`", self.base.place.file);
                return Err(Error::data(table.place.clone(), what));
            }
            if strangers > 0 {
                self.notes.push(format!("{name}: {strangers} of {lines} rows of `{file_name}` are of no household"));
            }
            if factor != 1.0 {
                let columns = of.amount.all().join("`, `");
                self.notes.push(format!("{name}: `{columns}` of `{file_name}` are multiplied by {factor}"));
            }
        }
        Ok(sums)
    }

    /// The place of a household in its file.
    pub(super) fn at(&self, household: usize) -> Place {
        self.base.place.clone().row(self.row(household))
    }
}

fn table<'a>(
    settings: &'a Settings,
    tables: &'a BTreeMap<String, Table<'a>>,
    name: &str,
) -> Result<(&'a Table<'a>, &'a File)> {
    let file = settings.file(name).map_err(Error::Internal)?;
    tables.get(name).map(|table| (table, file)).ok_or_else(|| Error::Internal(format!("`{name}` was not read")))
}

/// The parts of the row's key, joined.
fn key(table: &Table<'_>, file: &File, row: usize) -> Result<String> {
    let mut key = String::new();
    for (i, column) in file.key.iter().enumerate() {
        let Some(part) = table.text(column, row) else {
            return Err(Error::data(table.at(row, column), "is blank, but it is part of the household's key"));
        };
        if i > 0 {
            key.push_str(BETWEEN);
        }
        key.push_str(&part);
    }
    Ok(key)
}

fn twice(table: &Table<'_>, file: &File, row: usize, first: usize, key: &str, what: &str) -> Error {
    let what = format!(
        "duplicate {what} {}: row {} has it already; remove one of the two, or say rows = \"many\" if the file is of lines",
        Printable(&key.replace(BETWEEN, "-")),
        table.number_of(first)
    );
    Error::data(table.at(row, &file.key.join(", ")), what)
}
