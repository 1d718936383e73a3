//! Excel workbooks, both formats, one sheet at a time.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use calamine::{Data, DataRef, Dimensions, Reader, SheetType, SheetVisible, Xls, Xlsx};
use zip::ZipArchive;

use super::archive::{check_directory, damaged};
use super::{Cell, Grid, Kind, Limits, Row, biff, kind_of, sheet_xml};
use crate::error::{Error, Place, Printable, Result};

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetInfo {
    /// Name as on the tab.
    pub name: String,
    /// Hidden or very hidden.
    pub hidden: bool,
}

/// An open workbook; sheets are read when asked for. Chart and macro sheets are left out.
pub struct Workbook {
    file: String,
    limits: Limits,
    sheets: Vec<SheetInfo>,
    book: Book,
    /// Bytes unpacked so far, over all sheets.
    unpacked: u64,
}

enum Book {
    Xlsx { book: Box<Xlsx<Cursor<Bytes>>>, archive: ZipArchive<Cursor<Bytes>>, paths: Vec<String> },
    Xls { book: Box<Xls<Cursor<Bytes>>>, facts: Vec<biff::Facts> },
}

impl Workbook {
    /// Opens an `.xlsx` or `.xls` by content. What opening needs is bounded before it is unpacked.
    ///
    /// # Errors
    /// `Error::Data` if the bytes are something else (named), encrypted, damaged or
    /// carry a document type definition; `Error::Limit` beyond `limits`.
    pub fn open(bytes: impl Into<Bytes>, file: &str, limits: &Limits) -> Result<Self> {
        let bytes = bytes.into();
        limits.check_file(bytes.len(), file)?;
        match kind_of(&bytes) {
            Kind::Xlsx => Self::open_xlsx(bytes, file, limits),
            Kind::Xls => Self::open_xls(bytes, file, limits),
            kind => Err(Error::data(Place::file(file), format!("expected an Excel workbook, but the file is {kind}"))),
        }
    }

    fn open_xlsx(bytes: Bytes, file: &str, limits: &Limits) -> Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|e| damaged(&e, file))?;
        check_directory(&mut archive, file, limits)?;
        let mut unpacked = 0;
        let paths = sheet_xml::check_parts(&mut archive, file, limits, &mut unpacked)?;
        let book = guarded(file, || Xlsx::new(Cursor::new(bytes)).map_err(|e| e.to_string()))?;
        let (sheets, paths) = worksheets(book.sheets_metadata(), paths);
        let book = Book::Xlsx { book: Box::new(book), archive, paths };
        Ok(Self { file: file.to_owned(), limits: limits.clone(), sheets, book, unpacked })
    }

    fn open_xls(bytes: Bytes, file: &str, limits: &Limits) -> Result<Self> {
        let facts = biff::check(&bytes, file, limits)?;
        let book = guarded(file, || Xls::new(Cursor::new(bytes)).map_err(|e| e.to_string()))?;
        let (sheets, facts) = worksheets(book.sheets_metadata(), facts);
        let book = Book::Xls { book: Box::new(book), facts };
        Ok(Self { file: file.to_owned(), limits: limits.clone(), sheets, book, unpacked: 0 })
    }

    /// The worksheets in tab order, hidden ones included.
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// The cells of one sheet. Rows without any cell are absent, row numbers are
    /// those of the sheet; hidden rows are data and marked. A merged area has its
    /// value in the first cell. A formula that was never computed is
    /// `Cell::Error("no cached value")`.
    ///
    /// # Errors
    /// `Error::Usage` for a sheet that is not there, `Error::Data` if the sheet is
    /// damaged, `Error::Limit` beyond the limits.
    pub fn grid(&mut self, sheet: &str) -> Result<Grid> {
        Ok(self.grid_and_merges(sheet)?.0)
    }

    /// As [`Workbook::grid`], with the merged areas of the sheet.
    ///
    /// # Errors
    /// As [`Workbook::grid`].
    pub fn grid_and_merges(&mut self, sheet: &str) -> Result<(Grid, Vec<Merge>)> {
        let Some(index) = self.sheets.iter().position(|s| s.name == sheet) else {
            let names: Vec<_> = self.sheets.iter().map(|s| format!("`{}`", Printable(&s.name))).collect();
            return Err(Error::Usage(format!(
                "sheet `{}` does not exist in `{}`; it has {}",
                Printable(sheet),
                Printable(&self.file),
                names.join(", ")
            )));
        };
        let place = Place::file(&self.file).sheet(sheet);
        let mut sink = Sink { rows: Vec::new(), cells: 0, text: 0, place: &place, limits: &self.limits };
        let merges = match &mut self.book {
            Book::Xlsx { book, archive, paths } => {
                let facts = match paths.get(index) {
                    Some(path) => sheet_xml::check_sheet(archive, path, &place, &self.limits, &mut self.unpacked)?,
                    None => {
                        return Err(Error::data(place, "the workbook does not say where this sheet is stored"));
                    }
                };
                guarded_in(&place, || read_xlsx(book, sheet, &mut sink))?;
                sink.mark_hidden(&facts.hidden_rows);
                facts.merges
            }
            Book::Xls { book, facts } => {
                guarded_in(&place, || read_xls(book, sheet, &mut sink))?;
                if let Some(facts) = facts.get(index) {
                    sink.mark_hidden(&facts.hidden_rows);
                }
                book.merge_cells_by_sheet_name(sheet).unwrap_or_default().into_iter().map(Merge::from).collect()
            }
        };
        let Sink { rows, .. } = sink;
        Ok((Grid { file: self.file.clone(), sheet: Some(sheet.to_owned()), rows }, merges))
    }
}

