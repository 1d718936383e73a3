//! What a Parquet or Arrow file says of itself, checked against its size before a
//! reader believes it.
//!
//! The readers allocate and seek as a footer tells them: a damaged length ends in a
//! panic, in gigabytes, or in an allocation that ends the process. Every length and
//! offset in the metadata is therefore compared with the file first, and what the
//! readers still stumble over is the file's error, with its name, and not ours.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::ipc::{Block, convert::fb_to_schema, root_as_footer, root_as_message};
use datafusion::common::DataFusionError;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader};
use datafusion::physical_plan::ExecutionPlan;

use crate::error::{Class, Error, Result};

/// Refuses a Parquet file whose footer points outside of it.
///
/// # Errors
/// A data error naming the file, where it is damaged, encrypted or no Parquet file.
pub(super) fn check_parquet(path: &Path) -> Result<()> {
    const TAIL: u64 = 8;
    let (mut file, size) = open(path)?;
    let bad = |what: &str| damaged(path, what);
    if size < TAIL + 4 {
        return Err(bad("it is too short to be Parquet"));
    }
    let mut tail = [0u8; TAIL as usize];
    read_at(path, &mut file, size - TAIL, &mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    match &magic {
        b"PAR1" => {}
        b"PARE" => return Err(bad("it is encrypted; envoi reads plain Parquet")),
        _ => return Err(bad("it does not end as Parquet does; it is cut short or of another kind")),
    }
    if u64::from(u32::from_le_bytes([a, b, c, d])) > size - TAIL - 4 {
        return Err(bad("its footer is said to be larger than the file"));
    }
    let metadata = unpanicked(path, || ParquetMetaDataReader::new().parse_and_finish(&file))?
        .map_err(|e| bad(&format!("its footer cannot be read ({})", one_line(&e.to_string()))))?;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        if group.num_rows() < 0 || group.columns().iter().any(|column| !within(column, size)) {
            return Err(bad(&format!("row group {} is said to lie outside of the file", number + 1)));
        }
    }
    Ok(())
}

/// True if all that the column names lies in the file.
fn within(column: &ColumnChunkMetaData, size: u64) -> bool {
    let inside = |offset: i64, length: i64| {
        let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else { return false };
        offset.checked_add(length).is_some_and(|end| end <= size)
    };
    let start = column.dictionary_page_offset().map_or(column.data_page_offset(), |d| d.min(column.data_page_offset()));
    let index = |offset: Option<i64>, length: Option<i32>| match (offset, length) {
        (Some(offset), Some(length)) => inside(offset, length.into()),
        _ => true,
    };
    inside(start, column.compressed_size())
        && inside(column.data_page_offset(), 0)
        && column.num_values() >= 0
        && column.uncompressed_size() >= 0
        && index(column.column_index_offset(), column.column_index_length())
        && index(column.offset_index_offset(), column.offset_index_length())
}

/// Refuses an Arrow IPC file or stream whose messages reach beyond its end.
///
/// # Errors
/// A data error naming the file, where it is damaged or neither of the two.
pub(super) fn check_arrow(path: &Path) -> Result<()> {
    const MAGIC: &[u8; 6] = b"ARROW1";
    let (mut file, size) = open(path)?;
    let mut start = [0u8; 6];
    if size < 8 {
        return Err(damaged(path, "it is too short to be Arrow IPC"));
    }
    read_at(path, &mut file, 0, &mut start)?;
    if &start == MAGIC { check_file(path, &mut file, size) } else { check_stream(path, &mut file, size) }
}

