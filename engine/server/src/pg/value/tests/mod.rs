//! What is written and read, against what PostgreSQL 15 writes and reads.

mod columns;
mod copy;
mod decode;
mod round_trip;
mod text;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use super::{Format, RowEncoder, Style};
use crate::pg::error::Result;

/// A field that says which PostgreSQL type it is.
fn field(array: &ArrayRef, pg_type: Option<&str>) -> Field {
    let field = Field::new("c", array.data_type().clone(), true);
    match pg_type {
        None => field,
        Some(name) => field.with_metadata([("pg.type".to_owned(), name.to_owned())].into()),
    }
}

/// The values of a column as `DataRow` messages carry them.
fn values(array: &ArrayRef, pg_type: Option<&str>, format: Format, style: &Style) -> Result<Vec<Option<Vec<u8>>>> {
    let schema = Arc::new(Schema::new(vec![field(array, pg_type)]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(array)]).unwrap();
    let mut out = BytesMut::new();
    RowEncoder::new(&schema, &[format], style)?.rows(&batch, 0..array.len(), &mut out)?;
    let mut rest = &out[..];
    let mut values = Vec::new();
    while let Some((b'D', after)) = rest.split_first() {
        let length = u32::from_be_bytes(after[..4].try_into().unwrap()) as usize;
        assert_eq!(after[4..6], [0, 1]);
        let size = i32::from_be_bytes(after[6..10].try_into().unwrap());
        values.push((size >= 0).then(|| after[10..length].to_vec()));
        assert_eq!(length, 10 + size.max(0) as usize);
        rest = &after[length..];
    }
    assert!(rest.is_empty());
    assert_eq!(values.len(), array.len());
    Ok(values)
}

/// The values of a column as text, null as `<null>`.
fn texts(array: &ArrayRef, pg_type: Option<&str>, style: &Style) -> Vec<String> {
    let values = values(array, pg_type, Format::Text, style).unwrap();
    values.into_iter().map(|value| value.map_or("<null>".into(), |value| String::from_utf8(value).unwrap())).collect()
}

/// The values of a column in binary, in hexadecimal.
fn hexes(array: &ArrayRef, pg_type: Option<&str>) -> Vec<String> {
    let values = values(array, pg_type, Format::Binary, &Style::default()).unwrap();
    values.into_iter().map(|value| value.map_or("<null>".into(), |value| hex(&value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