/// A merged area; the value is in its first row and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// First and last row, from 1.
    pub rows: (u64, u64),
    /// First and last column, from 0.
    pub columns: (usize, usize),
}

impl From<Dimensions> for Merge {
    fn from(d: Dimensions) -> Self {
        Self {
            rows: (u64::from(d.start.0) + 1, u64::from(d.end.0) + 1),
            columns: (d.start.1 as usize, d.end.1 as usize),
        }
    }
}

/// The worksheets among all sheets, each with what was found out about it.
fn worksheets<T: Default>(sheets: &[calamine::Sheet], facts: Vec<T>) -> (Vec<SheetInfo>, Vec<T>) {
    let facts = facts.into_iter().chain(std::iter::repeat_with(T::default));
    let work = sheets.iter().zip(facts).filter(|(s, _)| s.typ == SheetType::WorkSheet);
    work.map(|(s, f)| (SheetInfo { name: s.name.clone(), hidden: s.visible != SheetVisible::Visible }, f)).unzip()
}

/// Cells as they come, bounded; the dense range of calamine is never built for xlsx.
struct Sink<'a> {
    rows: Vec<Row>,
    cells: usize,
    text: u64,
    place: &'a Place,
    limits: &'a Limits,
}

impl Sink<'_> {
    /// Cells arrive in row order; one out of order is damage.
    fn push(&mut self, row: u32, column: u32, cell: Cell) -> Result<()> {
        let number = u64::from(row) + 1;
        let column = column as usize;
        let at = || self.place.clone().row(number);
        self.limits.check_columns(column.saturating_add(1), at)?;
        if let Cell::Text(text) = &cell {
            self.limits.check_cell_bytes(text.len(), at)?;
            // One shared string may stand in a million cells.
            self.text += text.len() as u64;
            self.limits.check_unpacked(self.text, u64::MAX, at)?;
        }
        match self.rows.last() {
            Some(last) if last.number == number => {}
            Some(last) if last.number > number => {
                return Err(Error::data(at(), format!("stands after row {}; the sheet is damaged", last.number)));
            }
            _ => {
                self.limits.check_rows(self.rows.len() + 1, at)?;
                self.rows.push(Row { number, hidden: false, cells: Vec::new() });
            }
        }
        let Some(last) = self.rows.last_mut() else {
            return Ok(());
        };
        let added = (column + 1).saturating_sub(last.cells.len());
        self.cells += added;
        self.limits.check_cells(self.cells, || self.place.clone().row(number))?;
        if added > 0 {
            last.cells.resize(column + 1, Cell::Empty);
        }
        last.cells[column] = cell;
        Ok(())
    }

    fn mark_hidden(&mut self, hidden: &[u64]) {
        for row in &mut self.rows {
            row.hidden = hidden.binary_search(&row.number).is_ok();
        }
    }
}

