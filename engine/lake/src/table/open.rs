//! From the bytes of any file to the one table in it.

use super::{Decision, Table, Warning};
use crate::error::{Error, Place, Printable, Result};
use crate::read::{Grid, Kind, Limits, Merge, Workbook, gunzip, kind_of, read_csv, unzip};

/// Reads the one table of a text file or workbook, packed by gzip or zip or not. In a
/// workbook it is the visible sheet with the most cells; the others are named in a warning.
///
/// # Errors
/// `Error::Data` naming file, sheet, line and what would work; `Error::Limit` beyond `limits`.
pub fn read_table(bytes: &[u8], file: &str, limits: &Limits) -> Result<Table> {
    read(bytes, file, None, limits, true)
}

/// As [`read_table`], from the sheet of that name.
///
/// # Errors
/// As [`read_table`]; `Error::Usage` if there is no such sheet or the file is no workbook.
pub fn read_sheet(bytes: &[u8], file: &str, sheet: &str, limits: &Limits) -> Result<Table> {
    read(bytes, file, Some(sheet), limits, true)
}

fn read(bytes: &[u8], file: &str, sheet: Option<&str>, limits: &Limits, unpack: bool) -> Result<Table> {
    let kind = kind_of(bytes);
    match (kind, sheet) {
        (Kind::Xlsx | Kind::Xls, _) => workbook(bytes, file, sheet, limits),
        (Kind::Gzip, _) if unpack => {
            let inner = gunzip(bytes, file, limits)?;
            let mut table = read(&inner, file, sheet, limits, false)?;
            table.decisions.push(Decision::new("unpacked, by content", None, "gzip", 1, Vec::new()));
            Ok(table)
        }
        (Kind::Zip, _) if unpack => {
            let (name, inner, others) = choose_member(bytes, file, limits)?;
            let mut table = read(&inner, &format!("{file}/{name}"), sheet, limits, false)?;
            table.decisions.push(Decision::new("member read", None, name, 1, Vec::new()));
            if !others.is_empty() {
                let what = format!("other files in the archive were not read: `{}`", others.join("`, `"));
                table.warnings.push(Warning::new("other-files", what, others.len(), Vec::new()));
            }
            Ok(table)
        }
        (Kind::Csv | Kind::Empty, None) => text(bytes, file, limits),
        (Kind::Csv | Kind::Empty, Some(sheet)) => Err(Error::Usage(format!(
            "`{}` is delimited text and has no sheet `{}`",
            Printable(file),
            Printable(sheet)
        ))),
        (kind, _) => {
            let way = match kind {
                Kind::Html | Kind::Xml => "open it in a spreadsheet program and save it as .xlsx or .csv",
                Kind::EncryptedOffice => "remove the password, or save it as .xlsx",
                Kind::Pdf => "ask the publisher for the figures as .xlsx or .csv",
                Kind::Ods | Kind::Xlsb => "save it as .xlsx",
                Kind::OtherArchive | Kind::Zip | Kind::Gzip => "unpack it first",
                _ => "import a .csv, .xlsx or .xls file",
            };
            Err(Error::data(
                Place::file(file),
                format!("expected a table as text or workbook, but the file is {kind}; {way}"),
            ))
        }
    }
}

/// The table among the members: the largest that is no description.
fn choose_member(bytes: &[u8], file: &str, limits: &Limits) -> Result<(String, Vec<u8>, Vec<String>)> {
    let mut members = unzip(bytes, file, limits)?;
    members.retain(|(name, bytes)| {
        matches!(kind_of(bytes), Kind::Csv | Kind::Xlsx | Kind::Xls) && !name.starts_with("._")
    });
    let described = |name: &str| is_about(name);
    let best =
        members.iter().enumerate().max_by_key(|(_, (name, bytes))| (!described(name), bytes.len())).map(|(i, _)| i);
    let Some(best) = best else {
        return Err(Error::data(
            Place::file(file),
            "holds no text file and no workbook; import a .csv, .xlsx or .xls file",
        ));
    };
    let (name, inner) = members.swap_remove(best);
    Ok((name, inner, members.into_iter().map(|m| m.0).collect()))
}