fn check_file(path: &Path, file: &mut File, size: u64) -> Result<()> {
    const TAIL: u64 = 10;
    let bad = |what: &str| damaged(path, what);
    let mut tail = [0u8; TAIL as usize];
    if size < TAIL + 8 {
        return Err(bad("it is cut short"));
    }
    read_at(path, file, size - TAIL, &mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if &magic != b"ARROW1" {
        return Err(bad("it does not end as an Arrow file does; it is cut short"));
    }
    let length = u64::try_from(i32::from_le_bytes([a, b, c, d])).unwrap_or(u64::MAX);
    if length > size - TAIL - 8 {
        return Err(bad("its footer is said to be larger than the file"));
    }
    let footer = bytes_at(path, file, size - TAIL - length, length)?;
    let footer = root_as_footer(&footer).map_err(|e| bad(&format!("its footer cannot be read ({})", brief(&e))))?;
    let schema = footer.schema().ok_or_else(|| bad("it has no schema"))?;
    unpanicked(path, || fb_to_schema(schema))?;
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
    for block in blocks {
        check_block(path, file, size, block)?;
    }
    Ok(())
}

fn check_block(path: &Path, file: &mut File, size: u64, block: &Block) -> Result<()> {
    let whole = |n: i64| u64::try_from(n).ok();
    let lengths = (whole(block.offset()), whole(block.metaDataLength().into()), whole(block.bodyLength()));
    let (Some(offset), Some(metadata), Some(body)) = lengths else {
        return Err(damaged(path, "a block has a negative length"));
    };
    let end = offset.checked_add(metadata).and_then(|e| e.checked_add(body));
    if end.is_none_or(|end| end > size) {
        return Err(damaged(path, "a block is said to lie outside of the file"));
    }
    let bytes = bytes_at(path, file, offset, metadata)?;
    // A marker and a length, or in old files a length alone, come before the message.
    let skipped = if bytes.starts_with(&[0xff; 4]) { 8 } else { 4 };
    check_message(path, file, bytes.get(skipped..).unwrap_or_default(), (offset + metadata, Some(body))).map(|_| ())
}

fn check_stream(path: &Path, file: &mut File, size: u64) -> Result<()> {
    let mut at = 0u64;
    let mut first = true;
    while at + 4 <= size {
        let mut word = [0u8; 4];
        read_at(path, file, at, &mut word)?;
        at += 4;
        if word == [0xff; 4] {
            if at + 4 > size {
                break;
            }
            read_at(path, file, at, &mut word)?;
            at += 4;
        }
        let length = u64::try_from(i32::from_le_bytes(word)).unwrap_or(u64::MAX);
        if length == 0 {
            break;
        }
        if length > size - at {
            let what = "it is neither an Arrow IPC file nor a stream";
            return Err(damaged(path, if first { what } else { "a message is said to be longer than the file" }));
        }
        let message = bytes_at(path, file, at, length)?;
        let body = check_message(path, file, &message, (at + length, None))?;
        at += length;
        if body > size - at {
            return Err(damaged(path, "a message is said to be longer than the file"));
        }
        at += body;
        first = false;
    }
    if first { Err(damaged(path, "it is neither an Arrow IPC file nor a stream")) } else { Ok(()) }
}

/// Rows of one batch; no writer makes larger ones.
const LONGEST: i64 = 1 << 31;
/// Bytes that one packed buffer may have.
const UNPACKED: i64 = 1 << 30;

/// Checks a message's buffers against its body, which begins at `start`; its length is
/// returned, and given where something else than the message says it too.
fn check_message(path: &Path, file: &mut File, bytes: &[u8], (start, body): (u64, Option<u64>)) -> Result<u64> {
    let bad = |what: &str| damaged(path, what);
    let message = root_as_message(bytes).map_err(|e| bad(&format!("a message cannot be read ({})", brief(&e))))?;
    let said = u64::try_from(message.bodyLength()).map_err(|_| bad("a message has a negative length"))?;
    let body = body.unwrap_or(said);
    if let Some(schema) = message.header_as_schema() {
        unpanicked(path, || fb_to_schema(schema))?;
    }
    let batch =
        message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch().and_then(|d| d.data()));
    if let Some(batch) = batch {
        // Readers allocate a bit for every row that is said to be there.
        let sound = |rows: i64| (0..=LONGEST).contains(&rows);
        let mut nodes = batch.nodes().into_iter().flatten();
        if !sound(batch.length()) || nodes.any(|n| !sound(n.length()) || !sound(n.null_count())) {
            return Err(bad("a column is said to have an impossible number of rows"));
        }
        for buffer in batch.buffers().iter().flat_map(|b| b.iter()) {
            let range = u64::try_from(buffer.offset()).ok().zip(u64::try_from(buffer.length()).ok());
            let Some((offset, length)) = range.filter(|(o, l)| o.checked_add(*l).is_some_and(|end| end <= body)) else {
                return Err(bad("a buffer is said to lie outside of its message"));
            };
            if batch.compression().is_some() && length >= 8 {
                // Readers allocate what a packed buffer says it unpacks to; -1 is a buffer that is not packed.
                let mut unpacked = [0u8; 8];
                read_at(path, file, start.saturating_add(offset), &mut unpacked)?;
                if !(-1..=UNPACKED).contains(&i64::from_le_bytes(unpacked)) {
                    return Err(bad("a buffer is said to unpack to more than 1 GiB"));
                }
            }
        }
    }
    Ok(said)
}

