//! Functions of the catalogue as DataFusion's.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::call::{Call, Definition, Returns};
use crate::catalogue::{Cell, PG_TYPE, Snapshot, cells_to_array};

/// The most bytes of texts for the rows of one batch.
const MOST: usize = 64 << 20;

/// The most elements of an array: each is a value of its own here.
const MOST_ELEMENTS: usize = 1 << 20;

/// A function over a snapshot.
#[derive(Debug)]
pub(super) struct CatalogueFunction {
    definition: Definition,
    snapshot: Arc<Snapshot>,
    signature: Signature,
}

impl CatalogueFunction {
    pub(super) fn new(definition: Definition, snapshot: Arc<Snapshot>) -> Self {
        // Clients mix the types of numbers and leave literals without one; the functions read them as they come.
        let signature = Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], Volatility::Stable);
        Self { definition, snapshot, signature }
    }
}

impl PartialEq for CatalogueFunction {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name && Arc::ptr_eq(&self.snapshot, &other.snapshot)
    }
}

impl Eq for CatalogueFunction {}

impl Hash for CatalogueFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl ScalarUDFImpl for CatalogueFunction {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.definition.returns.arrow().0)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (data_type, pg_type) = self.definition.returns.arrow();
        let field = Field::new(self.name(), data_type, true);
        Ok(Arc::new(match pg_type {
            Some(t) => field.with_metadata(HashMap::from([(PG_TYPE.to_owned(), t.to_owned())])),
            None => field,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|a| a.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let mut answers = Vec::with_capacity(rows);
        let mut bytes = 0_usize;
        for row in 0..rows {
            let arguments = arrays.iter().map(|a| cell(a, row)).collect::<Result<Vec<_>>>()?;
            if self.definition.strict && arguments.contains(&Cell::Null) {
                answers.push(Cell::Null);
                continue;
            }
            let call = Call { snapshot: &self.snapshot, arguments: &arguments, fields: &args.arg_fields };
            let answer = (self.definition.body)(&call).map_err(|e| exec_datafusion_err!("{e}"))?;
            bytes = bytes.saturating_add(size(&answer));
            if bytes > MOST {
                return exec_err!("`{}` made more than {MOST} bytes for one batch of rows", self.definition.name);
            }
            answers.push(answer);
        }
        let array = array(&self.definition.returns.arrow().0, &answers)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

/// What a value takes, about.
fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        Cell::List(cells) => cells.iter().map(size).fold(cells.len(), usize::saturating_add),
        _ => 1,
    }
}

impl Returns {
    /// The Arrow type, and the PostgreSQL type where that does not tell.
    pub(super) fn arrow(self) -> (DataType, Option<&'static str>) {
        let list = |item: DataType| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            Self::Bool => (DataType::Boolean, None),
            Self::Int4 => (DataType::Int32, None),
            Self::Int8 => (DataType::Int64, None),
            Self::Oid => (DataType::UInt32, Some("oid")),
            Self::Name => (DataType::Utf8, Some("name")),
            Self::Text => (DataType::Utf8, None),
            Self::Timestamp => (DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), None),
            Self::Oids => (list(DataType::UInt32), Some("oid[]")),
            Self::Names => (list(DataType::Utf8), Some("name[]")),
            Self::Texts => (list(DataType::Utf8), None),
            Self::Integers => (list(DataType::Int32), None),
            Self::Numbered => (list(DataType::Struct(numbered())), None),
        }
    }
}

/// The fields of a numbered element.
pub(super) fn numbered() -> Fields {
    Fields::from(vec![Field::new("x", DataType::Int64, true), Field::new("n", DataType::Int32, true)])
}

/// The cells as an array; a record is a list of two cells.
fn array(data_type: &DataType, cells: &[Cell]) -> Result<ArrayRef> {
    cells_to_array(data_type, cells).map_err(|e| DataFusionError::External(Box::new(e)))
}

/// A value of an array as a cell; of types that the catalogue does not have, its text.
pub(super) fn cell(array: &ArrayRef, row: usize) -> Result<Cell> {
    if array.is_null(row) {
        return Ok(Cell::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => i64::from(array.as_primitive::<Int8Type>().value(row)).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => i64::from(array.as_primitive::<UInt8Type>().value(row)).into(),
        DataType::UInt16 => i64::from(array.as_primitive::<UInt16Type>().value(row)).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => match i64::try_from(array.as_primitive::<UInt64Type>().value(row)) {
            Ok(number) => number.into(),
            Err(_) => array.as_primitive::<UInt64Type>().value(row).to_string().into(),
        },
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row).into()
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(_, _) => list(&array.as_fixed_size_list().value(row))?,
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().unwrap_or_default();
            cell(dictionary.values(), key)?
        }
        _ => ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?.value(row).to_string().into(),
    })
}

fn list(values: &ArrayRef) -> Result<Cell> {
    if values.len() > MOST_ELEMENTS {
        return exec_err!("an array has {} elements; these functions take at most {MOST_ELEMENTS}", values.len());
    }
    (0..values.len()).map(|i| cell(values, i)).collect::<Result<Vec<_>>>().map(Cell::List)
}
