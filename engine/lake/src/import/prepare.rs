//! From inputs to the files of a version: recognise, read, check, encode, on all cores.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{SecondsFormat, Utc};

use super::descriptor::{Descriptor, descriptor, descriptors};
use super::importer::{Context, Imported, Importer, Recognition, Staged, StagedRows};
use super::input::Input;
use super::sources::{self, IMPORTERS};
use super::staged::table_name;
use super::{FileReport, Options, Progress};
use crate::country::Concordance;
use crate::error::{Error, Printable, Result};
use crate::lake::{Change, Manifest, NewFile, PLAIN_TABLE, SourceEdition, checksum, encode};
use crate::read::{Cell, Grid, Kind};
use crate::table::read_table;
use crate::tables::INDICATOR;

/// What one input gave.
struct Prepared {
    report: FileReport,
    files: Vec<NewFile>,
    source: Option<SourceEdition>,
    /// Filed anew: what the lake has of this file under another vintage goes.
    refiled: bool,
}

impl Prepared {
    /// Nothing for the lake, and why.
    fn passed(input: &Input, source_id: Option<&str>, why: String) -> Self {
        let report = FileReport {
            file: input.name.clone(),
            source_id: source_id.map(str::to_owned),
            edition: None,
            rows: 0,
            notes: vec![why],
        };
        Self { report, files: Vec::new(), source: None, refiled: false }
    }
}

pub(super) fn prepare(
    inputs: &[Input],
    options: &Options,
    current: Option<&Manifest>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<(Vec<FileReport>, Change)> {
    progress(Progress::Begin(inputs.len(), inputs.iter().map(|i| i.size).sum()));
    let slots: Vec<Mutex<Option<Result<Prepared>>>> = inputs.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(input), Some(slot)) = (inputs.get(index), slots.get(index)) else { break };
            let prepared = known_or_new(input, inputs, options, current);
            let rows = prepared.as_ref().map_or(0, |p| p.report.rows);
            progress(Progress::File { name: &input.name, bytes: input.size, rows });
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(prepared);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(inputs.len()).min(8);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut all = Vec::with_capacity(inputs.len());
    for slot in slots {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(prepared) => all.push(prepared?),
            None => return Err(Error::Internal("an input was not read".to_owned())),
        }
    }
    if all.iter().all(|p| p.report.source_id.is_none()) {
        return Err(Error::Usage(nothing_found(inputs)));
    }
    merge(all)
}

/// Why there is nothing to import among files of which none is a publisher's.
fn nothing_found(inputs: &[Input]) -> String {
    const NAMED: usize = 3;
    let names = |wanted: &dyn Fn(&Input) -> bool| {
        let mut names: Vec<String> =
            inputs.iter().filter(|i| wanted(i)).map(|i| format!("`{}`", Printable(&i.name))).collect();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let named = names.join(", ");
        if more > 0 { format!("{named} and {more} more") } else { named }
    };
    let strangers = names(&|i| i.kind != Kind::Empty);
    if strangers.is_empty() {
        return format!("there is nothing to import: empty are {}", names(&|_| true));
    }
    format!("of no known publisher are {strangers}; name one file to keep it as a plain table in schema `staging`")
}

/// A file that the lake has is passed over, unless the user says that it is of
/// another dataset, which is then found right or wrong as for any file, or of
/// another vintage: then it is filed anew.
fn known_or_new(input: &Input, inputs: &[Input], options: &Options, current: Option<&Manifest>) -> Result<Prepared> {
    let filed: Vec<&SourceEdition> = current
        .iter()
        .flat_map(|m| &m.sources)
        .filter(|s| s.sha256 == input.sha256 && options.source.as_ref().is_none_or(|wanted| *wanted == s.source_id))
        .collect();
    // Another mapping makes other rows of the same bytes.
    if !options.mappings.is_empty() {
        return mapped(one(input, inputs, options)?, input, &filed, current);
    }
    let Some(last) = filed.iter().rev().find(|s| options.vintage.is_none_or(|day| day == s.vintage)) else {
        let mut prepared = one(input, inputs, options)?;
        let wrong =
            filed.iter().filter(|old| prepared.source.as_ref().is_some_and(|new| new.source_id == old.source_id));
        let wrong: Vec<String> = wrong.map(|old| old.vintage.to_string()).collect();
        if let (Some(vintage), false) = (options.vintage, wrong.is_empty()) {
            prepared.refiled = true;
            prepared.report.notes.push(format!(
                "filed anew as vintage {vintage}; vintage {}, as which the lake had it, goes where no other file gave it",
                wrong.join(", ")
            ));
        }
        return Ok(prepared);
    };
    let what = format!("is in the lake already (same checksum): {}, vintage {}", last.source_id, last.vintage);
    Ok(Prepared::passed(input, Some("known"), what))
}

