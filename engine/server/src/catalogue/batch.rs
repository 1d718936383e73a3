//! From rows of cells to a batch that has exactly the columns of its relation.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, IntervalMonthDayNanoArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray, StructArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, UInt32Type,
};

use super::cell::{Cell, elements};
use super::error::{CatalogueError, Result};
use super::shape::Shape;

/// Rows of a relation in the making.
pub(crate) struct Rows<'a> {
    shape: &'a Shape,
    columns: Vec<Vec<Cell>>,
    /// A column that some row named and the relation does not have.
    unknown: Option<String>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(shape: &'a Shape) -> Self {
        Self { shape, columns: shape.columns.iter().map(|_| Vec::new()).collect(), unknown: None }
    }

    /// Adds a row. A column that is not named is NULL, or nought or empty where PostgreSQL has no NULL.
    pub(crate) fn push<'n>(&mut self, cells: impl IntoIterator<Item = (&'n str, Cell)>) {
        for (column, (shape, field)) in
            self.columns.iter_mut().zip(self.shape.columns.iter().zip(self.shape.arrow.fields()))
        {
            column.push(if shape.not_null { nought(field.data_type()) } else { Cell::Null });
        }
        for (name, cell) in cells {
            let place = self.shape.columns.iter().position(|c| c.name == name);
            match place.and_then(|p| self.columns.get_mut(p)).and_then(|c| c.last_mut()) {
                Some(last) => *last = cell,
                None => self.unknown = Some(name.to_owned()),
            }
        }
    }

    /// The batch.
    ///
    /// # Errors
    /// A row named a column that the relation does not have, or gave it a value of another type.
    pub(crate) fn finish(self) -> Result<RecordBatch> {
        if let Some(column) = self.unknown {
            return Err(CatalogueError::NoColumn { table: self.shape.name.to_owned(), column });
        }
        let schema = Arc::clone(&self.shape.arrow);
        let columns =
            self.columns.iter().zip(schema.fields()).map(|(cells, field)| array(field.data_type(), cells.iter()));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// Cells as an array of a type.
///
/// # Errors
/// A cell is not of the type.
pub(crate) fn cells_to_array(data_type: &DataType, cells: &[Cell]) -> Result<ArrayRef> {
    array(data_type, cells.iter())
}

fn nought(data_type: &DataType) -> Cell {
    match data_type {
        DataType::Boolean => Cell::Bool(false),
        DataType::Utf8 => Cell::Text(String::new()),
        DataType::List(_) => Cell::List(Vec::new()),
        DataType::Interval(_) | DataType::Binary => Cell::Null,
        _ => Cell::Int(0),
    }
}

fn array<'c>(data_type: &DataType, cells: impl ExactSizeIterator<Item = &'c Cell>) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Boolean => Arc::new(cells.map(boolean).collect::<Result<BooleanArray>>()?),
        DataType::Int16 => numbers::<Int16Type>(cells)?,
        DataType::Int32 => numbers::<Int32Type>(cells)?,
        DataType::Int64 => numbers::<Int64Type>(cells)?,
        DataType::UInt32 => numbers::<UInt32Type>(cells)?,
        DataType::Float32 => {
            let values = cells.map(|c| Ok(float(c)?.map(|f| f as f32))).collect::<Result<Vec<_>>>()?;
            Arc::new(PrimitiveArray::<Float32Type>::from_iter(values))
        }
        DataType::Float64 => {
            Arc::new(PrimitiveArray::<Float64Type>::from_iter(cells.map(float).collect::<Result<Vec<_>>>()?))
        }
        DataType::Timestamp(_, zone) => {
            let values = cells.map(number::<i64>).collect::<Result<Vec<_>>>()?;
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from_iter(values).with_timezone_opt(zone.clone()))
        }
        DataType::Utf8 => Arc::new(cells.map(text).collect::<Result<StringArray>>()?),
        DataType::Binary => Arc::new(cells.map(|_| None::<&[u8]>).collect::<BinaryArray>()),
        DataType::Interval(_) => Arc::new(IntervalMonthDayNanoArray::new_null(cells.len())),
        DataType::List(item) => {
            let lists = cells.map(list).collect::<Result<Vec<_>>>()?;
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|l| l.as_ref().map_or(0, Vec::len)));
            let nulls = NullBuffer::from_iter(lists.iter().map(Option::is_some));
            let flat: Vec<Cell> = lists.into_iter().flatten().flatten().collect();
            let values = array(item.data_type(), flat.iter())?;
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(nulls))?)
        }
        DataType::Struct(fields) => {
            let records = cells.map(list).collect::<Result<Vec<_>>>()?;
            let nulls = NullBuffer::from_iter(records.iter().map(Option::is_some));
            let column = |(place, field): (usize, &FieldRef)| {
                let part = |r: &Option<Vec<Cell>>| r.as_ref().and_then(|r| r.get(place)).cloned();
                let cells: Vec<Cell> = records.iter().map(|r| part(r).unwrap_or(Cell::Null)).collect();
                array(field.data_type(), cells.iter())
            };
            let columns = fields.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?)
        }
        other => new_null_array(other, cells.len()),
    })
}

fn mismatch(cell: &Cell, expected: &str) -> CatalogueError {
    CatalogueError::Value { value: format!("{cell:?}"), expected: expected.to_owned() }
}

fn boolean(cell: &Cell) -> Result<Option<bool>> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Bool(b) => Ok(Some(*b)),
        Cell::Text(t) if t == "t" || t == "true" => Ok(Some(true)),
        Cell::Text(t) if t == "f" || t == "false" => Ok(Some(false)),
        _ => Err(mismatch(cell, "boolean")),
    }
}

fn number<T: TryFrom<i64>>(cell: &Cell) -> Result<Option<T>> {
    let wide = match cell {
        Cell::Null => return Ok(None),
        Cell::Int(i) => Some(*i),
        Cell::Text(t) => t.parse().ok(),
        _ => None,
    };
    wide.and_then(|w| T::try_from(w).ok()).map(Some).ok_or_else(|| mismatch(cell, "a whole number"))
}

fn numbers<'c, T>(cells: impl ExactSizeIterator<Item = &'c Cell>) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(cells.map(number::<T::Native>).collect::<Result<Vec<_>>>()?)))
}

fn float(cell: &Cell) -> Result<Option<f64>> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Float(f) => Ok(Some(*f)),
        Cell::Int(i) => Ok(Some(*i as f64)),
        Cell::Text(t) => t.parse().map(Some).map_err(|_| mismatch(cell, "a number")),
        _ => Err(mismatch(cell, "a number")),
    }
}

fn text(cell: &Cell) -> Result<Option<String>> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Text(t) => Ok(Some(t.clone())),
        Cell::Int(i) => Ok(Some(i.to_string())),
        _ => Err(mismatch(cell, "a text")),
    }
}

fn list(cell: &Cell) -> Result<Option<Vec<Cell>>> {
    match cell {
        Cell::Null => Ok(None),
        Cell::List(l) => Ok(Some(l.clone())),
        Cell::Text(t) => Ok(Some(elements(t))),
        _ => Err(mismatch(cell, "an array")),
    }
}
