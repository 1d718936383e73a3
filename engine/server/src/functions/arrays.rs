//! Arrays: their bounds and elements, by PostgreSQL's numbers.
//!
//! Arrays count from 1, `int2vector` and `oidvector` from 0; which of them a list is, its field's metadata tells.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::call::{Answer, Call, Definition, Returns};
use super::udf::cell;
use crate::catalogue::{Cell, PG_TYPE};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("array_upper", Returns::Int4, upper),
    Definition::strict("array_lower", Returns::Int4, lower),
    Definition::strict("envoi_subscripts", Returns::Integers, subscripts),
    Definition::strict("envoi_numbers", Returns::Integers, numbers),
    Definition::strict("envoi_expandarray", Returns::Numbered, expanded),
];

/// Functions whose type is that of their arguments.
pub(super) fn polymorphic() -> Vec<Arc<ScalarUDF>> {
    let signature = Signature::any(2, Volatility::Immutable);
    vec![Arc::new(ScalarUDF::from(Element { signature }))]
}

fn base(pg_type: Option<&str>) -> i64 {
    i64::from(!matches!(pg_type, Some("int2vector" | "oidvector")))
}

fn length(call: &Call<'_>) -> Option<i64> {
    // Only the first dimension is known.
    let first = call.count() < 2 || call.number(1) == Some(1);
    call.list(0).filter(|l| first && !l.is_empty()).and_then(|l| i64::try_from(l.len()).ok())
}

fn upper(call: &Call<'_>) -> Answer {
    Ok(length(call).map(|l| l + base(call.pg_type(0)) - 1).into())
}

fn lower(call: &Call<'_>) -> Answer {
    Ok(length(call).map(|_| base(call.pg_type(0))).into())
}

/// `generate_subscripts(array, 1)` as an array.
fn subscripts(call: &Call<'_>) -> Answer {
    let base = base(call.pg_type(0));
    Ok((0..length(call).unwrap_or(0)).map(|i| i + base).collect::<Vec<_>>().into())
}

/// The numbers of the elements from 1, as an array.
fn numbers(call: &Call<'_>) -> Answer {
    Ok((1..=length(call).unwrap_or(0)).collect::<Vec<_>>().into())
}

/// `information_schema._pg_expandarray(array)` as an array of records.
fn expanded(call: &Call<'_>) -> Answer {
    let list = call.list(0).unwrap_or_default();
    Ok(Cell::List((1_i64..).zip(list).map(|(n, x)| Cell::List(vec![x.clone(), n.into()])).collect()))
}

/// `array[number]`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Element {
    signature: Signature,
}

impl ScalarUDFImpl for Element {
    fn name(&self) -> &str {
        "envoi_element"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types.first() {
            Some(DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) => {
                Ok(item.data_type().clone())
            }
            Some(DataType::Null) => Ok(DataType::Null),
            Some(other) => plan_err!("cannot subscript type {other} because it is no array"),
            None => plan_err!("`envoi_element` takes an array and a number"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        let field = Field::new(self.name(), self.return_type(&types)?, true);
        let array = args.arg_fields.first().and_then(|f| f.metadata().get(PG_TYPE));
        let element = array.and_then(|a| match a.as_str() {
            "oidvector" => Some("oid"),
            other => other.strip_suffix("[]"),
        });
        Ok(Arc::new(match element {
            Some(e) => field.with_metadata([(PG_TYPE.to_owned(), e.to_owned())].into()),
            None => field,
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let pg_type = args.arg_fields.first().and_then(|f| f.metadata().get(PG_TYPE)).map(String::as_str);
        let base = base(pg_type);
        let arrays = args.args.iter().map(|a| a.to_array(args.number_rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let (Some(lists), Some(numbers)) = (arrays.first(), arrays.get(1)) else {
            return exec_err!("`envoi_element` takes an array and a number");
        };
        let lists = match lists.data_type() {
            DataType::List(_) => Arc::clone(lists),
            DataType::Null => return Ok(ColumnarValue::Array(new_null_array(&DataType::Null, args.number_rows))),
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                arrow::compute::cast(lists, &DataType::List(Arc::clone(item)))?
            }
            other => return exec_err!("cannot subscript type {other} because it is no array"),
        };
        let lists = lists.as_list::<i32>();
        let mut places = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let number = match cell(numbers, row)? {
                Cell::Int(i) => Some(i),
                Cell::Text(t) => t.parse().ok(),
                _ => None,
            };
            let start = i64::from(lists.value_offsets().get(row).copied().unwrap_or_default());
            let within = number
                .and_then(|n| n.checked_sub(base))
                .filter(|n| (0..i64::from(lists.value_length(row))).contains(n));
            let place = within.filter(|_| !lists.is_null(row)).and_then(|n| u32::try_from(start + n).ok());
            places.push(place);
        }
        Ok(ColumnarValue::Array(take(lists.values(), &UInt32Array::from(places), None)?))
    }
}
