//! A file of a survey as the columns that its mapping reads: text, workbook or Stata alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, Float64Array, StringArray, StringBuilder};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;

use super::settings::File;
use crate::error::{Error, Place, Printable, Result};
use crate::import::cells::like;
use crate::import::input::Input;
use crate::read::{Dta, Grid, Kind, Limits, Row};

/// Rows in which a header may stand below titles.
const PREAMBLE: usize = 20;
/// Rows of a Stata file read at once.
const CHUNK: usize = 65_536;

/// Where in a file the columns of a mapping are.
pub(super) struct Found {
    sheet: Option<String>,
    /// Row of the header; none in a Stata file.
    header: Option<u64>,
    /// Position of each wanted column.
    at: Vec<Option<usize>>,
}

impl Found {
    /// Those of the wanted columns that are not there.
    pub(super) fn lacks<'a>(&self, wanted: &'a [String]) -> Vec<&'a str> {
        wanted.iter().zip(&self.at).filter(|(_, at)| at.is_none()).map(|(name, _)| name.as_str()).collect()
    }

    fn present(&self) -> usize {
        self.at.iter().filter(|at| at.is_some()).count()
    }
}

/// Looks for the columns: the row, of the sheet, that has most of them. `None` if there is
/// none of them, or if the file is no table.
pub(super) fn find(input: &Input, wanted: &[String], limits: &Limits) -> Result<Option<Found>> {
    let mut best: Option<Found> = None;
    let mut consider = |found: Found| {
        if found.present() > best.as_ref().map_or(0, Found::present) {
            best = Some(found);
        }
    };
    if input.kind == Kind::Stata {
        // One that is damaged is nobody's here; the import says what is wrong with it.
        if let Ok(dta) = Dta::open(input.bytes.clone(), &input.name, limits) {
            let schema = dta.schema();
            let names: Vec<Cow<'_, str>> = schema.fields().iter().map(|f| Cow::Borrowed(f.name().as_str())).collect();
            consider(Found { sheet: None, header: None, at: positions(&names, wanted) });
        }
    } else if let Some(grid) = input.text() {
        grid.rows.iter().take(PREAMBLE).for_each(|row| consider(in_row(row, None, wanted)));
    } else {
        for sheet in input.sheets() {
            let head = input.head(&sheet, PREAMBLE)?;
            head.rows.iter().for_each(|row| consider(in_row(row, Some(&sheet), wanted)));
        }
    }
    Ok(best)
}

fn in_row(row: &Row, sheet: Option<&str>, wanted: &[String]) -> Found {
    let names: Vec<Cow<'_, str>> = row.cells.iter().map(|c| Cow::Owned(c.text().trim().to_owned())).collect();
    Found { sheet: sheet.map(str::to_owned), header: Some(row.number), at: positions(&names, wanted) }
}

/// Each wanted name as it is written, else the only one that differs by case.
fn positions(names: &[Cow<'_, str>], wanted: &[String]) -> Vec<Option<usize>> {
    let position = |name: &String| {
        names.iter().position(|n| n == name).or_else(|| {
            let mut alike = names.iter().enumerate().filter(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(i, _)| i);
            alike.next().filter(|_| alike.next().is_none())
        })
    };
    wanted.iter().map(position).collect()
}

/// The rows of a file that its mapping lets count.
pub(super) struct Table<'a> {
    /// The file, and sheet.
    pub(super) place: Place,
    settings: &'a File,
    columns: BTreeMap<String, ArrayRef>,
    /// Number in the file of each row.
    numbers: Vec<u64>,
    /// Rows that were left out by `where`.
    pub(super) left_out: usize,
}

impl<'a> Table<'a> {
    /// Reads the columns; `found` is what [`find`] said of the file.
    pub(super) fn read(
        input: &Input,
        settings: &'a File,
        wanted: &[String],
        found: &Found,
        limits: &Limits,
    ) -> Result<Self> {
        let mut table = Self {
            place: Place { sheet: found.sheet.clone(), ..input.place() },
            settings,
            columns: BTreeMap::new(),
            numbers: Vec::new(),
            left_out: 0,
        };
        let at: Vec<usize> = found.at.iter().flatten().copied().collect();
        if input.kind == Kind::Stata {
            table.stata(input, wanted, &at, limits)?;
        } else if let Some(grid) = input.text() {
            let header = grid.rows.iter().find(|r| Some(r.number) == found.header);
            header.map_or(Ok(()), |header| input.whole(header, |_, _| false))?;
            table.grid(grid, wanted, &at, found.header);
        } else {
            let sheet = input.sheet(found.sheet.as_deref().unwrap_or_default())?;
            table.grid(&sheet, wanted, &at, found.header);
        }
        table.keep()?;
        Ok(table)
    }

