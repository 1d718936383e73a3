//! Tables of regions: a column for each under its abbreviation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{Datelike, NaiveDate};

use super::layout::{Point, Table};
use super::settings::{Regions, Settings};
use crate::error::{Error, Printable, Result};
use crate::import::cells::{like, squeeze};
use crate::import::importer::Staged;
use crate::import::input::Input;
use crate::tables::UNIT;

/// Name of a region by its abbreviation.
pub(super) type Names = BTreeMap<String, String>;

/// Whether a table is one of regions.
pub(super) enum Found {
    No,
    /// It is, under a name of its sheet that nobody expects.
    Almost(String),
    /// It is; names of its regions.
    Yes(Names),
}

/// Looks for the abbreviations that the descriptor, or a sheet of the file, knows.
pub(super) fn find(table: &Table<'_>, regions: &Regions, input: &Input) -> Result<Found> {
    let names = names(regions, input)?;
    let known = table.header.cells.iter().filter(|c| names.contains_key(&squeeze(&c.text()))).count();
    if known < regions.least {
        return Ok(Found::No);
    }
    let sheet = table.grid.sheet.as_deref().unwrap_or_default();
    if !like(&regions.sheet, sheet) {
        let what = format!("sheet `{sheet}` holds {known} regions under another name; expected `{}`", regions.sheet);
        return Ok(Found::Almost(what));
    }
    Ok(Found::Yes(names))
}

/// Names of the descriptor, and those of the file's own list: a name and an abbreviation in each row.
fn names(regions: &Regions, input: &Input) -> Result<Names> {
    let mut names = regions.names.clone();
    let Some(pattern) = &regions.names_sheet else { return Ok(names) };
    for sheet in input.sheets().iter().filter(|name| like(pattern, name)) {
        for row in &input.sheet(sheet)?.rows {
            let (name, code) = (squeeze(&row.cell(0).text()), squeeze(&row.cell(1).text()));
            if !name.is_empty() && !code.is_empty() {
                names.insert(code, name);
            }
        }
    }
    Ok(names)
}

/// The total of each period, and all regions in long form with their names.
pub(super) fn read(
    table: &Table<'_>,
    regions: &Regions,
    names: &Names,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Result<(Vec<Point>, Staged)> {
    once(table, settings)?;
    let mut rows = Long::default();
    let mut sums: BTreeMap<NaiveDate, Point> = BTreeMap::new();
    let mut counts: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    let (mut total, mut columns, mut seen) = (None, 0, HashMap::new());
    for (index, cell) in table.header.cells.iter().enumerate() {
        let code = squeeze(&cell.text());
        let period = settings.period.columns.iter().any(|c| c.eq_ignore_ascii_case(&code));
        // A column without header and values is what spreadsheets leave behind.
        if period || code.is_empty() && table.body.iter().all(|r| r.cell(index).is_blank()) {
            continue;
        }
        if regions.country.is(&code) {
            total = Some(index);
            continue;
        }
        let place = || table.grid.at(table.header, &code);
        let Some(name) = names.get(&code) else {
            let near = names.keys().max_by_key(|k| (strsim::jaro_winkler(k, &code) * 1000.0) as u32);
            let near = near.map_or_else(String::new, |k| format!("; nearest is `{k}`"));
            let what = format!("unknown region `{}`{near}; give its name in the descriptor", Printable(&code));
            return Err(Error::data(place(), what));
        };
        if let Some(first) = seen.insert(code.clone(), index) {
            let what = format!("region `{code}` has two columns, {} and {}; remove one", first + 1, index + 1);
            return Err(Error::data(place(), what));
        }
        columns += 1;
        for point in table.values(index, settings)? {
            rows.push(&point, &code, name, regions.country.scale);
            *counts.entry(point.day).or_default() += 1;
            let sum = sums.entry(point.day).or_insert_with(|| Point {
                row: point.row,
                column: "sum of the regions".to_owned(),
                value: 0.0,
                ..point
            });
            sum.value += point.value;
        }
    }
    let indicator = &regions.country.indicator;
    let sheet = table.grid.sheet.as_deref().unwrap_or_default();
    notes.push(format!(
        "sheet `{sheet}`: {} values of {columns} regions in long form in `staging.{}`, for `observation` has economies only",
        rows.values.len(),
        regions.staging
    ));
    let points = match total {
        Some(index) => {
            let points = table.values(index, settings)?;
            let beside = |p: &Point| sums.get(&p.day).map(|sum| (p.value - sum.value).abs());
            let worst = points.iter().filter_map(beside).fold(0.0, f64::max);
            notes.push(format!("`{indicator}`: total as published; the regions sum to it within {worst:.4}, unscaled"));
            points
        }
        None => {
            let whole = |p: &Point| counts.get(&p.day).is_some_and(|n| *n == columns);
            let partial = sums.values().filter(|p| !whole(p)).count();
            notes.push(format!(
                "`{indicator}`: the file has no total of the country; it is the sum of {columns} regions"
            ));
            if partial > 0 {
                notes.push(format!(
                    "`{indicator}`: {partial} periods in which a region has no value are left out of it"
                ));
            }
            sums.into_values().filter(whole).collect()
        }
    };
    Ok((points, rows.staged(regions)?))
}

/// Two rows of one period would be added up.
fn once(table: &Table<'_>, settings: &Settings) -> Result<()> {
    let mut seen = HashMap::new();
    for (row, (day, _)) in table.body.iter().zip(table.periods(settings)?) {
        if let Some(first) = seen.insert(day, row.number) {
            let what = format!("duplicate key (period {day}): row {first} has it already; remove one of the two");
            return Err(Error::data(table.grid.place().row(row.number), what));
        }
    }
    Ok(())
}

/// Regions, one value a row.
#[derive(Default)]
struct Long {
    file_rows: Vec<i64>,
    days: Vec<i32>,
    codes: Vec<String>,
    names: Vec<String>,
    values: Vec<f64>,
    statuses: Vec<Option<String>>,
}

impl Long {
    fn push(&mut self, point: &Point, code: &str, name: &str, scale: f64) {
        const UNIX_EPOCH_FROM_CE: i32 = 719_163;
        self.file_rows.push(i64::try_from(point.row).unwrap_or(i64::MAX));
        self.days.push(point.day.num_days_from_ce() - UNIX_EPOCH_FROM_CE);
        self.codes.push(code.to_owned());
        self.names.push(name.to_owned());
        self.values.push(point.value * scale);
        self.statuses.push(point.status.clone());
    }

    fn staged(self, regions: &Regions) -> Result<Staged> {
        let unit = [(UNIT.to_owned(), regions.country.unit.clone())].into();
        let schema = Schema::new(vec![
            Field::new("file_row", DataType::Int64, false),
            Field::new("period", DataType::Date32, false),
            Field::new("region_code", DataType::Utf8, false),
            Field::new("region_name", DataType::Utf8, false),
            Field::new("value", DataType::Float64, false).with_metadata(unit),
            Field::new("obs_status", DataType::Utf8, true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.file_rows)),
            Arc::new(Date32Array::from(self.days)),
            Arc::new(StringArray::from(self.codes)),
            Arc::new(StringArray::from(self.names)),
            Arc::new(Float64Array::from(self.values)),
            Arc::new(StringArray::from(self.statuses)),
        ];
        Ok(Staged::of(regions.staging.clone(), RecordBatch::try_new(Arc::new(schema), columns)?))
    }
}
