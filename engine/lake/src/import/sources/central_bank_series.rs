//! Series of central banks: months or quarters down, across, or one value a row.
//!
//! ```text
//! Date,Workers Remittances (Million USD)        Year  Quarter  AGS    BC   …  ZAC
//! JUL-2005,313.14                               2003  Q1       62.4   28.6 …  85.8
//! ```
//! Which words, which unit and which way is up to the descriptor, so another bank's file needs
//! a descriptor that names this importer, and no code; one that is not part of the program is a
//! mapping. Values by region have no place in `observation`, whose key is the
//! economy: they go to `staging` with their names, one row each, and their total to `observation`.

mod layout;
mod period;
mod regions;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Datelike, Days, Months, NaiveDate};

use self::layout::{Point, Table};
use self::regions::Found;
use self::settings::{Series, Settings};
use crate::error::{Error, Result};
use crate::import::cells::like;
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition, Staged};
use crate::import::input::Input;
use crate::import::rows::{Rows, Value};
use crate::import::staged::stage;
use crate::read::{Grid, Row};
use crate::tables::{INDICATOR, OBSERVATION};

/// What descriptors name as their `importer`.
const ID: &str = "central_bank.series";

pub(super) struct CentralBankSeries;

impl Importer for CentralBankSeries {
    fn id(&self) -> &'static str {
        ID
    }

    fn check(&self, descriptor: &Descriptor) -> Result<(), String> {
        settings::check(descriptor)
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let grids = grids(input, &settings)?;
        let mut almost = None;
        for grid in grids.iter().map(Sheet::grid) {
            let Some(table) = Table::find(grid, &settings) else { continue };
            if settings.series.iter().any(|s| table.has(s)) {
                return Ok(Recognition::Yes);
            }
            for regions in &settings.regions {
                match regions::find(&table, regions, input)? {
                    Found::Yes(_) => return Ok(Recognition::Yes),
                    Found::Almost(why) => almost = almost.or(Some(why)),
                    Found::No => {}
                }
            }
        }
        Ok(almost.map_or(Recognition::No, Recognition::Almost))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let mut import = Import {
            settings: &settings,
            context,
            notes: Vec::new(),
            staged: Vec::new(),
            points: settings.series.iter().chain(settings.regions.iter().map(|r| &r.country)).map(|_| None).collect(),
        };
        for sheet in &grids(input, &settings)? {
            let Some(mut table) = Table::find(sheet.grid(), &settings) else { continue };
            input.whole(table.header, |_, _| false)?;
            import.table(&mut table, input)?;
        }
        import.finish(input)
    }
}

/// A text, or a sheet of a workbook.
enum Sheet<'a> {
    Text(&'a Grid),
    Sheet(Arc<Grid>),
}

impl Sheet<'_> {
    fn grid(&self) -> &Grid {
        match self {
            Self::Text(grid) => grid,
            Self::Sheet(grid) => grid,
        }
    }
}

/// The text, or the sheets in which the descriptor seeks anything.
fn grids<'a>(input: &'a Input, settings: &Settings) -> Result<Vec<Sheet<'a>>> {
    if let Some(grid) = input.text() {
        return Ok(vec![Sheet::Text(grid)]);
    }
    let anywhere = settings.series.iter().any(|s| s.sheet.is_none()) || !settings.regions.is_empty();
    let wanted = |name: &String| {
        anywhere || settings.series.iter().any(|s| s.sheet.as_deref().is_some_and(|pattern| like(pattern, name)))
    };
    input.sheets().iter().filter(|name| wanted(name)).map(|name| Ok(Sheet::Sheet(input.sheet(name)?))).collect()
}

/// What has been read of a file so far.
struct Import<'a> {
    settings: &'a Settings,
    context: &'a Context<'a>,
    notes: Vec<String>,
    staged: Vec<Staged>,
    /// Of each series, those of regions' countries last; `None`: not in this file.
    points: Vec<Option<Vec<Point>>>,
}

impl<'a> Import<'a> {
    fn all_series(&self) -> impl Iterator<Item = &'a Series> + use<'a> {
        self.settings.series.iter().chain(self.settings.regions.iter().map(|r| &r.country))
    }

