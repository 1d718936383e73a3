//! The OECD's development finance as SDMX-CSV: DAC1, DAC2A, DAC5 and the CRS, one observation a line.
//!
//! ```text
//! text -> blocks -> records -> Fact { shape, place, year } -> buckets by series -> tables
//! ```
//! What a column means depends on its name alone. Dialects differ in the column of
//! the value (`OBS_VALUE`, or `ObsValue` from R), in leading columns (row number,
//! dataflow) and in labels beside codes (`RECIPIENT: Recipient`, or a column of
//! their own); the codes are the same. Nothing is held but facts of 28 bytes, and
//! of those no more than fit into memory: the CRS is larger than that.

mod columns;
mod facts;
mod reader;
mod registry;
mod shape;
mod tables;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;

use columns::{Columns, NOT_APPLICABLE, Role, Settings, code_of, position};
use facts::Buckets;
use reader::Reading;
use registry::{Names, Registry};
use tables::{Edition, Made};

use crate::error::{Error, Result};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::Input;
use crate::import::staged::stage;
use crate::read::{Grid, Row};

pub(super) struct OecdSdmx;

/// A text below this size is not worth a second thread.
const SMALL: u64 = 8 << 20;

/// How many measures an edition names.
const NAMED: usize = 8;

impl Importer for OecdSdmx {
    fn id(&self) -> &'static str {
        "oecd.sdmx"
    }

    fn streams(&self, opening: &Grid) -> bool {
        let Some(header) = opening.rows.first() else { return false };
        ["DONOR", "MEASURE", "TIME_PERIOD"].iter().all(|name| position(header, name).is_some())
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        let Some(grid) = input.opening() else { return Ok(Recognition::No) };
        let Some(header) = grid.rows.first() else { return Ok(Recognition::No) };
        let settings: Settings = descriptor.settings()?;
        let first = grid.rows.get(1);
        let has = |name: &String| position(header, name).is_some();
        let ours = match dataflow(header, first) {
            Some(named) => named.contains(&settings.dataflow),
            None => {
                let applies = |name: &String| {
                    let code = position(header, name).map(|at| first.map(|row| row.cell(at).text()));
                    code.is_some_and(|code| code.is_none_or(|code| code_of(&code) != NOT_APPLICABLE))
                };
                settings.marks.iter().all(has) && !settings.without.iter().any(applies)
            }
        };
        if !ours {
            return Ok(Recognition::No);
        }
        let mut missing: Vec<&str> = settings.dimensions.iter().filter(|d| !has(d)).map(String::as_str).collect();
        if !settings.value.iter().any(has) {
            missing.extend(settings.value.first().map(String::as_str));
        }
        if missing.is_empty() {
            return Ok(Recognition::Yes);
        }
        Ok(Recognition::Almost(format!("it lacks the columns `{}`", missing.join("`, `"))))
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let header = input.opening().and_then(|g| g.rows.first());
        let (Some(header), Some((delimiter, mut text))) = (header, input.reader()?) else {
            return Err(Error::data(input.place(), "is empty"));
        };
        let Some(columns) = Columns::of(header, &settings) else {
            return Err(Error::data(input.place(), "lacks a column that it needs"));
        };
        if !columns.has(&Role::Multiplier) {
            let what = "has no column `UNIT_MULT`, so the size of its unit is not known";
            return Err(Error::data(input.place(), what));
        }
        let mut notes = Vec::new();
        let vintage = input.edition_day(context.vintage, &mut notes)?;
        input.whole(header, complete)?;

        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let threads = if input.size < SMALL { 1 } else { cores };
        let (registry, buckets, left) = (Registry::default(), Buckets::default(), AtomicU64::new(0));
        let reading = Reading {
            file: &input.name,
            delimiter,
            columns: &columns,
            settings: &settings,
            context,
            registry: &registry,
            buckets: &buckets,
            left: &left,
        };
        reading.all(&mut text, threads)?;
        drop(text);
        input.unchanged()?;
        let names = registry.into_names();
        let edition =
            Edition { file: &input.name, column: &columns.value_name, source_id: &context.descriptor.id, vintage };
        let made = tables::tables(&buckets, &names, &edition, threads)?;
        let left = left.into_inner();
        if made.economies == 0 && made.aggregates == 0 {
            let what = match &settings.leave {
                Some(leave) if left > 0 => format!("holds {} only, {left} of them; {}", leave.what, leave.instead),
                _ => "has no value for any economy; the file seems cut off".to_owned(),
            };
            return Err(Error::data(input.place(), what));
        }
        if let (Some(leave), true) = (&settings.leave, left > 0) {
            notes.push(format!("{left} rows left out: they are {}", leave.what));
        }
        notes.extend(said(&made, &names, &settings));
        let measures = measures(&names);
        let mut staged = Vec::new();
        match input.text().and_then(|g| Some((g, g.rows.split_first()?))) {
            Some((grid, (header, body))) => {
                let body: Vec<&Row> = body.iter().filter(|r| !r.is_blank()).collect();
                staged.push(stage(&format!("{} {measures}", context.descriptor.id), grid, header, &body)?);
            }
            None => notes.push(
                "too large to be copied into `staging`: keep the file, which table `source` names with its checksum"
                    .to_owned(),
            ),
        }
        Ok(Imported {
            place: input.place(),
            edition: format!("{measures} {vintage}"),
            vintage,
            rows: Vec::new(),
            files: made.files,
            staged,
            notes,
        })
    }
}

