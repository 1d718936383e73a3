//! Results of groups, gathered into one array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringViewArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Fields};
use datafusion_common::{Result, internal_err};

/// What a measure gives for a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A double.
    Number,
    /// A list of doubles.
    Numbers,
    /// A struct.
    Struct(&'static [Field]),
    /// A list of structs.
    Structs(&'static [Field]),
}

/// A field of a struct.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Field {
    /// A double.
    Number(&'static str),
    /// A count.
    Count(&'static str),
    /// One of the sink's labels, by its number.
    Label(&'static str),
    /// One of these words, by its number.
    Word(&'static str, &'static [&'static str]),
    /// One of these words, or after them one of the sink's labels, by its number.
    Term(&'static str, &'static [&'static str]),
    /// Yes or no, as 1 and 0.
    Flag(&'static str),
}

impl Field {
    fn arrow(self) -> FieldRef {
        let (name, data_type) = match self {
            Self::Number(name) => (name, DataType::Float64),
            Self::Count(name) => (name, DataType::Int64),
            Self::Label(name) | Self::Word(name, _) | Self::Term(name, _) => (name, DataType::Utf8View),
            Self::Flag(name) => (name, DataType::Boolean),
        };
        Arc::new(ArrowField::new(name, data_type, true))
    }
}

impl Shape {
    /// A sink for results without labels.
    pub(crate) fn sink(self) -> Sink {
        Sink::new(self, Vec::new())
    }

    /// The type of the result.
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::Number => DataType::Float64,
            Self::Numbers => DataType::List(numbers_field()),
            Self::Struct(fields) => DataType::Struct(arrow_fields(fields)),
            Self::Structs(fields) => DataType::List(structs_field(fields)),
        }
    }
}

fn arrow_fields(fields: &[Field]) -> Fields {
    fields.iter().map(|f| f.arrow()).collect()
}

fn numbers_field() -> FieldRef {
    Arc::new(ArrowField::new_list_field(DataType::Float64, true))
}

fn structs_field(fields: &[Field]) -> FieldRef {
    Arc::new(ArrowField::new_list_field(DataType::Struct(arrow_fields(fields)), true))
}

/// Takes the results of groups in order.
#[derive(Debug)]
pub(crate) struct Sink {
    shape: Shape,
    labels: Vec<Cow<'static, str>>,
    /// All numbers, row after row.
    cells: Vec<Option<f64>>,
    /// Where the cells of each group end.
    ends: Vec<usize>,
    /// Which groups have a result.
    valid: Vec<bool>,
}

impl Sink {
    /// A sink for results of a shape.
    pub(crate) fn new(shape: Shape, labels: Vec<Cow<'static, str>>) -> Self {
        Self { shape, labels, cells: Vec::new(), ends: Vec::new(), valid: Vec::new() }
    }

    /// The group has no result.
    pub(crate) fn null(&mut self) {
        match &self.shape {
            Shape::Number => self.cells.push(None),
            Shape::Struct(fields) => self.cells.extend(std::iter::repeat_n(None, fields.len())),
            Shape::Numbers | Shape::Structs(_) => {}
        }
        self.ends.push(self.cells.len());
        self.valid.push(false);
    }

    /// The group's one number. What is not finite is NULL.
    pub(crate) fn number(&mut self, number: f64) {
        if number.is_finite() { self.row(&[Some(number)]) } else { self.null() }
    }

    /// The group's number, if it has one.
    pub(crate) fn maybe(&mut self, number: Option<f64>) {
        match number {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    /// The group's numbers: of a list, a struct, or structs row after row.
    pub(crate) fn row(&mut self, cells: &[Option<f64>]) {
        self.cells.extend(cells.iter().map(|c| c.filter(|v| v.is_finite())));
        self.ends.push(self.cells.len());
        self.valid.push(true);
    }

    /// The results as an array.
    pub(crate) fn finish(self) -> Result<ArrayRef> {
        let nulls = || Some(NullBuffer::from(self.valid.clone())).filter(|n| n.null_count() > 0);
        Ok(match &self.shape {
            Shape::Number => Arc::new(Float64Array::from(self.cells)),
            Shape::Numbers => {
                let offsets = offsets(&self.ends, 1)?;
                Arc::new(ListArray::try_new(
                    numbers_field(),
                    offsets,
                    Arc::new(Float64Array::from(self.cells.clone())),
                    nulls(),
                )?)
            }
            Shape::Struct(fields) => Arc::new(self.structs(fields, nulls())?),
            Shape::Structs(fields) => {
                let items = self.structs(fields, None)?;
                let offsets = offsets(&self.ends, fields.len())?;
                Arc::new(ListArray::try_new(structs_field(fields), offsets, Arc::new(items), nulls())?)
            }
        })
    }

    fn structs(&self, fields: &[Field], nulls: Option<NullBuffer>) -> Result<StructArray> {
        let column = |place: usize| self.cells.iter().skip(place).step_by(fields.len().max(1)).copied();
        let columns = fields.iter().enumerate().map(|(place, field)| -> ArrayRef {
            match field {
                Field::Number(_) => Arc::new(column(place).collect::<Float64Array>()),
                Field::Count(_) => Arc::new(column(place).map(|c| c.map(|v| v as i64)).collect::<Int64Array>()),
                Field::Label(_) => {
                    let label = |c: Option<f64>| c.and_then(|v| self.labels.get(v as usize)).map(AsRef::as_ref);
                    Arc::new(column(place).map(label).collect::<StringViewArray>())
                }
                Field::Word(_, words) => {
                    let word = |c: Option<f64>| c.and_then(|v| words.get(v as usize)).copied();
                    Arc::new(column(place).map(word).collect::<StringViewArray>())
                }
                Field::Term(_, words) => {
                    let label = |place: usize| self.labels.get(place.checked_sub(words.len())?).map(AsRef::as_ref);
                    let term =
                        |c: Option<f64>| c.and_then(|v| words.get(v as usize).copied().or_else(|| label(v as usize)));
                    Arc::new(column(place).map(term).collect::<StringViewArray>())
                }
                Field::Flag(_) => Arc::new(column(place).map(|c| c.map(|v| v != 0.0)).collect::<BooleanArray>()),
            }
        });
        Ok(StructArray::try_new(arrow_fields(fields), columns.collect(), nulls)?)
    }
}

fn offsets(ends: &[usize], width: usize) -> Result<OffsetBuffer<i32>> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    for end in ends {
        match i32::try_from(end / width.max(1)) {
            Ok(offset) => offsets.push(offset),
            Err(_) => return internal_err!("more than {} items in one array of lists", i32::MAX),
        }
    }
    Ok(OffsetBuffer::new(offsets.into()))
}