    fn table(&mut self, table: &mut Table<'_>, input: &Input) -> Result<()> {
        let settings = self.settings;
        let mut used = false;
        let here: Vec<(usize, &Series)> = settings.series.iter().enumerate().filter(|(_, s)| table.has(s)).collect();
        let regions: Vec<_> = settings.regions.iter().enumerate().collect();
        let mut found = Vec::new();
        for (index, regions) in regions {
            match regions::find(table, regions, input)? {
                Found::Yes(names) => found.push((index, regions, names)),
                Found::Almost(why) => return Err(Error::data(table.grid.place(), why)),
                Found::No => {}
            }
        }
        if here.is_empty() && found.is_empty() {
            return Ok(());
        }
        let remarks = table.check_rows(settings)?;
        let sheet = table.grid.sheet.as_ref().map_or_else(String::new, |s| format!(" of sheet `{s}`"));
        if remarks > 0 {
            self.notes.push(format!("{remarks} remarks{sheet} passed over"));
        }
        for (index, series) in here {
            let points = table.points(series, settings)?;
            if let Some(slot) = self.points.get_mut(index) {
                slot.get_or_insert_default().extend(points);
            }
            used = true;
        }
        for (index, regions, names) in found {
            let (points, staged) = regions::read(table, regions, &names, settings, &mut self.notes)?;
            self.staged.push(staged);
            if let Some(slot) = self.points.get_mut(settings.series.len() + index) {
                slot.get_or_insert_default().extend(points);
            }
        }
        if used {
            let strangers = table.strangers(&settings.series);
            if strangers > 0 {
                self.notes.push(format!("{strangers} rows{sheet} are of other series: in schema staging only"));
            }
            let name = format!("{} {}", self.context.descriptor.id, table.grid.sheet.as_deref().unwrap_or("series"));
            let body: Vec<Row> = table.body.iter().map(|row| (*row).clone()).collect();
            self.staged.push(stage(&name, table.grid, table.header, &body)?);
        }
        Ok(())
    }

    fn finish(mut self, input: &Input) -> Result<Imported> {
        let days = || self.points.iter().flatten().flatten().map(|p| p.day);
        let Some((first, last)) = days().min().zip(days().max()) else {
            return Err(Error::data(input.place(), "has no value below its header; the file seems cut off"));
        };
        let step = Months::new(self.settings.frequency.months());
        let end = last.checked_add_months(step).and_then(|d| d.checked_sub_days(Days::new(1))).unwrap_or(last);
        let vintage = self.context.vintage.unwrap_or(end);
        self.notes.push(format!("vintage {vintage}; the file states no edition, its newest period ends on {end}"));
        let part = format!("{}/series", self.context.descriptor.id);
        let (mut rows, mut indicators) = (Rows::new(&OBSERVATION, part.clone()), Rows::new(&INDICATOR, part));
        let points = std::mem::take(&mut self.points);
        for (series, points) in self.all_series().zip(points) {
            match points {
                Some(points) => self.series(series, &points, vintage, (first, last), &mut rows, &mut indicators)?,
                None => self.notes.push(format!("`{}` is not in this edition", series.header.join("` or `"))),
            }
        }
        Ok(Imported {
            place: input.place(),
            edition: format!("series {vintage}"),
            vintage,
            files: Vec::new(),
            staged: self.staged,
            rows: vec![rows, indicators],
            notes: self.notes,
        })
    }

    fn series(
        &mut self,
        series: &Series,
        points: &[Point],
        vintage: NaiveDate,
        (first, last): (NaiveDate, NaiveDate),
        rows: &mut Rows,
        indicators: &mut Rows,
    ) -> Result<()> {
        let (id, months) = (self.context.descriptor.id.as_str(), self.settings.frequency.months());
        let mut years: BTreeMap<i32, (f64, u32)> = BTreeMap::new();
        for point in points {
            let value = point.value * series.scale;
            let (sum, periods) = years.entry(point.day.year()).or_default();
            *sum += value;
            *periods += 1;
            let key = [Value::Text(&series.indicator), Value::Text(&self.settings.iso3), Value::Date(point.day)];
            let facts = [Value::Text(self.settings.frequency.code()), Value::Number(value), Value::Text(&series.unit)];
            let rest = [Value::Text(id), Value::Date(vintage), Value::MaybeText(point.status.as_deref())];
            rows.push(point.row, &point.column, &[key, facts, rest].concat())?;
        }
        let Some(begin) = points.first() else { return Ok(()) };
        let named = [Value::Text(&series.indicator), Value::Text(&series.name), Value::Text(&series.unit)];
        let rest = [Value::Text(&series.definition), Value::Text(id), Value::Date(vintage)];
        indicators.push(begin.row, &begin.column, &[named, rest].concat())?;
        let span = (last.year() - first.year()) * 12 + last.month() as i32 - first.month() as i32;
        let (indicator, unit, count) = (&series.indicator, &series.unit, points.len());
        let expected = span / months as i32 + 1;
        self.notes.push(format!("`{indicator}`: {count} values of {expected} periods from {first} to {last}"));
        self.notes.push(format!("`{}`: read as {unit} times {}", begin.column, series.scale));
        let whole = years.iter().rev().find(|(_, (_, periods))| *periods == 12 / months);
        if let Some((year, (sum, _))) = whole {
            self.notes.push(format!("`{indicator}`: sum of {year} {sum:.0} {unit}"));
        }
        let marked = points.iter().filter(|p| p.status.is_some()).count();
        if marked > 0 {
            self.notes.push(format!("`{indicator}`: {marked} values are marked by the bank: see obs_status"));
        }
        Ok(())
    }
}
