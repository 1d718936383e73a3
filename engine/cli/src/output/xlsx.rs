//! Excel workbooks.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use rust_xlsxwriter::{ColNum, ExcelDateTime, Format as Style, FormatAlign, RowNum, Workbook, Worksheet, XlsxError};

use super::cell::{CellOptions, Reader, is_number};
use super::{Out, OutputError, ResultWriter};

/// Rows of a sheet below its header; a limit of the file format.
const MOST_ROWS: u32 = 1_048_575;
/// Columns of a sheet; a limit of the file format.
const MOST_COLUMNS: usize = 16_384;
/// Significant digits that a cell's binary number keeps.
const EXACT_DIGITS: usize = 15;

/// A sheet `result` with a frozen header row, and, when columns carry metadata,
/// a sheet `columns` with their units, sources and licences. Text is always
/// written as text, so `=cmd|…` stays a string. Numbers that a cell cannot hold
/// exactly are written as text rather than rounded.
pub(super) struct Xlsx<'a> {
    out: Out<'a>,
    workbook: Workbook,
    sheet: Worksheet,
    schema: SchemaRef,
    date: Style,
    time: Style,
    rows: u32,
}

impl<'a> Xlsx<'a> {
    pub(super) fn new(schema: &SchemaRef, out: Out<'a>) -> Result<Self, OutputError> {
        if schema.fields().len() > MOST_COLUMNS {
            return Err(OutputError::Limit(format!(
                "a sheet holds {MOST_COLUMNS} columns; use --format csv or parquet"
            )));
        }
        let mut sheet = Worksheet::new();
        sheet.set_name("result")?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, field) in (0..).zip(schema.fields()) {
            let header = Style::new().set_bold();
            let header = if is_number(field.data_type()) { header.set_align(FormatAlign::Right) } else { header };
            sheet.write_string_with_format(0, column, field.name(), &header)?;
            sheet.set_column_width(column, (field.name().chars().count() as f64 + 2.0).clamp(10.0, 40.0))?;
        }
        Ok(Self {
            out,
            workbook: Workbook::new(),
            sheet,
            schema: SchemaRef::clone(schema),
            date: Style::new().set_num_format("yyyy-mm-dd"),
            time: Style::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            rows: 0,
        })
    }

    fn write_cell(&mut self, row: RowNum, column: ColNum, data_type: &DataType, text: &str) -> Result<(), OutputError> {
        let sheet = &mut self.sheet;
        match data_type {
            DataType::Boolean => sheet.write_boolean(row, column, text == "true")?,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, None) => {
                let style = if data_type == &DataType::Date32 { &self.date } else { &self.time };
                // Excel knows no day before 1900; such dates are written as ISO text.
                match ExcelDateTime::parse_from_str(text) {
                    Ok(moment) => sheet.write_datetime_with_format(row, column, &moment, style)?,
                    Err(_) => sheet.write_string(row, column, text)?,
                }
            }
            other if is_number(other) && fits_cell(other, text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => sheet.write_number(row, column, number)?,
                _ => sheet.write_string(row, column, text)?,
            },
            _ => sheet.write_string(row, column, text).map_err(|e| match e {
                XlsxError::MaxStringLengthExceeded => OutputError::Limit(format!(
                    "row {row} of column `{}` has {} characters and a cell holds 32767; use --format csv or parquet",
                    self.schema.field(usize::from(column)).name(),
                    text.chars().count()
                )),
                other => OutputError::Xlsx(other),
            })?,
        };
        Ok(())
    }

    /// What is known of the columns, or None when nothing is.
    fn columns_sheet(&self) -> Result<Option<Worksheet>, OutputError> {
        const KEYS: [&str; 5] = ["unit", "source", "licence", "description", "caveats"];
        let fields = self.schema.fields();
        if !fields.iter().any(|field| KEYS.iter().any(|key| field.metadata().contains_key(*key))) {
            return Ok(None);
        }
        let (mut sheet, bold) = (Worksheet::new(), Style::new().set_bold());
        sheet.set_name("columns")?;
        for (column, title) in (0..).zip(std::iter::once("column").chain(KEYS)) {
            sheet.write_string_with_format(0, column, title, &bold)?;
            sheet.set_column_width(column, 24.0)?;
        }
        for (row, field) in (1..).zip(fields) {
            sheet.write_string(row, 0, field.name())?;
            for (column, key) in (1..).zip(KEYS) {
                if let Some(value) = field.metadata().get(key) {
                    sheet.write_string(row, column, value)?;
                }
            }
        }
        Ok(Some(sheet))
    }
}

impl ResultWriter for Xlsx<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let options = CellOptions::new(Reader::Program);
        let mut columns = options.columns(batch)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            if self.rows == MOST_ROWS {
                return Err(OutputError::Limit(format!("a sheet holds {MOST_ROWS} rows; use --format csv or parquet")));
            }
            self.rows += 1;
            for (i, (number, column)) in (0..).zip(&mut columns).enumerate() {
                if !column.is_null(row) {
                    text.clear();
                    column.write(row, &mut text)?;
                    let data_type = value_type(batch.column(i).as_ref());
                    self.write_cell(self.rows, number, &data_type, &text)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<u64, OutputError> {
        let columns = self.columns_sheet()?;
        self.workbook.push_worksheet(std::mem::take(&mut self.sheet));
        if let Some(columns) = columns {
            self.workbook.push_worksheet(columns);
        }
        self.out.write_all(&self.workbook.save_to_buffer()?)?;
        self.out.flush()?;
        Ok(u64::from(self.rows))
    }
}

fn value_type(array: &dyn Array) -> DataType {
    match array.as_any_dictionary_opt() {
        Some(dictionary) => dictionary.values().data_type().clone(),
        None => array.data_type().clone(),
    }
}

/// Whether a double holds this number exactly; floats are doubles already.
fn fits_cell(data_type: &DataType, text: &str) -> bool {
    data_type.is_floating() || text.bytes().filter(u8::is_ascii_digit).count() <= EXACT_DIGITS
}

#[cfg(test)]
mod tests {
    use super::super::tests::written;
    use super::super::{Format, Look};
    use super::*;

    #[test]
    fn is_a_workbook() {
        assert!(written(Format::Xlsx, Look::default()).starts_with(b"PK\x03\x04"));
    }

    #[test]
    fn large_integers_stay_exact() {
        assert!(fits_cell(&DataType::Int64, "-123456789012345"));
        assert!(!fits_cell(&DataType::Int64, "9223372036854775807"));
        assert!(fits_cell(&DataType::Float64, "0.30000000000000004"));
    }
}
