//! Bytes to text: byte-order marks, UTF-16, UTF-8 and the Windows code page of the West.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Text, and how it was found in the bytes.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) encoding: &'static str,
    /// Lines (from 1) of a mostly UTF-8 file that are not UTF-8 and were read as windows-1252.
    pub(super) odd_lines: Vec<u64>,
    /// Characters that could not be decoded and became U+FFFD (unpaired UTF-16 surrogates).
    pub(super) replaced: usize,
}

/// UTF-16 without a byte-order mark: Latin text has a NUL in every other byte.
pub(super) fn looks_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    if head.len() < 8 {
        return None;
    }
    let nuls = |odd: usize| head.iter().skip(odd).step_by(2).filter(|&&b| b == 0).count();
    let (even, odd, half) = (nuls(0), nuls(1), head.len() / 2);
    match () {
        () if odd * 10 > half * 6 && even * 20 < half => Some(UTF_16LE),
        () if even * 10 > half * 6 && odd * 20 < half => Some(UTF_16BE),
        () => None,
    }
}

/// A text as UTF-8 without byte-order mark, from any encoding that [`super::read_csv`] reads.
pub fn plain(bytes: &[u8]) -> Cow<'_, str> {
    decode(bytes).text
}

pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Decoded { encoding: "utf-8-bom", ..decode_bytes(rest) };
    }
    let utf16 = match bytes {
        [0xff, 0xfe, rest @ ..] => Some((UTF_16LE, rest)),
        [0xfe, 0xff, rest @ ..] => Some((UTF_16BE, rest)),
        _ => looks_utf16(bytes).map(|encoding| (encoding, bytes)),
    };
    let Some((encoding, rest)) = utf16 else {
        return decode_bytes(bytes);
    };
    let (text, had_errors) = encoding.decode_without_bom_handling(rest);
    let replaced = if had_errors { text.matches('\u{fffd}').count() } else { 0 };
    let encoding = if encoding == UTF_16LE { "utf-16le" } else { "utf-16be" };
    Decoded { text, encoding, odd_lines: Vec::new(), replaced }
}

fn decode_bytes(bytes: &[u8]) -> Decoded<'_> {
    let plain = |text, encoding| Decoded { text, encoding, odd_lines: Vec::new(), replaced: 0 };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return plain(Cow::Borrowed(text), "utf-8");
    }
    // Letters of windows-1252 hardly ever form valid UTF-8 sequences, so a file
    // with both kinds was pasted together: read each line for what it is.
    let lines = || bytes.split_inclusive(|&b| b == b'\n');
    let (mut utf8, mut other) = (0u64, 0u64);
    for line in lines().filter(|l| !l.is_ascii()) {
        match std::str::from_utf8(line) {
            Ok(_) => utf8 += 1,
            Err(_) => other += 1,
        }
    }
    if utf8 < other * 3 {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        return plain(text, "windows-1252");
    }
    let mut text = String::with_capacity(bytes.len());
    let mut odd_lines = Vec::new();
    for (number, line) in (1..).zip(lines()) {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => {
                odd_lines.push(number);
                text.push_str(&WINDOWS_1252.decode_without_bom_handling(line).0);
            }
        }
    }
    Decoded { text: Cow::Owned(text), encoding: "utf-8", odd_lines, replaced: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let cases: [(&[u8], &str, &str); 7] = [
            ("é".as_bytes(), "utf-8", "é"),
            (b"\xef\xbb\xbfa", "utf-8-bom", "a"),
            (b"\xff\xfea\x00\xe9\x00", "utf-16le", "aé"),
            (b"\xfe\xff\x00a\x00\xe9", "utf-16be", "aé"),
            (b"a\x00,\x00b\x00\n\x001\x00,\x002\x00", "utf-16le", "a,b\n1,2"),
            (b"C\xf4te d\x92Ivoire", "windows-1252", "Côte d’Ivoire"),
            (b"", "utf-8", ""),
        ];
        for (bytes, encoding, text) in cases {
            let decoded = decode(bytes);
            assert_eq!((decoded.encoding, &*decoded.text), (encoding, text));
        }
        let mixed = decode(b"\xc3\xa9\n\xc3\xa8\n\xc3\xa7\n\xe9\n");
        assert_eq!((mixed.encoding, &*mixed.text, &mixed.odd_lines[..]), ("utf-8", "é\nè\nç\né\n", &[4][..]));
    }
}