fn read_xlsx(book: &mut Xlsx<Cursor<Bytes>>, sheet: &str, sink: &mut Sink<'_>) -> Result<()> {
    let place = sink.place.clone();
    let broken =
        |e: calamine::XlsxError| Error::data(place.clone(), format!("cannot be read: {}", Printable(&e.to_string())));
    let mut cells = book.worksheet_cells_reader(sheet).map_err(broken)?;
    while let Some(record) = cells.next_cell_with_formula_metadata().map_err(broken)? {
        let cell = match record.value {
            DataRef::Empty if record.formula.is_some() => Cell::Error("no cached value".to_owned()),
            DataRef::Empty => continue,
            DataRef::SharedString(text) => text_cell(text),
            value => from_data(value.into()),
        };
        sink.push(record.pos.0, record.pos.1, cell)?;
    }
    Ok(())
}

fn read_xls(book: &mut Xls<Cursor<Bytes>>, sheet: &str, sink: &mut Sink<'_>) -> Result<()> {
    let range = book
        .worksheet_range(sheet)
        .map_err(|e| Error::data(sink.place.clone(), format!("cannot be read: {}", Printable(&e.to_string()))))?;
    let (row, column) = range.start().unwrap_or_default();
    for (r, c, data) in range.used_cells() {
        sink.push(row.saturating_add(r as u32), column.saturating_add(c as u32), from_data(data.clone()))?;
    }
    Ok(())
}

fn text_cell(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}

fn from_data(data: Data) -> Cell {
    match data {
        Data::Empty => Cell::Empty,
        Data::String(text) if text.is_empty() => Cell::Empty,
        Data::String(text) => Cell::Text(text),
        Data::Int(n) => Cell::Number(n as f64),
        Data::Float(n) => Cell::Number(n),
        Data::Bool(b) => Cell::Bool(b),
        Data::Error(e) => Cell::Error(e.to_string()),
        // A span of hours is a number of days, not a day of 1899.
        Data::DateTime(d) if d.is_duration() => Cell::Number(d.as_f64()),
        Data::DateTime(d) => d.as_datetime().map_or(Cell::Number(d.as_f64()), Cell::Date),
        Data::DateTimeIso(text) => iso(&text).map_or(Cell::Text(text), Cell::Date),
        Data::DurationIso(text) => Cell::Text(text),
    }
}

fn iso(text: &str) -> Option<chrono::NaiveDateTime> {
    let text = text.trim_end_matches('Z');
    let day = || text.parse::<chrono::NaiveDate>().ok().map(|d| d.and_time(chrono::NaiveTime::MIN));
    text.parse().ok().or_else(day)
}

/// Calls calamine, which indexes into damaged files without looking: its panic is
/// an error of the file. Allocations are bounded before by the checks around it.
fn guarded<T>(file: &str, call: impl FnOnce() -> Result<T, String>) -> Result<T> {
    let place = Place::file(file);
    guarded_in(&place, || {
        call().map_err(|e| Error::data(place.clone(), format!("is no readable workbook: {}", Printable(&e))))
    })
}

fn guarded_in<T>(place: &Place, call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(Error::data(place.clone(), "is damaged: its inner structure does not hold together")))
}
