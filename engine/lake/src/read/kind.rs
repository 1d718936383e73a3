//! What a file is, by its bytes. Names lie: publishers serve HTML as `.xls`.

use std::fmt;

/// What the bytes are. The extension is never looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// No bytes, or only a byte-order mark and blanks.
    Empty,
    /// Text with or without delimiters, in any encoding [`crate::read::read_csv`] knows.
    Csv,
    /// Excel workbook of 2007 or later (a zip of XML).
    Xlsx,
    /// Binary Excel workbook (`.xlsb`), which is not read.
    Xlsb,
    /// OpenDocument file, which is not read.
    Ods,
    /// Excel workbook of 97 to 2003 (BIFF in a compound file).
    Xls,
    /// A zip archive that is no workbook.
    Zip,
    /// Gzip-compressed bytes.
    Gzip,
    /// A web page, or a table of one.
    Html,
    /// XML that is no web page, Excel 2003 XML included.
    Xml,
    /// JSON.
    Json,
    /// A compound file that is no plain `.xls`: encrypted, or a very old or other Office document.
    EncryptedOffice,
    /// PDF.
    Pdf,
    /// Parquet.
    Parquet,
    /// Arrow IPC file.
    Arrow,
    /// Stata data set.
    Stata,
    /// Another compression or archive: 7z, rar, xz, bzip2, zstd.
    OtherArchive,
    /// None of these.
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Csv => "delimited text",
            Self::Xlsx => "an Excel workbook (xlsx)",
            Self::Xlsb => "a binary Excel workbook (xlsb)",
            Self::Ods => "an OpenDocument file",
            Self::Xls => "an Excel 97-2003 workbook (xls)",
            Self::Zip => "a zip archive",
            Self::Gzip => "gzip-compressed",
            Self::Html => "an HTML page",
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::EncryptedOffice => "an encrypted or old .xls, or another Office document",
            Self::Pdf => "a PDF",
            Self::Parquet => "Parquet",
            Self::Arrow => "an Arrow IPC file",
            Self::Stata => "a Stata data set",
            Self::OtherArchive => "an archive other than zip and gzip",
            Self::Unknown => "binary data of no known kind",
        })
    }
}

/// Finds out what `bytes` are from magic numbers and content. Text is judged by
/// its first 64 KiB, archives by their directory.
pub fn kind_of(bytes: &[u8]) -> Kind {
    const MAGIC: [(&[u8], Kind); 17] = [
        (b"%PDF", Kind::Pdf),
        (b"PAR1", Kind::Parquet),
        (b"PARE", Kind::Parquet),
        (b"ARROW1", Kind::Arrow),
        (b"<stata_dta>", Kind::Stata),
        (b"\x1f\x8b", Kind::Gzip),
        (b"7z\xbc\xaf\x27\x1c", Kind::OtherArchive),
        (b"Rar!\x1a\x07", Kind::OtherArchive),
        (b"\xfd7zXZ\x00", Kind::OtherArchive),
        (b"BZh91AY&SY", Kind::OtherArchive),
        (b"\x28\xb5\x2f\xfd", Kind::OtherArchive),
        // Stata 8 to 12: version, byte order, file type.
        (b"\x71\x01\x01\x00", Kind::Stata),
        (b"\x71\x02\x01\x00", Kind::Stata),
        (b"\x72\x01\x01\x00", Kind::Stata),
        (b"\x72\x02\x01\x00", Kind::Stata),
        (b"\x73\x01\x01\x00", Kind::Stata),
        (b"\x73\x02\x01\x00", Kind::Stata),
    ];
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return *kind;
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return compound_file(bytes);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") || bytes.starts_with(b"PK\x07\x08") {
        return zip_file(bytes);
    }
    text(bytes)
}

const WINDOW: usize = 64 << 10;