/// A data error about a file.
pub(crate) fn damaged(path: &Path, what: &str) -> Error {
    Error::new(Class::Data, format!("`{}` cannot be read: {what}", path.display()))
        .with_hint("fetch it again, or read another copy")
}

/// The files of this machine that a plan reads, beside the lake's.
pub(crate) fn files_of(plan: &Arc<dyn ExecutionPlan>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = plan.children().into_iter().flat_map(files_of).collect();
    let source = plan.downcast_ref::<DataSourceExec>().map(|s| s.data_source());
    if let Some(scan) = source.and_then(|s| s.downcast_ref::<FileScanConfig>())
        && scan.object_store_url.as_str().starts_with("file:")
    {
        let read = scan.file_groups.iter().flat_map(|g| g.files());
        files.extend(read.map(|f| Path::new("/").join(f.object_meta.location.as_ref())));
        files.dedup();
    }
    files
}

/// The error that a query over `files` ended with, as theirs if a reader made it.
pub(crate) fn of_files(files: &[PathBuf], error: &DataFusionError, sql: &str) -> Error {
    let translated = Error::from_datafusion(error, sql);
    let reader = matches!(
        error.find_root(),
        DataFusionError::ParquetError(_)
            | DataFusionError::ArrowError(_, _)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::ExecutionJoin(_)
            | DataFusionError::Internal(_)
    );
    match files {
        [file] if reader && !is_computation(error) => damaged(file, translated.message()),
        _ => translated,
    }
}

/// True for what a query does wrong with sound values.
fn is_computation(error: &DataFusionError) -> bool {
    use datafusion::arrow::error::ArrowError;
    let DataFusionError::ArrowError(error, _) = error.find_root() else { return false };
    matches!(
        **error,
        ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::CastError(_)
            | ArrowError::ComputeError(_)
            | ArrowError::MemoryError(_)
    )
}

/// Runs a reader; where it panics the file is damaged.
fn unpanicked<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| damaged(path, "its metadata makes no sense"))
}

fn brief(error: &impl std::fmt::Display) -> String {
    one_line(&error.to_string())
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn open(path: &Path) -> Result<(File, u64)> {
    let failed = |e| Error::user(format!("cannot read `{}`: {e}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((file, size))
}

fn read_at(path: &Path, file: &mut File, offset: u64, into: &mut [u8]) -> Result<()> {
    let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(into));
    read.map_err(|e| Error::user(format!("cannot read `{}`: {e}", path.display())))
}

/// Bytes of the file; the caller has checked that they are in it.
fn bytes_at(path: &Path, file: &mut File, offset: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0u8; usize::try_from(length).map_err(|_| damaged(path, "a length is too large"))?];
    read_at(path, file, offset, &mut bytes)?;
    Ok(bytes)
}
