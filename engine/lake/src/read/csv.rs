//! Delimited text to rows of cells.
//!
//! The tokenizer is our own because messages must name the physical line a record
//! starts on in files that end lines with CR, LF and CRLF in turn, and because a
//! quote that is never closed must be an error at its line: the `csv` crate counts
//! line feeds only and ends the last record silently.

use super::decode::{Decoded, decode};
use super::{Cell, Grid, Kind, Limits, Row, kind_of};
use crate::error::{Error, Place, Result};

/// A text file as cells, and how it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct TextGrid {
    /// The records. A blank line is no row; numbers are physical lines, so gaps show.
    pub grid: Grid,
    /// `utf-8`, `utf-8-bom`, `utf-16le`, `utf-16be` or `windows-1252`.
    pub encoding: &'static str,
    /// `,`, `;`, tab or `|`; `,` where the file has one column only.
    pub delimiter: u8,
    /// Lines of an otherwise UTF-8 file that were not UTF-8 and were read as windows-1252.
    pub odd_lines: Vec<u64>,
    /// Characters that could not be decoded and are U+FFFD now.
    pub replaced: usize,
}

/// Reads delimited text: finds the encoding and the delimiter, keeps every cell as
/// written (quotes taken off, nothing trimmed), keeps records of unequal length.
///
/// # Errors
/// `Error::Data` for an empty file, a file that is no text, and a quote that is
/// never closed; `Error::Limit` beyond `limits`.
pub fn read_csv(bytes: &[u8], file: &str, limits: &Limits) -> Result<TextGrid> {
    limits.check_file(bytes.len() as u64, file)?;
    let what = match kind_of(bytes) {
        Kind::Csv => None,
        Kind::Empty => Some("the file is empty".to_owned()),
        kind => Some(format!("expected delimited text, but the file is {kind}")),
    };
    if let Some(what) = what {
        return Err(Error::data(Place::file(file), what));
    }
    let Decoded { text, encoding, odd_lines, replaced } = decode(bytes);
    let (hint, body) = excel_hint(&text);
    let delimiter = hint.unwrap_or_else(|| find_delimiter(body));
    let first_line = if hint.is_some() { 2 } else { 1 };
    let mut rows = Vec::new();
    let mut cells = 0;
    let mut records = Records::new(body, delimiter, first_line);
    while let Some(row) = records.next_record() {
        let at = || Place::file(file).row(row.number);
        cells += row.cells.len();
        limits.check_rows(rows.len() + 1, at)?;
        limits.check_columns(row.cells.len(), at)?;
        limits.check_cells(cells, at)?;
        let longest = row.cells.iter().map(|c| if let Cell::Text(t) = c { t.len() } else { 0 }).max();
        limits.check_cell_bytes(longest.unwrap_or(0), at)?;
        rows.push(row);
    }
    if let Some(line) = records.unclosed {
        return Err(Error::data(
            Place::file(file).row(line),
            "a quote that opens here is never closed; close it, or double it (`\"\"`) if it is part of the text",
        ));
    }
    let grid = Grid { file: file.to_owned(), sheet: None, rows };
    Ok(TextGrid { grid, encoding, delimiter, odd_lines, replaced })
}

/// Excel's own first line `sep=;`, and the text after it.
fn excel_hint(text: &str) -> (Option<u8>, &str) {
    let Some(rest) = text.get(..4).filter(|s| s.eq_ignore_ascii_case("sep=")).and(text.get(4..)) else {
        return (None, text);
    };
    let Some(&delimiter) = rest.as_bytes().first().filter(|b| DELIMITERS.contains(b)) else {
        return (None, text);
    };
    let rest = &rest[1..];
    let body = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
    body.map_or((None, text), |body| (Some(delimiter), body))
}

const DELIMITERS: [u8; 4] = *b",;\t|";

/// The delimiter that cuts most records into the same number of cells, the first
/// wide record counting extra: title lines, footnotes and decimal commas cut unevenly.
fn find_delimiter(text: &str) -> u8 {
    const SAMPLE: usize = 500;
    let mut best = (b',', 0.0, 0);
    for delimiter in DELIMITERS {
        let mut records = Records::new(text, delimiter, 1);
        let widths: Vec<usize> = std::iter::from_fn(|| records.next_record())
            .take(SAMPLE)
            .filter(|row| !row.is_blank())
            .map(|row| row.cells.len())
            .collect();
        let Some(first) = widths.iter().copied().find(|&w| w > 1) else {
            continue;
        };
        let count = |width: usize| widths.iter().filter(|&&w| w == width).count();
        let (modal, times) = widths
            .iter()
            .map(|&w| (w, count(w)))
            .filter(|&(w, _)| w > 1)
            .max_by_key(|&(w, n)| (n, w))
            .unwrap_or((first, 1));
        let score = times as f64 / widths.len() as f64 + if first == modal { 0.5 } else { 0.0 };
        if score > best.1 || (score == best.1 && modal > best.2) {
            best = (delimiter, score, modal);
        }
    }
    best.0
}