    fn stata(&mut self, input: &Input, wanted: &[String], at: &[usize], limits: &Limits) -> Result<()> {
        let dta = Dta::open(input.bytes.clone(), &input.name, limits)?;
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); wanted.len()];
        let mut rows = 0;
        for batch in dta.batches(Some(at), CHUNK)? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            for (parts, column) in parts.iter_mut().zip(batch.columns()) {
                let number = column.data_type().is_numeric();
                parts.push(cast(column, if number { &DataType::Float64 } else { &DataType::Utf8 })?);
            }
        }
        for (name, parts) in wanted.iter().zip(parts) {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            let all = if parts.is_empty() { arrow::array::new_empty_array(&DataType::Utf8) } else { concat(&parts)? };
            self.columns.insert(name.clone(), all);
        }
        self.numbers = (1..=rows).collect();
        Ok(())
    }

    fn grid(&mut self, grid: &Grid, wanted: &[String], at: &[usize], header: Option<u64>) {
        let rows: Vec<&Row> =
            grid.rows.iter().filter(|r| header.is_none_or(|h| r.number > h) && !r.is_blank()).collect();
        for (name, at) in wanted.iter().zip(at) {
            let mut values = StringBuilder::with_capacity(rows.len(), rows.len() * 4);
            rows.iter().for_each(|row| values.append_value(row.cell(*at).text().trim()));
            self.columns.insert(name.clone(), std::sync::Arc::new(values.finish()));
        }
        self.numbers = rows.iter().map(|r| r.number).collect();
    }

    /// Leaves out the rows that `where` of the file excludes.
    fn keep(&mut self) -> Result<()> {
        if self.settings.only.is_empty() {
            return Ok(());
        }
        let keep: arrow::array::BooleanArray =
            (0..self.len()).map(|i| Some(self.fits(&self.settings.only, i))).collect();
        self.left_out = keep.false_count();
        if keep.true_count() == 0 {
            return Err(Error::data(self.place.clone(), format!("has no row {}", self.told(&self.settings.only))));
        }
        for column in self.columns.values_mut() {
            *column = arrow::compute::filter(column, &keep)?;
        }
        let mut kept = keep.values().iter();
        self.numbers.retain(|_| kept.next() == Some(true));
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The place of a value in the file.
    pub(super) fn at(&self, row: usize, column: &str) -> Place {
        self.place.clone().row(self.number_of(row)).column(column)
    }

    /// Number of the row in the file.
    pub(super) fn number_of(&self, row: usize) -> u64 {
        self.numbers.get(row).copied().unwrap_or_default()
    }

    /// A value as text; `None` where it is missing.
    pub(super) fn text(&self, column: &str, row: usize) -> Option<Cow<'_, str>> {
        let values = self.columns.get(column)?;
        if values.is_null(row) {
            return None;
        }
        let text = if let Some(values) = values.as_any().downcast_ref::<StringArray>() {
            Cow::Borrowed(values.value(row).trim())
        } else {
            let values = values.as_any().downcast_ref::<Float64Array>()?;
            Cow::Owned(values.value(row).to_string())
        };
        let missing = text.is_empty() || self.settings.missing.iter().any(|m| *m == text);
        (!missing).then_some(text)
    }

    /// A value as a number; `None` where it is missing. Other text is an error.
    pub(super) fn number(&self, column: &str, row: usize) -> Result<Option<f64>> {
        let Some(text) = self.text(column, row) else { return Ok(None) };
        let numbers = self.columns.get(column).and_then(|c| c.as_any().downcast_ref::<Float64Array>());
        let number = match numbers {
            Some(numbers) => Some(numbers.value(row)),
            None if self.settings.decimal == '.' => text.parse().ok(),
            None if text.contains('.') => None,
            None => text.replace(self.settings.decimal, ".").parse().ok(),
        };
        number.filter(|n: &f64| n.is_finite()).map(Some).ok_or_else(|| {
            let what = format!(
                "`{}` is not a number with decimal sign `{}`; if it stands for missing, add it to `missing` of the mapping's file",
                Printable(&text),
                self.settings.decimal
            );
            Error::data(self.at(row, column), what)
        })
    }

    /// True if every column has one of the values that `only` lists for it.
    pub(super) fn fits(&self, only: &BTreeMap<String, Vec<String>>, row: usize) -> bool {
        only.iter()
            .all(|(column, values)| self.text(column, row).is_some_and(|text| values.iter().any(|v| within(v, &text))))
    }

    /// What `only` asks, and what there is, for a message.
    pub(super) fn told(&self, only: &BTreeMap<String, Vec<String>>) -> String {
        const SHOWN: usize = 8;
        let one = |(column, values): (&String, &Vec<String>)| {
            let mut there: Vec<Cow<'_, str>> = (0..self.len()).filter_map(|i| self.text(column, i)).collect();
            there.sort();
            there.dedup();
            let more = if there.len() > SHOWN { " …" } else { "" };
            let there: Vec<String> = there.iter().take(SHOWN).map(|v| Printable(v).to_string()).collect();
            format!("with `{}` in column `{column}`, which has `{}`{more}", values.join("`, `"), there.join("`, `"))
        };
        only.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

/// True if `text` is the value, is in the range `A01-A09` or `0-13` of it, or fits its `*`.
pub(super) fn within(value: &str, text: &str) -> bool {
    if value == text {
        return true;
    }
    // Numbers, such as ages; with leading zeros they are codes, of one length.
    let whole = |text: &str| text.parse::<u64>().ok().filter(|n| n.to_string() == text);
    let ends = value.split_once('-').and_then(|(low, high)| Some((whole(low)?, whole(high)?)));
    if let (Some((low, high)), Some(number)) = (ends, whole(text)) {
        return (low..=high).contains(&number);
    }
    let half = value.len() / 2;
    if let (Some((low, rest)), true) = (value.split_at_checked(half), value.len() % 2 == 1)
        && let Some(high) = rest.strip_prefix('-')
        && text.len() == low.len()
    {
        return (low..=high).contains(&text);
    }
    value.contains('*') && like(value, text)
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn values_ranges_and_stars() {
        for (value, text, expected) in [
            ("P041", "P041", true),
            ("P041", "P04", false),
            ("P001-P022", "P001", true),
            ("P001-P022", "P022", true),
            ("P001-P022", "P023", false),
            ("P001-P022", "P01", false),
            ("1-3", "2", true),
            ("1-3", "1-3", true),
            ("0-13", "8", true),
            ("0-13", "14", false),
            ("14-120", "14", true),
            ("14-120", "9", false),
            ("01-13", "9", false),
            ("P0*", "P041", true),
            ("*", "", true),
            ("-", "x", false),
        ] {
            assert_eq!(within(value, text), expected, "{value} {text}");
        }
    }
}
