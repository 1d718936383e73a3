//! Where the table is in a grid: title lines, unit, header of one or more rows, data,
//! notes.
//!
//! ```text
//! Table 3. Remittances received      title
//! (Millions of US dollars)           title, unit
//! Country ; Inflows ;      ;         header
//!         ; 2000    ; 2001 ;         header, second row
//! India   ; 12883   ; 14273 ;        data
//! Source: national authorities.      note
//! ```

use super::text::{clean, is_number_like, is_year_like};
use super::unit;
use crate::error::{Error, Place, Result};
use crate::read::{Cell, Grid, Merge, Row};

/// The parts of a grid.
pub(super) struct Layout<'a> {
    pub(super) titles: Vec<String>,
    pub(super) header: Vec<&'a Row>,
    pub(super) data: Vec<&'a Row>,
    pub(super) notes: Vec<String>,
    pub(super) width: usize,
}

/// Finds the parts. In text (`strict`) every record must be as wide as the header.
///
/// # Errors
/// `Error::Data` if there is no table, or for records of another width, naming lines.
pub(super) fn find<'a>(grid: &'a Grid, strict: bool, merges: &[Merge], delimiter: u8) -> Result<Layout<'a>> {
    let rows: Vec<&Row> = grid.rows.iter().filter(|r| !r.is_blank()).collect();
    let Some(start) = header_start(&rows) else {
        return Err(Error::data(grid.place(), "holds no table: every cell is blank"));
    };
    let (first, last) = header_rows(&rows, start, merges);
    let header = rows[first..=last].to_vec();
    let below = &rows[last + 1..];
    let header_width = header.iter().map(|r| trimmed_width(r)).max().unwrap_or(0);
    let full_width = header.iter().map(|r| r.cells.len()).max().unwrap_or(0);
    let note_rows = trailing_notes(below, full_width, strict, header_width);
    let (data, notes) = below.split_at(below.len() - note_rows);
    let titles = rows[..first].iter().map(|r| join(r, delimiter)).collect();
    let notes = notes.iter().map(|r| join(r, delimiter)).collect();
    let width = if strict {
        check_widths(data, header_width, full_width, &grid.place())?
    } else {
        data.iter().map(|r| trimmed_width(r)).max().unwrap_or(0).max(header_width)
    };
    Ok(Layout { titles, header, data: data.to_vec(), notes, width })
}

fn filled(row: &Row) -> usize {
    row.cells.iter().filter(|c| !c.is_blank()).count()
}

fn trimmed_width(row: &Row) -> usize {
    row.cells.iter().rposition(|c| !c.is_blank()).map_or(0, |i| i + 1)
}

fn join(row: &Row, delimiter: u8) -> String {
    let cells = &row.cells[..trimmed_width(row)];
    let first = cells.iter().position(|c| !c.is_blank()).unwrap_or(0);
    let glue = if delimiter == b'\t' { " ".to_owned() } else { char::from(delimiter).to_string() };
    let parts: Vec<String> = cells[first..].iter().map(Cell::text).collect();
    parts.join(&glue).trim().to_owned()
}