/// Names of sheets and files that describe data.
fn is_about(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "metadata",
        "meta",
        "note",
        "readme",
        "read me",
        "content",
        "cover",
        "about",
        "index",
        "legend",
        "source",
        "definition",
        "annex",
        "info",
        "title",
        "toc",
    ]
    .iter()
    .any(|w| name.starts_with(w))
}

fn text(bytes: &[u8], file: &str, limits: &Limits) -> Result<Table> {
    let read = read_csv(bytes, file, limits)?;
    let mut table = Table::from_grid(&read.grid, &[], Some(read.delimiter))?;
    table.encoding = Some(read.encoding);
    if read.encoding == "windows-1252" {
        let what = "encoding: the bytes are no UTF-8, read as the Western code page";
        table.decisions.push(Decision::new(what, None, read.encoding, 1, Vec::new()));
    }
    if !read.odd_lines.is_empty() {
        let what = "lines that are no UTF-8 in an otherwise UTF-8 file were read as windows-1252";
        table.warnings.push(Warning::new("mixed-encoding", what, read.odd_lines.len(), read.odd_lines));
    }
    if read.replaced > 0 && !table.warnings.iter().any(|w| w.code == "replacement-character") {
        table.warnings.push(Warning::new(
            "replacement-character",
            "characters could not be decoded",
            read.replaced,
            Vec::new(),
        ));
    }
    Ok(table)
}

fn workbook(bytes: &[u8], file: &str, sheet: Option<&str>, limits: &Limits) -> Result<Table> {
    let mut book = Workbook::open(bytes.to_vec(), file, limits)?;
    let hidden: Vec<String> = book.sheets().iter().filter(|s| s.hidden).map(|s| s.name.clone()).collect();
    let visible: Vec<String> = book.sheets().iter().filter(|s| !s.hidden).map(|s| s.name.clone()).collect();
    let (grid, merges) = match sheet {
        Some(sheet) => book.grid_and_merges(sheet)?,
        None => choose_sheet(&mut book, &visible, file)?,
    };
    let mut table = Table::from_grid(&grid, &merges, None)?;
    let chosen = grid.sheet.unwrap_or_default();
    let others: Vec<&String> = visible.iter().filter(|s| **s != chosen).collect();
    if sheet.is_none() && !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|s| s.as_str()).collect();
        table.decisions.push(Decision::new("sheet with the most cells read", None, chosen, 1, Vec::new()));
        let what = format!("other sheets were not read: `{}`", names.join("`, `"));
        table.warnings.push(Warning::new("other-sheets", what, others.len(), Vec::new()));
    }
    if !hidden.is_empty() {
        let what = format!("hidden sheets are not read unless named: `{}`", hidden.join("`, `"));
        table.warnings.push(Warning::new("hidden-sheet", what, hidden.len(), Vec::new()));
    }
    Ok(table)
}

/// The visible sheet with the most filled cells; descriptions only where nothing else is.
fn choose_sheet(book: &mut Workbook, visible: &[String], file: &str) -> Result<(Grid, Vec<Merge>)> {
    let data: Vec<&String> = visible.iter().filter(|s| !is_about(s)).collect();
    let candidates = if data.is_empty() { visible.iter().collect() } else { data };
    if let [only] = candidates[..] {
        return book.grid_and_merges(only);
    }
    let mut best: Option<(usize, (Grid, Vec<Merge>))> = None;
    for name in candidates {
        let read = book.grid_and_merges(name)?;
        let filled = read.0.rows.iter().map(|r| r.cells.iter().filter(|c| !c.is_blank()).count()).sum();
        if best.as_ref().is_none_or(|(most, _)| filled > *most) {
            best = Some((filled, read));
        }
    }
    best.map(|(_, read)| read)
        .ok_or_else(|| Error::data(Place::file(file), "the workbook has no visible sheet; name the hidden one to read"))
}
