//! Whether bytes are what they should be: publishers' errors come as pages with status 200.

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::Path;

use serde::Deserialize;

use crate::error::Printable;

/// What a file must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// A zip archive.
    Zip,
    /// A workbook: XLSX, or XLS of older programs.
    Workbook,
    /// A JSON document.
    Json,
    /// Delimited text.
    Csv,
}

/// Bytes that are looked at before anything is kept.
pub(super) const HEAD: usize = 1024;

impl Holds {
    /// Words for messages.
    fn words(self) -> &'static str {
        match self {
            Self::Zip => "a zip archive",
            Self::Workbook => "a workbook",
            Self::Json => "JSON",
            Self::Csv => "delimited text",
        }
    }

    /// Looks at the first bytes, before the rest is waited for.
    pub(super) fn check_head(self, head: &[u8]) -> Result<(), String> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let sound = match self {
            Self::Zip => head.starts_with(b"PK"),
            Self::Workbook => head.starts_with(b"PK") || head.starts_with(b"\xd0\xcf\x11\xe0"),
            Self::Json => matches!(text.first(), Some(b'[' | b'{')),
            Self::Csv => {
                !matches!(text.first(), None | Some(b'<' | b'{')) && !head.contains(&0) && !head.starts_with(b"PK")
            }
        };
        if sound {
            return Ok(());
        }
        Err(format!("the publisher answered with {} instead of {}", found(head, text), self.words()))
    }

    /// Looks at a file's first bytes.
    pub(super) fn check_file(self, path: &Path) -> std::io::Result<Result<(), String>> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
        Ok(self.check_head(&head))
    }

    /// Looks at the end, for an answer whose length nobody said.
    pub(super) fn is_whole(self, path: &Path) -> std::io::Result<bool> {
        let file = File::open(path)?;
        Ok(match self {
            Self::Zip => zip::ZipArchive::new(BufReader::new(file)).is_ok(),
            Self::Workbook => {
                let mut head = [0; 2];
                (&file).read_exact(&mut head)?;
                &head != b"PK" || zip::ZipArchive::new(BufReader::new(file)).is_ok()
            }
            Self::Json => {
                serde_json::from_reader::<_, serde::de::IgnoredAny>(Unmarked::new(BufReader::new(file))?).is_ok()
            }
            // What the importer looks for: a whole last line.
            Self::Csv => true,
        })
    }
}

/// What the bytes look like.
fn found(head: &[u8], text: &[u8]) -> String {
    let lower = String::from_utf8_lossy(text).to_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        let title = lower.find("<title>").map(|at| at + "<title>".len()).and_then(|from| {
            let all = String::from_utf8_lossy(text);
            // Lower case of some letters is longer, so the place may lie within a character.
            let rest = all.get(from..)?;
            Some(rest.split("</").next().unwrap_or(rest).trim().to_owned())
        });
        return match title.filter(|t| !t.is_empty()) {
            Some(title) => format!("an HTML page (`{}`)", Printable(&title)),
            None => "an HTML page".to_owned(),
        };
    }
    match head {
        [] => "nothing".to_owned(),
        [b'P', b'K', ..] => "a zip archive".to_owned(),
        [0x1f, 0x8b, ..] => "a gzip file".to_owned(),
        _ if lower.starts_with('<') => "XML".to_owned(),
        _ if lower.starts_with(['{', '[']) => format!("JSON (`{}`)", Printable(lower.trim_end())),
        _ => format!("something else (`{}`)", Printable(lower.trim_end())),
    }
}

/// A reader of JSON that passes over a byte-order mark.
pub(super) struct Unmarked<R>(Chain<Cursor<Vec<u8>>, R>);

impl<R: Read> Unmarked<R> {
    pub(super) fn new(mut inner: R) -> std::io::Result<Self> {
        let mut head = Vec::new();
        (&mut inner).take(3).read_to_end(&mut head)?;
        if head == b"\xef\xbb\xbf" {
            head.clear();
        }
        Ok(Self(Cursor::new(head).chain(inner)))
    }
}

impl<R: Read> Read for Unmarked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(holds: Holds, head: &str, words: &str) {
        let said = holds.check_head(head.as_bytes()).unwrap_err();
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn pages_and_errors_are_told_apart_from_data() {
        check(Holds::Zip, "<!DOCTYPE html><html><title>Access Denied</title>", "an HTML page (`Access Denied`)");
        check(Holds::Workbook, "\n\n<HTML>", "an HTML page instead of a workbook");
        check(Holds::Zip, "[{\"message\":[]}]", "JSON (`[{\"message\"");
        check(Holds::Csv, "<?xml version='1.0'?>", "XML");
        check(Holds::Csv, "{\"error\":1}", "JSON");
        check(Holds::Json, "", "nothing");
        check(Holds::Csv, "", "nothing");
        check(Holds::Json, "\u{feff}NoRecordsFound", "something else");
        check(Holds::Zip, "<html><title>\u{130}\u{130}\u{1b}[31m</title>", "an HTML page");
        assert_eq!(Holds::Csv.check_head(b"\xef\xbb\xbfA,B\n"), Ok(()));
        assert_eq!(Holds::Json.check_head(b"\xef\xbb\xbf [1]"), Ok(()));
        assert_eq!(Holds::Workbook.check_head(b"PK\x03\x04"), Ok(()));
    }
}
