//! Remittance Prices Worldwide, firm by firm: one row a service and quarter, each with a block
//! of columns for every amount sent.
//!
//! ```text
//! id   period  source_code … firm  firm_type … cc1 lcu amount  cc1 denomination amount … cc1 total cost % … transparent
//! 1234 2011_1Q TZA           MoneyGram         295000          200                       8.36               yes
//! ```
//! The workbook has a sheet up to 2016 and one since, with columns renamed between them, and
//! more cells than fit into memory: rows are read one at a time. Sheets and columns are found
//! by the words of their headers.

mod layout;
mod service;
mod services;
mod summary;

use chrono::{Days, Months, NaiveDate};

use self::layout::{Found, Layout, Settings};
use self::services::Services;
use crate::error::{Error, Result};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition, Staged};
use crate::import::input::Input;
use crate::import::staged::StageWriter;
use crate::read::{Cell, Grid, Kind, Row};

pub(super) struct WorldBankRpwFirms;

impl Importer for WorldBankRpwFirms {
    fn id(&self) -> &'static str {
        "worldbank.rpw_firms"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let settings: Settings = descriptor.settings()?;
        let mut yes = false;
        for (_, found) in tables(input, &settings)? {
            match found {
                Found::Nothing => {}
                Found::Lacking(why) => return Ok(Recognition::Almost(why)),
                Found::Table(_) => yes = true,
            }
        }
        Ok(if yes { Recognition::Yes } else { Recognition::No })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let mut services = Services::new(context, &settings);
        let (mut staged, mut notes) = (Vec::new(), Vec::new());
        for (head, found) in tables(input, &settings)? {
            let Found::Table(layout) = found else { continue };
            let (table, note) = read(input, &head, &layout, &mut services)?;
            staged.push(table);
            notes.push(note);
        }
        let Some((_, last)) = services.span() else {
            return Err(Error::data(input.place(), "has no service below its headers; the file seems cut off"));
        };
        let end = last_day(last);
        let vintage = context.vintage.unwrap_or(end);
        notes.push(format!("vintage {vintage}; the file states no edition, its newest quarter ends on {end}"));
        let rows = services.finish(vintage, &mut notes)?;
        Ok(Imported {
            place: input.place(),
            edition: format!("services {vintage}"),
            vintage,
            rows: vec![rows],
            files: Vec::new(),
            staged,
            notes,
        })
    }
}

fn last_day(quarter: NaiveDate) -> NaiveDate {
    quarter.checked_add_months(Months::new(3)).and_then(|d| d.checked_sub_days(Days::new(1))).unwrap_or(quarter)
}

/// The beginning of each sheet, or of the text, and what it is.
fn tables(input: &Input, settings: &Settings) -> Result<Vec<(Grid, Found)>> {
    const PREAMBLE: usize = 12;
    let mut all = Vec::new();
    let mut add = |head: Grid| {
        let found = layout::find(&head, settings);
        all.push((head, found));
    };
    if let Some(grid) = input.text() {
        let rows = grid.rows.iter().take(PREAMBLE).cloned().collect();
        add(Grid { file: grid.file.clone(), sheet: None, rows });
    } else if input.kind == Kind::Xlsx {
        // An .xls ends at 65,536 rows, which no edition fits into.
        for sheet in input.sheets() {
            add(input.head(&sheet, PREAMBLE)?);
        }
    }
    Ok(all)
}

/// One sheet's rows: to `services`, and as they are to staging.
fn read(input: &Input, head: &Grid, layout: &Layout, services: &mut Services<'_>) -> Result<(Staged, String)> {
    let header = head.rows.get(layout.header).ok_or_else(|| Error::Internal("header row vanished".to_owned()))?;
    let name = format!("{} {}", services.source(), head.sheet.as_deref().unwrap_or("services"));
    let mut stage = StageWriter::new(&name, head, header)?;
    let (mut rows, mut prose) = (0u64, 0u64);
    services.begin(head);
    let mut each = |row: &Row| -> Result<bool> {
        if row.number <= header.number || row.is_blank() {
            return Ok(true);
        }
        stage.push(row)?;
        // A remark below the table stands alone in its row.
        if layout.is_prose(row) {
            prose += 1;
        } else {
            services.push(layout, row)?;
            rows += 1;
        }
        Ok(true)
    };
    match &head.sheet {
        Some(sheet) => input.each_row(sheet, &mut each)?,
        None => {
            let grid = input.text().ok_or_else(|| Error::Internal("the text vanished".to_owned()))?;
            input.whole(header, |_, _| false)?;
            for row in &grid.rows {
                whole_row(grid, header, row)?;
                each(row)?;
            }
        }
    }
    let place = head.sheet.as_ref().map_or_else(|| "the file".to_owned(), |s| format!("sheet `{s}`"));
    let mut note = format!("{place}: {rows} services below row {}", header.number);
    if prose > 0 {
        note.push_str(&format!(", {prose} rows of prose passed over"));
    }
    Ok((stage.finish()?, note))
}

/// A row of text with fewer or more cells than the header has lost or gained a comma.
fn whole_row(grid: &Grid, header: &Row, row: &Row) -> Result<()> {
    let alone = row.cells.iter().skip(1).all(Cell::is_blank);
    if row.number <= header.number || row.cells.len() == header.cells.len() || alone {
        return Ok(());
    }
    let (found, wanted) = (row.cells.len(), header.cells.len());
    let what = format!(
        "the row has {found} cells, the header {wanted}; the file is cut off, or a comma stands where none should"
    );
    Err(Error::data(grid.place().row(row.number), what))
}