/// The first row that is filled like the table below it. Title lines fill one cell,
/// preambles of databases two of many.
fn header_start(rows: &[&Row]) -> Option<usize> {
    let mut counts: Vec<usize> = rows.iter().map(|r| filled(r)).filter(|&n| n > 1).collect();
    counts.sort_unstable();
    let usual = counts.get(counts.len() * 3 / 4).copied().unwrap_or(1);
    let enough = |r: &Row| filled(r) * 2 >= usual && filled(r) >= usual.min(2);
    let mut at = rows.iter().position(|r| enough(r))?;
    // A preamble such as `Source,World Bank` is followed by a gap and then a header of its own.
    while let (Some(next), Some(after)) = (rows.get(at + 1), rows.get(at + 2)) {
        let gap = next.number > line_after(rows[at]);
        let adjacent = after.number <= line_after(next);
        if !(gap && adjacent && enough(next) && looks_like_header(next) && !looks_like_header(after)) {
            break;
        }
        at += 1;
    }
    // A row of numbers right below a row of words is data, however narrow the words
    // are: `v` over `1,5` is a decimal comma, and the ragged lines will be named.
    if at > 0
        && !looks_like_header(rows[at])
        && looks_like_header(rows[at - 1])
        && rows[at].number == line_after(rows[at - 1])
    {
        at -= 1;
    }
    // A sparse table hides how wide it is: a row of names much wider than the candidate is the header.
    const NEAR: usize = 20;
    let wider = |r: &&Row| filled(r) >= filled(rows[at]) * 3 && filled(r) > 3 && looks_like_header(r);
    Some(rows[at..].iter().take(NEAR).position(wider).map_or(at, |n| at + n))
}

/// The line after a row; a record with line ends inside quotes is longer than a line.
fn line_after(row: &Row) -> u64 {
    let inside: usize = row.cells.iter().map(|c| if let Cell::Text(t) = c { t.matches('\n').count() } else { 0 }).sum();
    row.number + 1 + inside as u64
}

/// Words and years only.
pub(super) fn looks_like_header(row: &Row) -> bool {
    row.cells.iter().filter(|c| !c.is_blank()).all(header_like)
}

fn header_like(cell: &Cell) -> bool {
    match cell {
        Cell::Text(text) => is_year_like(text) || !is_number_like(text),
        Cell::Number(n) => n.fract() == 0.0 && (1800.0..2151.0).contains(n),
        Cell::Date(_) => true,
        _ => false,
    }
}

/// First and last header row around `start`.
fn header_rows(rows: &[&Row], start: usize, merges: &[Merge]) -> (usize, usize) {
    const MOST_LEVELS: usize = 5;
    let spans =
        |row: &Row| merges.iter().any(|m| m.rows.0 == row.number && m.columns.1 > m.columns.0 && m.columns.0 > 0);
    let mut first = start;
    while first > 0 && start - first < MOST_LEVELS {
        let (above, row) = (rows[first - 1], rows[first]);
        let beyond_first = above.cells.iter().skip(1).any(|c| !c.is_blank());
        let unit_only = filled(above) == 1 && above.cells.iter().any(|c| unit::of(&c.text()).is_some());
        // A merged name may reach down over rows that are otherwise empty.
        let reached = merges.iter().filter(|m| m.rows.0 == above.number).map(|m| m.rows.1 + 1);
        let adjacent = row.number == above.number + 1 || reached.max() == Some(row.number);
        // A level above has blanks that the level below fills.
        let above_fits = above.cells.iter().zip(&row.cells).any(|(a, b)| a.is_blank() && !b.is_blank());
        let wide = filled(above) > 1 || spans(above);
        if !(adjacent
            && beyond_first
            && wide
            && !unit_only
            && above_fits
            && looks_like_header(above)
            && looks_like_header(row))
        {
            break;
        }
        first -= 1;
    }
    let mut last = start;
    while last + 1 < rows.len()
        && last - first + 1 < MOST_LEVELS
        && continues(rows[last], rows[last + 1], first_used(rows[first]), merges)
    {
        last += 1;
    }
    (first, last)
}

fn first_used(row: &Row) -> usize {
    row.cells.iter().position(|c| !c.is_blank()).unwrap_or(0)
}