/// What the file says its dataflow is.
fn dataflow(header: &Row, first: Option<&Row>) -> Option<String> {
    let at = ["STRUCTURE_ID", "DATAFLOW"].iter().find_map(|name| position(header, name))?;
    first.map(|row| row.cell(at).text()).filter(|text| text.contains("DSD_") || text.contains("DF_"))
}

/// True if a value of that last column, as it stands, is the beginning of no longer
/// one: statuses and prices have codes of one letter, years four digits, and no
/// power of ten that is in use begins with one of those named.
fn complete(column: &str, value: &str) -> bool {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    match column.trim() {
        "OBS_STATUS" | "PRICE_BASE" => value.len() == 1 && value.bytes().all(|b| b.is_ascii_uppercase()),
        "TIME_PERIOD" => value.len() == 4 && digits,
        "UNIT_MULT" => matches!(value, "0" | "3" | "6" | "9"),
        _ => false,
    }
}

/// What became of the values, for the report.
fn said(made: &Made, names: &Names, settings: &Settings) -> Vec<String> {
    let (first, last) = made.years.unwrap_or_default();
    let place = if settings.place == "RECIPIENT" { "recipients" } else { "donors" };
    let span = if made.economies > 0 { format!(", {first} to {last}") } else { String::new() };
    let mut notes = vec![format!(
        "{} values of {} {place}, {} of aggregates kept apart{span}",
        made.economies,
        made.places.len(),
        made.aggregates
    )];
    let units: BTreeSet<String> = names
        .shapes
        .iter()
        .map(|s| match s.exponent {
            0 => s.unit.clone(),
            e => format!("{} (from 10^{e})", s.unit),
        })
        .collect();
    notes.push(format!("values are in {}", units.into_iter().collect::<Vec<_>>().join(", ")));
    let detail = names.shapes.iter().filter(|s| settings.aid_flow && !s.aid).count();
    if detail > 0 {
        notes.push(format!(
            "{detail} kinds of value are parts of a total, such as one sector: they are in `observation`, totals in `aid_flow`"
        ));
    }
    notes
}

/// The measures of the file, as the first part of its edition.
fn measures(names: &Names) -> String {
    let all: BTreeSet<&str> = names.shapes.iter().map(|s| s.measure.as_str()).collect();
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
    match all.len().saturating_sub(NAMED) {
        0 => format!("measure {named}"),
        more => format!("measure {named} and {more} more"),
    }
}
