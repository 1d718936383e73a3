//! What a column is, and its values: decided from all of its cells, every guess logged.

use std::collections::BTreeMap;

use super::exact::number_kind;
use super::number::{self, Evidence, Number};
use super::period::{self, Order, Period, Reading};
use super::text::{has_leading_zero, trim};
use super::{Decision, Warning, missing};
use crate::read::Cell;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Text as written, blanks around it removed. Codes with leading zeros are text.
    Text,
    /// Whole numbers that fit 64 bits.
    Integer,
    /// Numbers whose decimal text a 64-bit float gives back exactly.
    Number,
    /// Numbers that a float would round: exact decimals.
    Decimal {
        /// Digits in all, at most 76.
        precision: u8,
        /// Digits behind the point.
        scale: i8,
    },
    /// Truth values of a workbook.
    Boolean,
    /// Days, all of them sure.
    Date,
    /// Periods of one or several grains, as canonical text.
    Period,
}

/// A column of a [`super::Table`]: `values`, `flags` and `periods` have one entry per row.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name, unique in the table without regard to case.
    pub name: String,
    /// Kind of the values.
    pub kind: ColumnKind,
    /// The values in canonical text: numbers as `-1234.50`, days as `2003-12-31`,
    /// periods as `2003-Q4`; `None` is missing.
    pub values: Vec<Option<String>>,
    /// What the file wrote beside or instead of the value: `e`, `%`, `..`, `#N/A`.
    pub flags: Vec<Option<String>>,
    /// First day, last day and grain; empty unless `kind` is `Period`.
    pub periods: Vec<Option<Period>>,
    /// The periods as the file writes them; empty unless `kind` is `Period`.
    pub written: Vec<Option<String>>,
}

impl Column {
    /// True if any value carries a flag.
    pub fn has_flags(&self) -> bool {
        self.flags.iter().any(Option::is_some)
    }
}

/// What a column needs to know of its table, and where it reports to.
pub(super) struct Context<'a> {
    /// Line of each row.
    pub(super) lines: &'a [u64],
    /// Decimal sign of the table, for columns that do not tell.
    pub(super) decimal: char,
    pub(super) decisions: &'a mut Vec<Decision>,
    pub(super) warnings: &'a mut Vec<Warning>,
}

/// Counts what the cells of a column tell about the decimal sign: (point, comma, either).
pub(super) fn decimal_evidence(cells: &[&Cell]) -> (usize, usize, usize) {
    let mut found = (0, 0, 0);
    for cell in cells {
        let Cell::Text(text) = cell else { continue };
        // Blanks, apostrophes and plain digits tell nothing.
        if !text.contains([',', '.', '\u{ff0c}', '\u{ff0e}']) {
            continue;
        }
        match number::parse(text, '.').map(|n| n.evidence) {
            Some(Evidence::Point) => found.0 += 1,
            Some(Evidence::Comma) => found.1 += 1,
            Some(Evidence::Either(_)) => found.2 += 1,
            Some(Evidence::None) | None => {}
        }
    }
    found
}

/// Builds one column.
pub(super) fn build(name: String, cells: &[&Cell], context: &mut Context<'_>) -> Column {
    let year_header = period::header_year(&name).is_some();
    let texts = || {
        cells.iter().filter_map(|c| if let Cell::Text(t) = c { Some(trim(t)) } else { None }).filter(|t| !t.is_empty())
    };
    let stored = cells.iter().any(|c| matches!(c, Cell::Number(_) | Cell::Date(_) | Cell::Bool(_)));
    let telling = texts().filter(|t| !missing::among_numbers(t)).count();
    let mut builder = Builder { name, cells, context };
    if telling == 0 && !stored {
        let mut column = builder.text(year_header);
        if year_header {
            column.kind = ColumnKind::Number;
        }
        return column;
    }
    if cells.iter().all(|c| matches!(c, Cell::Bool(_) | Cell::Error(_)) || c.is_blank()) {
        let mut column = builder.text(false);
        column.kind = ColumnKind::Boolean;
        return column;
    }
    if let Some(column) = builder.periods() {
        return column;
    }
    if let Some(column) = builder.numbers() {
        return column;
    }
    builder.text(false)
}

struct Builder<'a, 'b, 'c> {
    name: String,
    cells: &'a [&'a Cell],
    context: &'b mut Context<'c>,
}