/// What a mapping made of a file, of which the lake may have these rows or others.
fn mapped(prepared: Prepared, input: &Input, filed: &[&SourceEdition], current: Option<&Manifest>) -> Result<Prepared> {
    let Some(source) = &prepared.source else { return Ok(prepared) };
    let Some(old) = filed.iter().find(|old| old.source_id == source.source_id) else { return Ok(prepared) };
    let held = |file: &NewFile| {
        let Ok(bytes) = file.content.read() else { return false };
        let sha256 = checksum(&bytes);
        current.is_some_and(|m| m.files.iter().any(|f| f.sha256 == sha256 && f.vintage == file.vintage))
    };
    if old.vintage == source.vintage && prepared.files.iter().all(held) {
        let what = format!("is in the lake already, with the same rows: {}, vintage {}", old.source_id, old.vintage);
        return Ok(Prepared::passed(input, Some("known"), what));
    }
    Ok(prepared)
}

fn one(input: &Input, inputs: &[Input], options: &Options) -> Result<Prepared> {
    if input.kind == Kind::Empty {
        // An empty file that should be a table is a download that failed; others are placeholders.
        if input.named || input.says_table() {
            return Err(Error::data(input.place(), "is empty"));
        }
        return Ok(Prepared::passed(input, None, "passed over: is empty".to_owned()));
    }
    let expected = options.expected.as_ref().filter(|_| input.named);
    let asked = options.source.as_ref().or(expected);
    let wanted = asked.map(|id| descriptor(id)).transpose()?;
    if wanted.is_some_and(|d| d.id == PLAIN_TABLE) {
        return plain_table(input, options);
    }
    let mut almost = None;
    for (importer, found) in offered(&options.mappings)? {
        match importer.recognise(input, found)? {
            Recognition::No => {}
            Recognition::Yes if wanted.is_none_or(|w| w.id == found.id) => {
                return publisher(importer, found, input, inputs, options);
            }
            Recognition::Yes => {
                let what = format!(
                    "is of `{}`, not of `{}`; leave --source out or name the right one",
                    found.id,
                    asked.map_or("", String::as_str)
                );
                return Err(Error::data(input.place(), what));
            }
            // Another may know the file for its own: of two banks' files the words are much the same.
            Recognition::Almost(why) if almost.is_none() => {
                almost = Some(Error::data(input.place(), format!("looks like `{}`, but {why}", found.id)));
            }
            Recognition::Almost(_) => {}
        }
    }
    if let Some(almost) = almost {
        return Err(almost);
    }
    if let Some(wanted) = wanted {
        let what =
            format!("is not recognised as `{}`, which is imported from {}", wanted.id, wanted.formats.join(" or "));
        return Err(Error::data(input.place(), what));
    }
    if input.named && !options.mappings.is_empty() {
        let ids: Vec<&str> = options.mappings.iter().map(|m| m.id.as_str()).collect();
        let what = format!("is not recognised as of the mapping `{}`: it has none of its columns", ids.join("`, `"));
        return Err(Error::data(input.place(), what));
    }
    if input.named {
        return plain_table(input, options);
    }
    Ok(Prepared::passed(input, None, "passed over: of no known publisher".to_owned()))
}

