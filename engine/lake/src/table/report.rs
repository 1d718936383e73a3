//! The import report: what was decided and what to beware of, safe to print.

use super::{Column, ColumnKind, Table};
use crate::error::Printable;

impl Table {
    /// The report, one entry per line: shape, then decisions, warnings and notes with
    /// counts and lines of the file. Text of the file is escaped for terminals.
    pub fn report(&self) -> Vec<String> {
        let mut lines = vec![self.shape()];
        lines.extend(self.titles.iter().map(|t| format!("title: {}", Printable(t))));
        if let Some(unit) = &self.unit {
            lines.push(format!("unit: {}", Printable(unit)));
        }
        lines.extend(self.columns.iter().filter_map(describe));
        lines.extend(self.decisions.iter().map(|d| {
            let column = d.column.as_ref().map(|c| format!(" in `{}`", Printable(c))).unwrap_or_default();
            format!("decided: {}{column}: `{}`{}", Printable(&d.what), Printable(&d.value), counted(d.count, &d.lines))
        }));
        lines.extend(
            self.warnings
                .iter()
                .map(|w| format!("warning {}: {}{}", w.code, Printable(&w.message), counted(w.count, &w.lines))),
        );
        lines.extend(self.notes.iter().map(|n| format!("note: {}", Printable(n))));
        lines
    }

    fn shape(&self) -> String {
        let sheet = self.sheet.as_ref().map(|s| format!(", sheet `{}`", Printable(s))).unwrap_or_default();
        let encoding = self.encoding.map(|e| format!(", {e}")).unwrap_or_default();
        let delimiter = match self.delimiter {
            Some('\t') => ", delimiter tab".to_owned(),
            Some(delimiter) => format!(", delimiter `{delimiter}`"),
            None => String::new(),
        };
        let wide = match self.years()[..] {
            [first, .., last] => format!(", wide: {first} to {last}, {} rows in long form", self.long_rows()),
            _ => String::new(),
        };
        let levels = if self.header_rows > 1 { format!(" ({} rows)", self.header_rows) } else { String::new() };
        format!(
            "{}{sheet}: {} rows, {} columns, header in row {}{levels}{encoding}{delimiter}, decimal sign `{}`{wide}",
            Printable(&self.file),
            self.rows(),
            self.columns.len(),
            self.header_row,
            self.decimal
        )
    }
}

/// Columns that are not plain text say what they are; flags are counted.
fn describe(column: &Column) -> Option<String> {
    let kind = match column.kind {
        ColumnKind::Text => "text".to_owned(),
        ColumnKind::Integer => "whole numbers".to_owned(),
        ColumnKind::Number => "numbers".to_owned(),
        ColumnKind::Decimal { precision, scale } => {
            format!("exact decimals of {precision} digits, {scale} behind the point")
        }
        ColumnKind::Boolean => "truth values".to_owned(),
        ColumnKind::Date => "dates".to_owned(),
        ColumnKind::Period => "periods".to_owned(),
    };
    let missing = column.values.iter().filter(|v| v.is_none()).count();
    let flags = column.flags.iter().flatten().count();
    let plain = matches!(column.kind, ColumnKind::Text | ColumnKind::Integer | ColumnKind::Number);
    if plain && missing == 0 && flags == 0 {
        return None;
    }
    Some(format!("column `{}`: {kind}, {missing} missing, {flags} flagged", Printable(&column.name)))
}

fn counted(count: usize, lines: &[u64]) -> String {
    if lines.is_empty() {
        return if count > 1 { format!(" ({count})") } else { String::new() };
    }
    let named: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = if count > lines.len() && lines.len() == super::Decision::LINES { ", ..." } else { "" };
    format!(" ({count}, lines {}{more})", named.join(", "))
}