/// True if `below` is another level of the header `above`, whose first level begins in
/// column `first_used`.
fn continues(above: &Row, below: &Row, first_used: usize, merges: &[Merge]) -> bool {
    if below.number != line_after(above) || !looks_like_header(below) {
        return false;
    }
    let width = trimmed_width(above).max(trimmed_width(below));
    let pair = |i: usize| (above.cell(i).is_blank(), below.cell(i).is_blank());
    let fills = (0..width).any(|i| pair(i) == (true, false));
    // The first column in use names the rows; a table need not begin in column A.
    let stub = (0..width).find(|&i| pair(i) != (true, true)).unwrap_or(0);
    let stub_open = pair(stub) == (false, true) || pair(first_used) == (true, true);
    let merged_down =
        merges.iter().any(|m| m.columns.0 == stub && m.rows.0 <= above.number && m.rows.1 >= below.number);
    // `,Inflows,,Outflows,` over `Country,2000,2001,2000,2001`: the names stand below.
    let names_below = pair(stub) == (true, false)
        && (stub + 1..width).any(|i| pair(i) == (true, false))
        && (stub..width).all(|i| !pair(i).1)
        && below.cells.iter().skip(1).any(|c| is_year_like(&c.text()));
    // Units or years under every name: `country,remittances,gdp` over `,USD million,%`.
    let all_years_or_units = {
        let texts: Vec<String> = below.cells.iter().filter(|c| !c.is_blank()).map(Cell::text).collect();
        texts.iter().all(|t| is_year_like(t) || unit::of(t).is_some())
    };
    match () {
        () if names_below => true,
        () if !(stub_open || merged_down) => false,
        () => fills || all_years_or_units,
    }
}

/// How many of the last rows are notes.
fn trailing_notes(rows: &[&Row], full_width: usize, strict: bool, header_width: usize) -> usize {
    let mut best = 0;
    for (count, (i, row)) in (1..).zip(rows.iter().enumerate().rev()) {
        let gap = i.checked_sub(1).and_then(|i| rows.get(i)).is_some_and(|above| row.number > line_after(above));
        let text = row.cells.iter().find(|c| !c.is_blank()).map(Cell::text).unwrap_or_default();
        let text = text.trim();
        let is_note = starts_like_note(text);
        let alone = filled(row) == 1 && (is_note || row.cells.first().is_some_and(|c| !c.is_blank()));
        let odd_width = strict && row.cells.len() != full_width;
        let possible = if header_width <= 1 { is_note } else { alone || (odd_width && is_note) };
        if !possible {
            // `Source: a, b` may be cut into as many cells as the table has.
            let cut = is_note
                && i > 0
                && row.cells.iter().skip(1).all(|c| matches!(c, Cell::Text(t) if !is_number_like(t)) || c.is_blank());
            if !cut {
                break;
            }
        }
        // A cut last line (`Ugan`) must not pass for a note: the block has to begin like one.
        if is_note
            || (alone && is_sentence(text))
            || (gap && alone && odd_width)
            || (gap && alone && text.chars().count() > 40)
        {
            best = count;
        }
    }
    best
}

fn is_sentence(text: &str) -> bool {
    let words = text.split_whitespace().count();
    (words >= 4 && text.ends_with(['.', ':', ';'])) || words >= 9
}

