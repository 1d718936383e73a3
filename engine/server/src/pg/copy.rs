//! `COPY … TO STDOUT`.

use arrow::datatypes::SchemaRef;
use bytes::BytesMut;

use super::connection::Connection;
use super::error::{FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, PgError, Result, SYNTAX_ERROR};
use super::interrupts::Interrupts;
use super::rows::Rows;
use super::settings::boolean;
use super::sqlstate::of_engine;
use super::value::{CopyEncoder, CopyFormat, CopyOptions, ForceQuote};
use super::wire::backend;

/// Rows that are encoded before it is looked whether to send.
const CHUNK: usize = 2048;

impl Connection {
    /// Sends rows as a copy.
    pub(super) async fn copy_out(
        &mut self,
        mut rows: Rows,
        options: &[(String, Option<String>)],
        interrupts: &Interrupts,
    ) -> Result<()> {
        let options = self::options(options, &rows.schema)?;
        let binary = matches!(options.format, CopyFormat::Binary);
        let encoder = CopyEncoder::new(&rows.schema, options, &self.style())?;
        let code = i16::from(binary);
        let formats = vec![code; rows.schema.fields().len()];
        backend::copy_out(&mut self.out, i8::from(binary), &formats)?;
        let begin = self.out.len();
        encoder.begin(&mut self.out)?;
        // In binary the signature goes with the first row, or with the end: clients look for both in one message.
        let mut signature = binary.then_some(begin);
        loop {
            let next = interrupts.guard(async { rows.next(CHUNK).await.map_err(|e| of_engine(&e, "", "")) }).await?;
            let Some((batch, range)) = next else { break };
            encoder.rows(&batch, range, &mut self.out)?;
            if let Some(at) = signature.take() {
                join(&mut self.out, at);
            }
            interrupts.guard(self.flush_full()).await?;
        }
        encoder.end(&mut self.out)?;
        if let Some(at) = signature {
            join(&mut self.out, at);
        }
        backend::copy_done(&mut self.out);
        backend::command_complete(&mut self.out, &format!("COPY {}", rows.taken));
        Ok(())
    }
}

/// Makes one message of the one at `at` and the next.
fn join(out: &mut BytesMut, at: usize) {
    let mut rest = out.split_off(at);
    let length = |bytes: &[u8]| -> Option<usize> {
        let length = bytes.get(1..5)?.first_chunk::<4>()?;
        usize::try_from(i32::from_be_bytes(*length)).ok()
    };
    if let Some(first) = length(&rest)
        && let Some(second) = rest.get(first + 1..).and_then(length)
        && let Ok(both) = i32::try_from(first + second - 4)
    {
        let next = rest.split_off(first + 1);
        if let Some(slot) = rest.get_mut(1..5) {
            slot.copy_from_slice(&both.to_be_bytes());
        }
        rest.extend_from_slice(next.get(5..).unwrap_or_default());
    }
    out.unsplit(rest);
}

/// Options as they were written.
fn options(given: &[(String, Option<String>)], schema: &SchemaRef) -> Result<CopyOptions> {
    let format = given.iter().find(|(name, _)| name == "format").and_then(|(_, value)| value.as_deref());
    let format = match format.unwrap_or("text") {
        "text" => CopyFormat::Text,
        "csv" => CopyFormat::Csv,
        "binary" => CopyFormat::Binary,
        other => {
            return Err(PgError::new(INVALID_PARAMETER_VALUE, format!("COPY format \"{other}\" not recognized"))
                .with_hint("text, csv and binary are"));
        }
    };
    let csv = matches!(format, CopyFormat::Csv);
    let mut all = CopyOptions::new(format);
    for (name, value) in given {
        let text = || value.clone().ok_or_else(|| PgError::new(SYNTAX_ERROR, format!("{name} requires a parameter")));
        let byte = || -> Result<u8> {
            let text = text()?;
            match text.as_bytes() {
                [one] if *one != b'\r' && *one != b'\n' => Ok(*one),
                _ => Err(PgError::new(
                    INVALID_PARAMETER_VALUE,
                    format!("COPY {name} must be a single one-byte character"),
                )),
            }
        };
        let csv_only = || match csv {
            true => Ok(()),
            false => Err(PgError::new(FEATURE_NOT_SUPPORTED, format!("COPY {name} available only in CSV mode"))),
        };
        match name.as_str() {
            "format" => {}
            "header" => {
                all.header = match value.as_deref() {
                    None => true,
                    Some(text) => boolean(text).ok_or_else(|| {
                        PgError::new(INVALID_PARAMETER_VALUE, "header requires a Boolean value or \"match\"")
                    })?,
                }
            }
            "delimiter" => all.delimiter = byte()?,
            "null" => all.null = text()?,
            "quote" => {
                csv_only()?;
                all.quote = byte()?;
            }
            "escape" => {
                csv_only()?;
                all.escape = byte()?;
            }
            "force_quote" => {
                csv_only()?;
                let text = text()?;
                let place = |column: &str| {
                    let name = column.trim().trim_matches('"');
                    let missing = |_| PgError::new("42703", format!("column \"{name}\" does not exist"));
                    schema.index_of(name).map_err(missing)
                };
                all.force_quote = match text.as_str() {
                    "*" => ForceQuote::All,
                    list => ForceQuote::Columns(list.split(',').map(place).collect::<Result<_>>()?),
                };
            }
            "encoding" => {
                let text = text()?;
                if !["utf8", "utf-8", "unicode"].contains(&text.to_lowercase().as_str()) {
                    return Err(PgError::new(
                        INVALID_PARAMETER_VALUE,
                        format!("argument to option \"encoding\" must be UTF8, not {text}"),
                    ));
                }
            }
            "oids" | "freeze" => {}
            _ => return Err(PgError::new(SYNTAX_ERROR, format!("option \"{name}\" not recognized"))),
        }
    }
    if matches!(all.format, CopyFormat::Binary)
        && given.iter().any(|(n, _)| ["delimiter", "null", "header"].contains(&n.as_str()))
    {
        return Err(PgError::new(SYNTAX_ERROR, "cannot specify DELIMITER, NULL or HEADER in BINARY mode"));
    }
    Ok(all)
}