/// Every importer with every dataset it reads, in the order in which a file is offered to them.
/// The user's mappings, where there are any, are all.
fn offered(mappings: &[Arc<Descriptor>]) -> Result<Vec<(&'static dyn Importer, &Descriptor)>> {
    let mut offered: Vec<(&'static dyn Importer, &Descriptor)> = Vec::new();
    for mapping in mappings {
        let reads = |i: &&&'static dyn Importer| mapping.importer.as_deref() == Some(i.id());
        offered.extend(IMPORTERS.iter().find(reads).map(|i| (*i, mapping.as_ref())));
    }
    if !mappings.is_empty() {
        return Ok(offered);
    }
    for importer in IMPORTERS {
        let before = offered.len();
        let reads = |d: &&'static Descriptor| d.importer.as_deref().unwrap_or(&d.id) == importer.id();
        offered.extend(descriptors()?.iter().filter(reads).map(|d| (*importer, d)));
        if offered.len() == before {
            return Err(Error::Internal(format!("datasets/sources: no dataset for importer `{}`", importer.id())));
        }
    }
    Ok(offered)
}

fn publisher(
    importer: &dyn Importer,
    found: &Descriptor,
    input: &Input,
    inputs: &[Input],
    options: &Options,
) -> Result<Prepared> {
    let concordance = Concordance::embedded()?;
    let context = Context { inputs, concordance, descriptor: found, vintage: options.vintage, limits: &options.limits };
    let imported = importer.import(input, &context)?;
    finish(imported, found, input)
}

/// A table of nobody we know: typed, flagged and reported, in schema `staging`.
fn plain_table(input: &Input, options: &Options) -> Result<Prepared> {
    if let Some(grid) = input.text() {
        looks_like_text(grid)?;
    }
    let found = descriptor(PLAIN_TABLE)?;
    let (batch, said) = if input.kind == Kind::Stata {
        (sources::stata_rows(input, &options.limits)?, Vec::new())
    } else {
        // Of a kind that is no table the error says what it is.
        let table = read_table(&input.bytes, &input.name, &options.limits)?;
        (table.to_record_batch()?, table.report())
    };
    if batch.num_rows() == 0 {
        return Err(Error::data(input.place(), "has no row below its header; the file seems cut off"));
    }
    let stem = input.base_name().split('.').next().unwrap_or("table");
    let name = table_name(stem);
    let vintage = options.vintage.or(input.modified).unwrap_or_else(|| Utc::now().date_naive());
    let mut notes = vec![format!(
        "of no known publisher: kept as `staging.{name}`, {} rows, {} columns",
        batch.num_rows(),
        batch.num_columns()
    )];
    notes.extend(said);
    let imported = Imported {
        place: input.place(),
        edition: format!("{} {vintage}", Printable(input.base_name())),
        vintage,
        rows: Vec::new(),
        files: Vec::new(),
        staged: vec![Staged::of(name, batch)],
        notes,
    };
    finish(imported, found, input)
}

/// Refuses text that is binary in truth. A stray escape in a cell of real exports
/// is kept; NUL, and control characters in more than a few cells, are no text.
fn looks_like_text(grid: &Grid) -> Result<()> {
    const FEW: usize = 3;
    let (mut odd, mut cells) = (0, 0);
    for row in &grid.rows {
        for text in row.cells.iter().filter_map(|c| if let Cell::Text(text) = c { Some(text) } else { None }) {
            cells += 1;
            if text.contains('\0') {
                let what = "holds NUL bytes, so it is no text or was damaged; fetch it again, or export it as CSV anew";
                return Err(Error::data(grid.place().row(row.number), what));
            }
            odd += usize::from(text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')));
            if odd > FEW && odd * 20 > cells {
                let what = format!(
                    "has control characters in {odd} of its first {cells} cells, so it is no text; export it as CSV anew"
                );
                return Err(Error::data(grid.place().row(row.number), what));
            }
        }
    }
    Ok(())
}

fn finish(imported: Imported, found: &Descriptor, input: &Input) -> Result<Prepared> {
    let Imported { place, edition, vintage, rows, mut files, staged, notes } = imported;
    let mut count = files.iter().filter(|f| f.schema == "lake").map(|f| f.rows).sum();
    for rows in rows {
        if rows.is_empty() {
            continue;
        }
        let (table, series) = (rows.table, rows.series.clone());
        let batch = rows.finish(&place)?;
        count += batch.num_rows() as u64;
        files.push(NewFile::of(table, &series, &found.id, vintage, &batch)?);
    }
    for Staged { name, content } in staged {
        let (rows, bytes) = match content {
            StagedRows::Batch(batch) => (batch.num_rows() as u64, encode(&batch, &[])?),
            StagedRows::Parquet { rows, bytes } => (rows, bytes),
        };
        files.push(NewFile {
            schema: "staging",
            series: name.clone(),
            table: name,
            source_id: found.id.clone(),
            vintage,
            rows,
            lead: None,
            from: Vec::new(),
            content: bytes.into(),
        });
    }
    for file in &mut files {
        file.from.push(input.sha256.clone());
    }
    if files.iter().all(|f| f.schema == "staging") {
        count = files.iter().map(|f| f.rows).sum();
    }
    let source = SourceEdition {
        source_id: found.id.clone(),
        provider: found.provider.clone(),
        dataset: found.dataset.clone(),
        edition: edition.clone(),
        vintage,
        licence: found.licence.clone(),
        citation: found.citation.replace("{vintage}", &vintage.to_string()),
        url: found.url.clone(),
        file: input.name.clone(),
        sha256: input.sha256.clone(),
        bytes: input.size,
        rows: count,
        imported_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        caveats: Some(found.caveats.join("; ")).filter(|c| !c.is_empty()),
    };
    let report = FileReport {
        file: input.name.clone(),
        source_id: Some(found.id.clone()),
        edition: Some(edition),
        rows: count,
        notes,
    };
    Ok(Prepared { report, files, source: Some(source), refiled: false })
}

/// Puts the files of all inputs together. Two inputs with the same edition of a
/// series must agree: the same indicator as CSV and XLS is one, a conflict is an error.
fn merge(all: Vec<Prepared>) -> Result<(Vec<FileReport>, Change)> {
    let mut change = Change::default();
    let mut reports = Vec::with_capacity(all.len());
    let mut from: HashMap<(&'static str, String, String, chrono::NaiveDate), (String, usize)> = HashMap::new();
    for Prepared { report, files, source, refiled } in all {
        for file in files {
            let key = (file.schema, file.table.clone(), file.series.clone(), file.vintage);
            match from.get(&key) {
                None => {
                    from.insert(key, (report.file.clone(), change.files.len()));
                    change.files.push(file);
                }
                Some((other, index)) => {
                    let Some(kept) = change.files.get_mut(*index) else {
                        return Err(Error::Internal("a file of the change vanished".to_owned()));
                    };
                    let same = kept.content.same(&file.content)?;
                    if same || file.table == INDICATOR.name {
                        let mut from = std::mem::take(&mut kept.from);
                        from.extend(
                            file.from.iter().filter(|sha256| !from.contains(sha256)).cloned().collect::<Vec<_>>(),
                        );
                        // The workbook brings the definition that a CSV leaves to another file:
                        // the one that knows more is kept.
                        if !same && file.content.len() > kept.content.len() {
                            *kept = file;
                        }
                        kept.from = from;
                        continue;
                    }
                    if file.schema == "lake" || file.source_id == PLAIN_TABLE {
                        let what = format!(
                            "holds edition {} of `{}` for table `{}`, and so does `{}`, with other values (duplicate keys); import one of the two",
                            file.vintage,
                            file.series,
                            file.table,
                            Printable(other)
                        );
                        return Err(Error::data(crate::error::Place::file(report.file.clone()), what));
                    }
                }
            }
        }
        if let (Some(source), true) = (&source, refiled) {
            change.refiled.push((source.sha256.clone(), source.source_id.clone()));
        }
        change.sources.extend(source);
        reports.push(report);
    }
    Ok((reports, change))
}