struct Records<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    delimiter: u8,
    unclosed: Option<u64>,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, delimiter: u8, line: u64) -> Self {
        Self { text, at: 0, line, delimiter, unclosed: None }
    }

    /// Steps over one line end at the cursor; false if there is none.
    fn line_end(&mut self) -> bool {
        match self.text.as_bytes().get(self.at..) {
            Some([b'\r', b'\n', ..]) => self.at += 2,
            Some([b'\r' | b'\n', ..]) => self.at += 1,
            _ => return false,
        }
        self.line += 1;
        true
    }

    fn next_record(&mut self) -> Option<Row> {
        while self.line_end() {}
        if self.at >= self.text.len() {
            return None;
        }
        let mut row = Row { number: self.line, hidden: false, cells: Vec::new() };
        loop {
            row.cells.push(self.cell());
            if self.text.as_bytes().get(self.at) == Some(&self.delimiter) {
                self.at += 1;
                continue;
            }
            self.line_end();
            return Some(row);
        }
    }

    fn cell(&mut self) -> Cell {
        let bytes = self.text.as_bytes();
        // Blanks before an opening quote are typing, not content.
        let lead = bytes[self.at..].iter().take_while(|&&b| b == b' ').count();
        let quoted = bytes.get(self.at + lead) == Some(&b'"');
        if !quoted {
            let start = self.at;
            self.at = self.plain_end(start);
            return text_cell(self.text[start..self.at].to_owned());
        }
        let opened = self.line;
        self.at += lead + 1;
        let mut value = String::new();
        let mut start = self.at;
        loop {
            match bytes.get(self.at) {
                None => {
                    self.unclosed.get_or_insert(opened);
                    value.push_str(&self.text[start..]);
                    break;
                }
                Some(b'"') if bytes.get(self.at + 1) == Some(&b'"') => {
                    value.push_str(&self.text[start..=self.at]);
                    self.at += 2;
                    start = self.at;
                }
                Some(b'"') => {
                    value.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    // Anything between the closing quote and the delimiter is kept.
                    let end = self.plain_end(self.at);
                    value.push_str(self.text[self.at..end].trim_end_matches(' '));
                    self.at = end;
                    break;
                }
                Some(b'\r' | b'\n') => {
                    self.line_end();
                }
                Some(_) => self.at += 1,
            }
        }
        text_cell(value)
    }

    fn plain_end(&self, from: usize) -> usize {
        let stop = |&b: &u8| b == self.delimiter || b == b'\n' || b == b'\r';
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        rest.iter().position(stop).map_or(self.text.len(), |n| from + n)
    }
}

fn text_cell(text: String) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TextGrid {
        read_csv(text.as_bytes(), "t.csv", &Limits::default()).unwrap()
    }

    fn cells(grid: &TextGrid) -> Vec<(u64, Vec<String>)> {
        grid.grid.rows.iter().map(|r| (r.number, r.cells.iter().map(Cell::text).collect())).collect()
    }

    #[test]
    fn lines_are_physical() {
        let grid = read("a,b\r\n\r1,\"x\r\ny\"\n2,z\r3,w");
        let rows = [(1, vec!["a", "b"]), (3, vec!["1", "x\r\ny"]), (5, vec!["2", "z"]), (6, vec!["3", "w"])];
        let rows: Vec<(u64, Vec<String>)> = rows.map(|(n, c)| (n, c.into_iter().map(str::to_owned).collect())).into();
        assert_eq!(cells(&grid), rows);
    }

    #[test]
    fn delimiters() {
        let cases = [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
            ("a\tb\n1,000\t2\n", b'\t'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("only\n1\n", b','),
            ("A title, with commas, many\n\na;b\n1;2\n", b';'),
            ("sep=;\na;b\n1,2;3,4\n", b';'),
            ("\"a;x\",b\n\"1;y\",2\n", b','),
        ];
        for (text, delimiter) in cases {
            assert_eq!(read(text).delimiter, delimiter, "{text:?}");
        }
        assert_eq!(read("sep=;\na;b\n").grid.rows[0].number, 2);
    }

    #[test]
    fn quotes() {
        let grid = read("a,b\n\"x \"\"y\"\"\", \"z\" \nit\"s,\"q\"r\n");
        assert_eq!(grid.grid.rows[1].cells, [Cell::Text("x \"y\"".into()), Cell::Text("z".into())]);
        assert_eq!(grid.grid.rows[2].cells, [Cell::Text("it\"s".into()), Cell::Text("qr".into())]);
        let error = read_csv(b"a,b\n1,\"2\n3,4\n", "t.csv", &Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with("t.csv, row 2: a quote that opens here is never closed"), "{error}");
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { columns: 2, rows: 2, cell_bytes: 3, ..Limits::default() };
        for (text, words) in [("a,b,c\n", "columns"), ("1\n2\n3\n", "rows"), ("abcd\n", "cell_bytes")] {
            let error = read_csv(text.as_bytes(), "t.csv", &limits).unwrap_err().to_string();
            assert!(error.contains(&format!("setting `import.{words}`")), "{error}");
        }
        assert!(read_csv(b"", "t.csv", &limits).unwrap_err().to_string().contains("empty"));
    }
}
