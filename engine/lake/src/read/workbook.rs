//! Excel workbooks, both formats, one sheet at a time.

use std::collections::HashMap;
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
    /// Hidden rows of the sheets that were found safe to read row by row.
    checked: HashMap<usize, Vec<u64>>,
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
        limits.check_file(bytes.len() as u64, file)?;
        match kind_of(&bytes) {
            Kind::Xlsx => Self::open_xlsx(bytes, file, limits),
            Kind::Xls => Self::open_xls(bytes, file, limits),
            kind => Err(Error::data(Place::file(file), format!("expected an Excel workbook, but the file is {kind}"))),
        }
    }

    fn open_xlsx(bytes: Bytes, file: &str, limits: &Limits) -> Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|e| damaged(&e, file))?;
        // Sheets may be read row by row; what is held whole is counted as it is unpacked.
        check_directory(&mut archive, file, &limits.streamed())?;
        let mut unpacked = 0;
        let paths = sheet_xml::check_parts(&mut archive, file, limits, &mut unpacked)?;
        let book = guarded(file, || Xlsx::new(Cursor::new(bytes)).map_err(|e| e.to_string()))?;
        let (sheets, paths) = worksheets(book.sheets_metadata(), paths);
        let book = Book::Xlsx { book: Box::new(book), archive, paths };
        Ok(Self { file: file.to_owned(), limits: limits.clone(), sheets, book, unpacked, checked: HashMap::new() })
    }

    fn open_xls(bytes: Bytes, file: &str, limits: &Limits) -> Result<Self> {
        let facts = biff::check(&bytes, file, limits)?;
        let book = guarded(file, || Xls::new(Cursor::new(bytes)).map_err(|e| e.to_string()))?;
        let (sheets, facts) = worksheets(book.sheets_metadata(), facts);
        let book = Book::Xls { book: Box::new(book), facts };
        Ok(Self { file: file.to_owned(), limits: limits.clone(), sheets, book, unpacked: 0, checked: HashMap::new() })
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
        let index = self.index(sheet)?;
        let place = Place::file(&self.file).sheet(sheet);
        let mut sink = Sink { rows: Vec::new(), cells: 0, text: 0, place: &place, limits: &self.limits };
        let merges = match &mut self.book {
            Book::Xlsx { book, archive, paths } => {
                let path = stored_at(paths, index, &place)?;
                let (facts, bytes) = sheet_xml::check_sheet(archive, path, &place, &self.limits, self.unpacked)?;
                self.unpacked += bytes;
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

    /// Shows the rows of one sheet to `each`, in order and one at a time, until it
    /// says false: for sheets that do not fit into memory. What is true of the rows
    /// of [`Workbook::grid`] is true of these; the bound on cells and text of the
    /// sheet does not apply, that on its bytes is `streamed_bytes`.
    ///
    /// # Errors
    /// As [`Workbook::grid`], and what `each` returns.
    pub fn each_row(&mut self, sheet: &str, each: &mut dyn FnMut(&Row) -> Result<bool>) -> Result<()> {
        let index = self.index(sheet)?;
        let place = Place::file(&self.file).sheet(sheet);
        let Book::Xlsx { book, archive, paths } = &mut self.book else {
            for row in &self.grid(sheet)?.rows {
                if !each(row)? {
                    break;
                }
            }
            return Ok(());
        };
        if !self.checked.contains_key(&index) {
            let path = stored_at(paths, index, &place)?;
            let limits = self.limits.streamed();
            let (facts, _) = sheet_xml::check_sheet(archive, path, &place, &limits, self.unpacked)?;
            self.checked.insert(index, facts.hidden_rows);
        }
        let hidden = self.checked.get(&index).map(Vec::as_slice).unwrap_or_default();
        let mut stream = Stream { row: None, rows: 0, hidden, place: &place, limits: &self.limits, each };
        guarded_in(&place, || stream_xlsx(book, sheet, &mut stream))
    }

    fn index(&self, sheet: &str) -> Result<usize> {
        self.sheets.iter().position(|s| s.name == sheet).ok_or_else(|| {
            let names: Vec<_> = self.sheets.iter().map(|s| format!("`{}`", Printable(&s.name))).collect();
            Error::Usage(format!(
                "sheet `{}` does not exist in `{}`; it has {}",
                Printable(sheet),
                Printable(&self.file),
                names.join(", ")
            ))
        })
    }
}

fn stored_at<'a>(paths: &'a [String], index: usize, place: &Place) -> Result<&'a str> {
    let missing = || Error::data(place.clone(), "the workbook does not say where this sheet is stored");
    paths.get(index).map(String::as_str).ok_or_else(missing)
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
    each_cell(book, sheet, &place, &mut |row, column, cell| sink.push(row, column, cell).map(|()| true))
}

/// The cells of a sheet as calamine finds them, until `each` says false.
fn each_cell(
    book: &mut Xlsx<Cursor<Bytes>>,
    sheet: &str,
    place: &Place,
    each: &mut dyn FnMut(u32, u32, Cell) -> Result<bool>,
) -> Result<()> {
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
        if !each(record.pos.0, record.pos.1, cell)? {
            break;
        }
    }
    Ok(())
}

/// One row at a time on its way from the sheet to whoever reads it.
struct Stream<'a> {
    row: Option<Row>,
    rows: usize,
    hidden: &'a [u64],
    place: &'a Place,
    limits: &'a Limits,
    each: &'a mut dyn FnMut(&Row) -> Result<bool>,
}

impl Stream<'_> {
    /// False: no more rows are wanted.
    fn push(&mut self, row: u32, column: u32, cell: Cell) -> Result<bool> {
        let number = u64::from(row) + 1;
        let column = column as usize;
        let at = || self.place.clone().row(number);
        self.limits.check_columns(column.saturating_add(1), at)?;
        if let Cell::Text(text) = &cell {
            self.limits.check_cell_bytes(text.len(), at)?;
        }
        if let Some(last) = self.row.as_ref().map(|r| r.number).filter(|last| *last != number) {
            if last > number {
                return Err(Error::data(at(), format!("stands after row {last}; the sheet is damaged")));
            }
            if !self.flush()? {
                return Ok(false);
            }
        }
        let hidden = self.hidden;
        let current = self.row.get_or_insert_with(|| Row {
            number,
            hidden: hidden.binary_search(&number).is_ok(),
            cells: Vec::new(),
        });
        if current.cells.len() <= column {
            current.cells.resize(column + 1, Cell::Empty);
        }
        if let Some(slot) = current.cells.get_mut(column) {
            *slot = cell;
        }
        Ok(true)
    }

    fn flush(&mut self) -> Result<bool> {
        let Some(row) = self.row.take() else { return Ok(true) };
        self.rows += 1;
        self.limits.check_rows(self.rows, || self.place.clone().row(row.number))?;
        (self.each)(&row)
    }
}

fn stream_xlsx(book: &mut Xlsx<Cursor<Bytes>>, sheet: &str, stream: &mut Stream<'_>) -> Result<()> {
    let place = stream.place.clone();
    each_cell(book, sheet, &place, &mut |row, column, cell| stream.push(row, column, cell))?;
    stream.flush().map(drop)
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
