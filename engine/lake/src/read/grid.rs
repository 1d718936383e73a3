//! A sheet or text file as rows of cells: what every importer starts from.

use chrono::NaiveDateTime;

use crate::error::Place;

/// One cell as the file holds it; nothing is interpreted yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing there.
    Empty,
    /// Text, exactly as written (CSV cells are always text).
    Text(String),
    /// A number a workbook stores as a number.
    Number(f64),
    /// A truth value a workbook stores as such.
    Bool(bool),
    /// A workbook number whose format says it is a date or time.
    Date(NaiveDateTime),
    /// A workbook error such as `#N/A`, or `no cached value` for a formula never computed.
    Error(String),
}

impl Cell {
    /// True for an empty cell and for text that is only blanks.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(t) => t.chars().all(char::is_whitespace),
            _ => false,
        }
    }

    /// The cell as a person would read it; a whole number has no decimal point.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(t) | Self::Error(t) => t.clone(),
            Self::Number(n) => format!("{n}"),
            Self::Bool(b) => if *b { "TRUE" } else { "FALSE" }.to_owned(),
            Self::Date(d) if d.time() == chrono::NaiveTime::MIN => d.date().to_string(),
            Self::Date(d) => d.format("%Y-%m-%dT%H:%M:%S").to_string(),
        }
    }
}

/// One row, with the line (text) or row (workbook) number it starts on, from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line or row number, from 1.
    pub number: u64,
    /// Hidden in the workbook; hidden rows are data all the same.
    pub hidden: bool,
    /// The cells, as many as the row has: rows may differ in length.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The cell at `index`, empty where the row is shorter.
    pub fn cell(&self, index: usize) -> &Cell {
        self.cells.get(index).unwrap_or(&Cell::Empty)
    }

    /// True if every cell is blank.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(Cell::is_blank)
    }
}

/// A sheet or a text file. Rows that are wholly absent from a workbook are absent here too.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// File name, for messages.
    pub file: String,
    /// Sheet name; `None` for a text file.
    pub sheet: Option<String>,
    /// The rows in file order.
    pub rows: Vec<Row>,
}

impl Grid {
    /// This grid as a place for messages.
    pub fn place(&self) -> Place {
        Place { file: self.file.clone(), sheet: self.sheet.clone(), ..Place::default() }
    }

    /// A cell's place, by its row and a column name.
    pub fn at(&self, row: &Row, column: &str) -> Place {
        self.place().row(row.number).column(column)
    }
}