/// `Source: ...`, `a/ ...`, `* ...`, `(1) ...`, `.. not available`.
pub(super) fn starts_like_note(text: &str) -> bool {
    const WORDS: [&str; 37] = [
        "source",
        "note",
        "nota",
        "fuente",
        "fonte",
        "quelle",
        "источник",
        "примечание",
        "remarque",
        "anmerkung",
        "data from",
        "data source",
        "last updated",
        "last update",
        "last modified",
        "updated",
        "date of",
        "downloaded",
        "extracted",
        "retrieved",
        "accessed",
        "copyright",
        "©",
        "legend",
        "légende",
        "leyenda",
        "symbols",
        "definition",
        "disclaimer",
        "methodology",
        "for more",
        "see ",
        "http",
        "www.",
        "footnote",
        "prepared by",
        "mise à jour",
    ];
    let bare = text.trim_start_matches(['"', '(', '[', '*', ' ', '\'']).to_lowercase();
    let word = WORDS.iter().any(|w| {
        bare.strip_prefix(w).is_some_and(|rest| {
            // `Source:` and `Notes` but not the country or column `Notebook`.
            !w.ends_with(|c: char| c.is_alphabetic())
                || !rest.trim_start_matches('s').starts_with(|c: char| c.is_alphabetic())
        })
    });
    if word && (text.contains([' ', ':', '/', '.']) || text.len() < 8) {
        return true;
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('*' | '†' | '‡' | '¹' | '²' | '³' | '⁴' | '§' | '¶'), Some(_)) => true,
        (Some('('), Some(mark)) if mark.is_alphanumeric() => matches!(text.find(')'), Some(2..=3)) && text.len() > 4,
        (Some('.'), Some('.')) => text.trim_start_matches('.').trim_start_matches([' ', '=', ':']).len() > 3,
        (Some(mark), Some('/' | ')')) if mark.is_alphanumeric() => {
            text.len() > 3 && text.contains(|c: char| c.is_alphabetic())
        }
        (Some(mark), Some(' ')) if mark.is_lowercase() => text.len() > 12 || text.contains(['=', ':']),
        _ => false,
    }
}

/// Records wider than the header by blanks only are taken; others are named.
fn check_widths(data: &[&Row], header_width: usize, full_width: usize, place: &Place) -> Result<usize> {
    let width = data
        .iter()
        .filter(|r| r.cells.len() <= full_width)
        .map(|r| trimmed_width(r))
        .max()
        .unwrap_or(0)
        .max(header_width);
    let ragged = |r: &&&Row| r.cells.len() < header_width || trimmed_width(r) > full_width;
    let bad: Vec<&&Row> = data.iter().filter(ragged).collect();
    let Some(first) = bad.first() else {
        return Ok(width);
    };
    const NAMED: usize = 10;
    let mut named: Vec<String> =
        bad.iter().take(NAMED).map(|r| format!("line {} has {}", r.number, cells(r.cells.len()))).collect();
    if bad.len() > NAMED {
        named.push(format!("and {} more lines differ", bad.len() - NAMED));
    }
    let what = format!(
        "the header has {}, but {}; fill or quote these lines (a delimiter inside a value needs quotes) and import again",
        cells(header_width),
        named.join(", ")
    );
    Err(Error::data(place.clone().row(first.number), what))
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

/// One name per column: the levels joined by `/`, upper levels running to the right
/// over the columns they span. Empty where no level names the column.
pub(super) fn names(header: &[&Row], width: usize, merges: &[Merge]) -> Vec<String> {
    let level = |row: &Row| (0..width).map(|i| clean(&row.cell(i).text())).collect::<Vec<_>>();
    let mut levels: Vec<Vec<String>> = header.iter().map(|r| level(r)).collect();
    for at in 0..levels.len().saturating_sub(1) {
        let below: Vec<bool> = (0..width).map(|i| levels[at + 1..].iter().any(|l| !l[i].is_empty())).collect();
        let row = header[at];
        let merged = |i: usize| {
            merges
                .iter()
                .find(|m| m.rows.0 <= row.number && row.number <= m.rows.1 && (m.columns.0..=m.columns.1).contains(&i))
        };
        let mut carry = String::new();
        for i in 0..width {
            let own = !levels[at][i].is_empty();
            if own {
                // A name over a single column, with nothing below it, spans nothing.
                carry = if below[i] { levels[at][i].clone() } else { String::new() };
            } else if merges.is_empty() || merged(i).is_some_and(|m| m.columns.0 < i) {
                if below[i] {
                    levels[at][i].clone_from(&carry);
                }
            } else {
                carry.clear();
            }
        }
    }
    (0..width)
        .map(|i| {
            let mut parts: Vec<&str> = levels.iter().map(|l| l[i].as_str()).filter(|p| !p.is_empty()).collect();
            parts.dedup();
            parts.join("/")
        })
        .collect()
}
