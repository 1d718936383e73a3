//! What the footer of a file says, read without the rest of it.

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;

use super::Lake;
use super::manifest::DataFile;
use super::models::InputFile;
use crate::error::{Error, Place, Result};

/// Bytes of the end that are asked for first; nearly every footer fits.
const TAIL: u64 = 64 << 10;

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Lake {
    /// The Arrow schema of a file.
    ///
    /// # Errors
    /// A store that fails; a file that is missing or damaged.
    pub async fn stored_schema(&self, file: &DataFile) -> Result<SchemaRef> {
        let metadata = self.footer(file).await?;
        let described = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata());
        Ok(schema.map_err(|e| damaged(file, &e))?.into())
    }

    /// The days that a column of dates or times spans in a file.
    ///
    /// # Errors
    /// As [`Lake::stored_schema`].
    pub async fn input_file(&self, file: &DataFile, column: &str) -> Result<InputFile> {
        let metadata = self.footer(file).await?;
        let described = metadata.file_metadata();
        let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata());
        let schema = schema.map_err(|e| damaged(file, &e))?;
        let (mut days, mut nulls, mut known) = (None::<(i64, i64)>, false, true);
        let index = schema.index_of(column).ok();
        let data_type = index.map(|i| schema.field(i).data_type().clone());
        for group in metadata.row_groups() {
            let leaf = group.columns().iter().find(|c| c.column_path().string() == column);
            let statistics = leaf.and_then(|c| c.statistics());
            let found = statistics.zip(data_type.as_ref()).and_then(|(s, t)| span(s, t));
            let missing = statistics.and_then(Statistics::null_count_opt);
            nulls |= missing.is_none_or(|n| n > 0);
            let all_null = missing.is_some_and(|n| i64::try_from(n) == Ok(group.num_rows()));
            match found {
                Some((first, last)) => {
                    days = Some(days.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
                }
                None => known &= all_null,
            }
        }
        if known && days.is_none() {
            // No row has a time: an empty span.
            days = Some((0, -1));
        }
        Ok(InputFile { path: file.path.clone(), sha256: file.sha256.clone(), days: days.filter(|_| known), nulls })
    }

    async fn footer(&self, file: &DataFile) -> Result<ParquetMetaData> {
        let mut wanted = TAIL.min(file.bytes);
        loop {
            let tail = self.store().tail(&file.path, file.bytes, wanted).await?;
            let mut reader = ParquetMetaDataReader::new();
            match reader.try_parse_sized(&tail, file.bytes) {
                Ok(()) => return reader.finish().map_err(|e| damaged(file, &e)),
                Err(ParquetError::NeedMoreData(more)) if (more as u64) > wanted && wanted < file.bytes => {
                    wanted = (more as u64).min(file.bytes);
                }
                Err(e) => return Err(damaged(file, &e)),
            }
        }
    }
}

fn damaged(file: &DataFile, why: &dyn std::fmt::Display) -> Error {
    Error::data(
        Place::file(&file.path),
        format!("this file of the lake is damaged: {why}; `envoi lake verify` lists what is"),
    )
}

/// First and last day that statistics tell of.
fn span(statistics: &Statistics, data_type: &DataType) -> Option<(i64, i64)> {
    let seconds = |per_second: i64, value: i64| value.div_euclid(per_second).div_euclid(DAY);
    match (statistics, data_type) {
        (Statistics::Int32(s), DataType::Date32) => Some((i64::from(*s.min_opt()?), i64::from(*s.max_opt()?))),
        (Statistics::Int64(s), DataType::Timestamp(unit, _)) => {
            let per_second = match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            Some((seconds(per_second, *s.min_opt()?), seconds(per_second, *s.max_opt()?)))
        }
        (Statistics::Int64(s), DataType::Date64) => {
            Some((seconds(1_000, *s.min_opt()?), seconds(1_000, *s.max_opt()?)))
        }
        _ => None,
    }
}

impl super::Store {
    /// The last bytes of an object of that size.
    pub(super) async fn tail(&self, relative: &str, size: u64, wanted: u64) -> Result<Bytes> {
        use object_store::ObjectStoreExt;
        let range = size.saturating_sub(wanted)..size;
        self.object_store().get_range(&self.path(relative), range).await.map_err(|source| Error::Store {
            what: format!("cannot read `{relative}` of lake `{}`", self.label()),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, RecordBatch};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    #[tokio::test]
    async fn days_come_from_the_footer() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(folder.path().to_str().unwrap()).unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("day", DataType::Date32, true)]));
        let check = async |days: Vec<Option<i32>>, span, nulls| {
            let column = Arc::new(Date32Array::from(days));
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
            let bytes = super::super::encode(&batch, &[]).unwrap();
            let file = lake.stage().put("m", "", 1, bytes, &[]).await.unwrap();
            let found = lake.input_file(&file, "day").await.unwrap();
            assert_eq!((found.days, found.nulls), (span, nulls));
            assert_eq!(lake.stored_schema(&file).await.unwrap(), schema);
            assert_eq!(lake.input_file(&file, "other").await.unwrap().days, None);
        };
        check(vec![Some(3), Some(-7)], Some((-7, 3)), false).await;
        check(vec![Some(3), None], Some((3, 3)), true).await;
        check(vec![None], Some((0, -1)), true).await;
    }
}