fn zip_file(bytes: &[u8]) -> Kind {
    // The central directory is exact: a zip may hold a whole workbook, names and all.
    let names: Vec<Vec<u8>> = match zip::ZipArchive::new(std::io::Cursor::new(bytes)) {
        Ok(archive) => archive.file_names_raw().map(<[u8]>::to_vec).collect(),
        Err(_) => vec![bytes[..bytes.len().min(WINDOW)].to_vec()],
    };
    let has = |name: &[u8]| names.iter().any(|n| contains(n, name));
    if has(b"xl/workbook.bin") {
        Kind::Xlsb
    } else if has(b"xl/workbook.xml") || has(b"xl/worksheets/") || has(b"[Content_Types].xml") {
        Kind::Xlsx
    } else if contains(&bytes[..bytes.len().min(256)], b"mimetypeapplication/vnd.oasis.opendocument") {
        Kind::Ods
    } else {
        Kind::Zip
    }
}

/// Stream names of a compound file are UTF-16 in its directory, wherever that lies.
fn compound_file(bytes: &[u8]) -> Kind {
    let utf16 = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let has = |name: &str| contains(bytes, &utf16(name));
    if !has("EncryptedPackage") && (has("Workbook\0") || has("Book\0")) { Kind::Xls } else { Kind::EncryptedOffice }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else {
        return true;
    };
    haystack
        .iter()
        .enumerate()
        .any(|(i, &b)| b == first && haystack.get(i + 1..i + 1 + rest.len()).is_some_and(|s| s == rest))
}

fn text(bytes: &[u8]) -> Kind {
    let head = &bytes[..bytes.len().min(WINDOW)];
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || super::decode::looks_utf16(head).is_some() {
        return if bytes.len() <= 2 { Kind::Empty } else { Kind::Csv };
    }
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let body = body.trim_ascii_start();
    if body.is_empty() {
        return if bytes.len() > WINDOW { Kind::Csv } else { Kind::Empty };
    }
    // NUL and ESC turn up in single cells of real exports; a third of a file does not.
    let odd = body.iter().filter(|&&b| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) || b == 0x7f);
    if odd.count() * 3 > body.len() {
        return Kind::Unknown;
    }
    let lower: Vec<u8> = body.iter().take(512).map(u8::to_ascii_lowercase).collect();
    let starts = |tag: &str| lower.starts_with(tag.as_bytes());
    if ["<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style", "<script"].iter().any(|t| starts(t)) {
        return Kind::Html;
    }
    if starts("<?xml") || starts("<!--") || starts("<!doctype") {
        return if contains(&lower, b"<html") || contains(&lower, b"<table") { Kind::Html } else { Kind::Xml };
    }
    if starts("<") && contains(&lower, b"xmlns") {
        return Kind::Xml;
    }
    let json = |open: u8, next: &[u8]| {
        body.first() == Some(&open) && body[1..].trim_ascii_start().first().is_some_and(|b| next.contains(b))
    };
    if json(b'{', b"\"}") || json(b'[', b"{[") {
        return Kind::Json;
    }
    Kind::Csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let cases: [(&[u8], Kind); 16] = [
            (b"", Kind::Empty),
            (b"\xef\xbb\xbf \r\n", Kind::Empty),
            (b"a,b\n1,2\n", Kind::Csv),
            (b"a,b\n1,\x00\n\x00\x00,4\n", Kind::Csv),
            (b"\xff\xfea\x00", Kind::Csv),
            (b"<html><table>", Kind::Html),
            (b" \n<!DOCTYPE HTML PUBLIC", Kind::Html),
            (b"<?xml version='1.0'?><Workbook>", Kind::Xml),
            (b"{\"a\": 1}", Kind::Json),
            (b"[345],2\n", Kind::Csv),
            (b"%PDF-1.4", Kind::Pdf),
            (b"PAR1....", Kind::Parquet),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"PK\x03\x04....xl/worksheets/sheet1.xml", Kind::Xlsx),
            (b"PK\x03\x04....data.csv", Kind::Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0", Kind::EncryptedOffice),
        ];
        for (bytes, kind) in cases {
            assert_eq!(kind_of(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