impl Builder<'_, '_, '_> {
    fn decide(&mut self, what: &str, value: impl Into<String>, rows: &[usize]) {
        let lines = rows.iter().filter_map(|&r| self.context.lines.get(r).copied()).collect();
        self.context.decisions.push(Decision::new(what, Some(&self.name), value, rows.len(), lines));
    }

    fn warn(&mut self, code: &'static str, what: impl Into<String>, rows: &[usize]) {
        let lines = rows.iter().filter_map(|&r| self.context.lines.get(r).copied()).collect();
        self.context.warnings.push(Warning::new(
            code,
            format!("column `{}`: {}", self.name, what.into()),
            rows.len(),
            lines,
        ));
    }

    fn column(&self, kind: ColumnKind) -> Column {
        let rows = self.cells.len();
        Column {
            name: self.name.clone(),
            kind,
            values: vec![None; rows],
            flags: vec![None; rows],
            periods: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Text: only marks that are missing anywhere are taken for missing, and `NA`
    /// unless the column holds codes, where it is Namibia.
    fn text(&mut self, all_marks: bool) -> Column {
        let mut column = self.column(ColumnKind::Text);
        let codes = self.holds_codes();
        let mut marked: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut namibia = Vec::new();
        for (row, cell) in self.cells.iter().enumerate() {
            let text = cell.text();
            let text = trim(&text);
            let na = missing::is_na(text);
            if na && codes {
                namibia.push(row);
            }
            let is_missing = matches!(cell, Cell::Error(_))
                || missing::anywhere(text)
                || (na && !codes)
                || (all_marks && missing::among_numbers(text));
            if is_missing {
                column.flags[row] = Some(text.to_owned());
                marked.entry(text.to_owned()).or_default().push(row);
            } else if !text.is_empty() {
                column.values[row] = Some(text.to_owned());
            }
        }
        for (mark, rows) in marked {
            self.decide("missing mark", mark, &rows);
        }
        if !namibia.is_empty() {
            self.decide("`NA` kept as a code, not as missing", "NA", &namibia);
        }
        column
    }

    /// A column of short upper-case codes, or named like one.
    fn holds_codes(&self) -> bool {
        let header = self.name.to_lowercase();
        let named = [
            "iso",
            "code",
            "alpha",
            "country",
            "economy",
            "geo",
            "ref_area",
            "donor",
            "recipient",
            "partner",
            "origin",
            "destination",
        ]
        .iter()
        .any(|w| header.contains(w));
        let texts: Vec<&str> = self
            .cells
            .iter()
            .filter_map(|c| if let Cell::Text(t) = c { Some(trim(t)) } else { None })
            .filter(|t| !t.is_empty() && *t != "NA")
            .collect();
        let code =
            |t: &&&str| (2..=3).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let coded = texts.iter().filter(code).count();
        if texts.is_empty() { named } else { coded * 10 >= texts.len() * if named { 5 } else { 8 } }
    }

    fn periods(&mut self) -> Option<Column> {
        let mut readings: Vec<Option<Reading>> = Vec::with_capacity(self.cells.len());
        let (mut dates, mut years_only) = (0, true);
        for cell in self.cells {
            readings.push(match cell {
                Cell::Text(t) if trim(t).is_empty() || missing::among_numbers(t) => None,
                Cell::Text(t) => Some(period::read(trim(t))?),
                Cell::Date(d) => {
                    dates += 1;
                    Some(Reading::Sure(period::of_date(d.date())?))
                }
                Cell::Number(n) if n.fract() == 0.0 && (1500.0..2201.0).contains(n) => {
                    Some(period::read(&cell.text())?)
                }
                Cell::Number(_) | Cell::Bool(_) => return None,
                Cell::Empty | Cell::Error(_) => None,
            });
            if let Some(Some(Reading::Sure(p))) = readings.last() {
                years_only &= p.grain == period::Grain::Year;
            } else if readings.last().is_some_and(Option::is_some) {
                years_only = false;
            }
        }
        // Plain years are whole numbers, easier to work with than periods.
        if years_only && dates == 0 {
            return None;
        }
        let (order, fiscal) = self.settle(&readings);
        let unsure: Vec<usize> = (0..readings.len())
            .filter(|&i| readings[i].clone().is_some_and(|r| r.settle(order, fiscal).is_none()))
            .collect();
        let all: Vec<Option<Period>> = readings.into_iter().map(|r| r?.settle(order, fiscal)).collect();
        let sure = all.iter().flatten().count();
        if sure == 0 {
            return None;
        }
        self.log_conventions();
        let days = unsure.is_empty() && all.iter().flatten().all(|p| p.grain == period::Grain::Day);
        let mut column = self.column(if days { ColumnKind::Date } else { ColumnKind::Period });
        for (row, cell) in self.cells.iter().enumerate() {
            let text = cell.text();
            let text = trim(&text);
            column.values[row] = match &all[row] {
                Some(period) => Some(period.text.clone()),
                None if unsure.contains(&row) => Some(text.to_owned()),
                None => None,
            };
            if column.values[row].is_none() && !text.is_empty() {
                column.flags[row] = Some(text.to_owned());
            }
        }
        if !days {
            column.written = self.cells.iter().map(|c| Some(c.text()).filter(|t| !t.is_empty())).collect();
            let mut grains: BTreeMap<&str, usize> = BTreeMap::new();
            for period in all.iter().flatten() {
                *grains.entry(period.grain.name()).or_default() += 1;
            }
            let rows: Vec<usize> = (0..all.len()).filter(|&r| all[r].is_some()).collect();
            let found: Vec<String> = grains.iter().map(|(grain, n)| format!("{grain} {n}")).collect();
            self.decide("periods by grain", found.join(", "), &rows);
            column.periods = all;
        }
        Some(column)
    }

    /// Day or month first, month or fiscal year: from the values that tell, never guessed.
    fn settle(&mut self, readings: &[Option<Reading>]) -> (Option<Order>, Option<bool>) {
        let rows = |wanted: &dyn Fn(&Reading) -> bool| -> Vec<usize> {
            (0..readings.len()).filter(|&i| readings[i].as_ref().is_some_and(wanted)).collect()
        };
        let needs = rows(&|r| matches!(r, Reading::Needs { .. }));
        let day_first = rows(&|r| matches!(r, Reading::Tells(_, Order::DayFirst)));
        let month_first = rows(&|r| matches!(r, Reading::Tells(_, Order::MonthFirst)));
        let order = match (day_first.is_empty(), month_first.is_empty()) {
            (false, true) => Some(Order::DayFirst),
            (true, false) => Some(Order::MonthFirst),
            _ => None,
        };
        if !day_first.is_empty() && !month_first.is_empty() {
            self.warn("mixed-date-order", "some dates are day first, others month first", &month_first);
        }
        if !needs.is_empty() {
            match order {
                Some(order) => {
                    let value = if order == Order::DayFirst { "day first" } else { "month first" };
                    self.decide("order of dates, from dates in the same column that can be read one way only", value, &needs);
                }
                None => self.warn(
                    "ambiguous-date",
                    "nothing tells whether day or month comes first; the dates are kept as text, write them as YYYY-MM-DD",
                    &needs,
                ),
            }
        }
        let either = rows(&|r| matches!(r, Reading::MonthOrFiscal { .. }));
        let fiscal =
            rows(&|r| matches!(r, Reading::Sure(p) if p.grain == period::Grain::FiscalYear && p.text.contains('/')));
        // `2003-04` beside `2003-07` is a month; beside `2009-10` and `2014-15` a fiscal year.
        let written_alike = |&row: &usize| self.cells[row].text().contains('-');
        let months = rows(&|r| matches!(r, Reading::Sure(p) if p.grain == period::Grain::Month));
        let months = months
            .iter()
            .filter(|r| self.cells[**r].text().trim().bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'/'))
            .count();
        let settled = match (fiscal.is_empty(), months) {
            (false, 0) => Some(true),
            (true, 1..) => Some(false),
            (true, 0) if either.iter().all(written_alike) => Some(false),
            _ => None,
        };
        if !either.is_empty() {
            match settled {
                Some(true) => {
                    self.decide("`2003-04` read as a fiscal year, as its neighbours are", "fiscal year", &either)
                }
                Some(false) => self.decide("`2003-04` read as a month", "month", &either),
                None => self.warn("ambiguous-period", "may be a month or a fiscal year; kept as text", &either),
            }
        }
        (order, settled)
    }

    /// Readings that rest on a convention and not on the column.
    fn log_conventions(&mut self) {
        let dotted: Vec<usize> = (0..self.cells.len())
            .filter(|&r| matches!(self.cells[r], Cell::Text(t) if t.matches('.').count() == 2 && t.find('.') < Some(3) && t.bytes().all(|b| b.is_ascii_digit() || b == b'.')))
            .collect();
        if !dotted.is_empty() {
            self.decide("dates with dots are day first", "day first", &dotted);
        }
        let four = |t: &str| t.as_bytes().windows(4).any(|w| w.iter().all(u8::is_ascii_digit));
        let short: Vec<usize> = (0..self.cells.len())
            .filter(|&r| matches!(self.cells[r], Cell::Text(t) if period::read(trim(t)).is_some() && !four(t)))
            .collect();
        if !short.is_empty() {
            self.decide("years of two digits: 50 to 99 are 19xx, others 20xx", "two-digit year", &short);
        }
    }

    fn numbers(&mut self) -> Option<Column> {
        let (point, comma, either) = decimal_evidence(self.cells);
        let decimal = match point.cmp(&comma) {
            std::cmp::Ordering::Greater => '.',
            std::cmp::Ordering::Less => ',',
            std::cmp::Ordering::Equal => self.context.decimal,
        };
        let mut found: Vec<Option<Number>> = Vec::with_capacity(self.cells.len());
        let (mut read, mut odd) = (0, Vec::new());
        for (row, cell) in self.cells.iter().enumerate() {
            let text = match cell {
                Cell::Text(t) => trim(t),
                Cell::Number(_) => &cell.text(),
                Cell::Bool(_) | Cell::Date(_) => return None,
                Cell::Empty | Cell::Error(_) => "",
            };
            if has_leading_zero(text) {
                return None;
            }
            let parsed =
                if text.is_empty() || missing::among_numbers(text) { None } else { number::parse(text, decimal) };
            match (&parsed, text.is_empty() || missing::among_numbers(text)) {
                (Some(_), _) => read += 1,
                (None, false) => odd.push(row),
                (None, true) => {}
            }
            found.push(parsed);
        }
        // One stray word in ten numbers is a slip, more of them are text.
        if read == 0 || odd.len() * 10 > read {
            return None;
        }
        let mut column = self.column(ColumnKind::Number);
        let mut marked: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut flagged: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let (mut digits, mut against) = (Vec::new(), Vec::new());
        for (row, number) in found.into_iter().enumerate() {
            let text = self.cells[row].text();
            let text = trim(&text);
            match number {
                Some(number) => {
                    if number.other_digits {
                        digits.push(row);
                    }
                    if matches!((number.evidence, decimal), (Evidence::Comma, '.') | (Evidence::Point, ',')) {
                        against.push(row);
                    }
                    if let Some(flag) = &number.flag {
                        flagged.entry(flag.clone()).or_default().push(row);
                    }
                    column.values[row] = Some(number.value);
                    column.flags[row] = number.flag;
                }
                None if text.is_empty() => {}
                None => {
                    column.flags[row] = Some(text.to_owned());
                    if !odd.contains(&row) {
                        marked.entry(text.to_owned()).or_default().push(row);
                    }
                }
            }
        }
        column.kind = number_kind(&column.values)?;
        for (mark, rows) in marked {
            self.decide("missing mark", mark, &rows);
        }
        for (flag, rows) in flagged {
            self.decide("flag taken off a number", flag, &rows);
        }
        if !digits.is_empty() {
            self.decide("digits of another script read as numbers", "digits", &digits);
        }
        if decimal != '.' || self.context.decimal != '.' {
            self.decide("decimal sign", decimal.to_string(), &[]);
        }
        if either > 0 && point == comma {
            let rows: Vec<usize> = (0..self.cells.len())
                .filter(|&r| matches!(self.cells[r], Cell::Text(t) if matches!(number::parse(t, decimal).map(|n| n.evidence), Some(Evidence::Either(_)))))
                .collect();
            self.warn(
                "ambiguous-separator",
                format!("one sign before three digits was read with `{decimal}` as the decimal sign"),
                &rows,
            );
        }
        if !against.is_empty() {
            self.warn("mixed-decimal", "the decimal sign differs from that of the other numbers", &against);
        }
        if !odd.is_empty() {
            self.warn("not-a-number", "is missing among numbers here; the text is kept as the flag", &odd);
        }
        Some(column)
    }
}
