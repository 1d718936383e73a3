//! Zip and gzip, bounded. No name inside an archive is ever used as a path.

use std::io::{Cursor, Read};

use chrono::NaiveDate;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{Kind, Limits, kind_of};
use crate::error::{Error, Place, Printable, Result};

/// The files of a zip archive as (base name, bytes), folders left out. The name is
/// the last part of the member's path, for messages and for telling members apart.
///
/// # Errors
/// `Error::Data` if the archive is damaged or encrypted, or if a member is an
/// archive itself, a link, or named so that it would land outside the folder it
/// is unpacked to; `Error::Limit` beyond `limits`, before anything is unpacked
/// where the directory admits it, while unpacking where it lies.
pub fn unzip(bytes: &[u8], file: &str, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>> {
    limits.check_file(bytes.len() as u64, file)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(&e, file))?;
    check_directory(&mut archive, file, limits)?;
    let mut members = Vec::new();
    let mut total = 0;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|e| damaged(&e, file))?;
        if member.is_dir() {
            continue;
        }
        let name = base_name(&String::from_utf8_lossy(member.name_raw()));
        let inside = format!("{file}/{name}");
        let place = || Place::file(&inside);
        let unpacked = read_bounded(member, &mut total, bytes.len() as u64, limits, &place)?;
        if matches!(kind_of(&unpacked), Kind::Zip | Kind::Gzip | Kind::OtherArchive) {
            return Err(Error::data(place(), "is an archive inside an archive; unpack it and import its files"));
        }
        members.push((name, unpacked));
    }
    Ok(members)
}

/// The bytes inside a gzip file, all members of it joined.
///
/// # Errors
/// `Error::Data` if the file is damaged or holds another archive, `Error::Limit` beyond `limits`.
pub fn gunzip(bytes: &[u8], file: &str, limits: &Limits) -> Result<Vec<u8>> {
    limits.check_file(bytes.len() as u64, file)?;
    let place = || Place::file(file);
    let reader = flate2::read::MultiGzDecoder::new(bytes);
    let unpacked = read_bounded(reader, &mut 0, bytes.len() as u64, limits, &place)?;
    if matches!(kind_of(&unpacked), Kind::Gzip | Kind::Zip | Kind::OtherArchive) {
        return Err(Error::data(place(), "is an archive inside an archive; unpack it and import its files"));
    }
    Ok(unpacked)
}

/// Reads to the end, counting; `total` is what the archive unpacked to so far.
pub(super) fn read_bounded(
    mut reader: impl Read,
    total: &mut u64,
    stored: u64,
    limits: &Limits,
    place: &impl Fn() -> Place,
) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    loop {
        let chunk = (&mut reader).take(1 << 20).read_to_end(&mut unpacked).map_err(|e| {
            Error::data(place(), format!("is damaged or cut short: {}; fetch it again", Printable(&e.to_string())))
        })?;
        *total += chunk as u64;
        limits.check_unpacked(*total, stored, place)?;
        if chunk == 0 {
            return Ok(unpacked);
        }
    }
}

/// Day of the newest member, by the archive's directory; none where it holds no days.
pub fn packed_on(bytes: &[u8]) -> Option<NaiveDate> {
    // What programs write that know no day.
    const NONE: u16 = 1980;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let days = (0..archive.len()).filter_map(|index| {
        let day = archive.by_index_raw(index).ok()?.last_modified().filter(|day| day.year() > NONE)?;
        NaiveDate::from_ymd_opt(day.year().into(), day.month().into(), day.day().into())
    });
    days.max()
}

/// Judges an archive by its directory alone, before a byte of it is unpacked.
pub(super) fn check_directory(
    archive: &mut ZipArchive<Cursor<impl AsRef<[u8]>>>,
    file: &str,
    limits: &Limits,
) -> Result<()> {
    limits.check_members(archive.len(), file)?;
    let mut declared = 0u64;
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|e| damaged(&e, file))?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let place = || Place::file(format!("{file}/{}", base_name(&name)));
        if leaves_folder(&name) {
            return Err(Error::data(
                Place::file(file),
                format!(
                    "member `{}` is named to be written outside its folder; the archive is refused as hostile",
                    Printable(&name)
                ),
            ));
        }
        if member.is_symlink() {
            return Err(Error::data(place(), "is a link, not a file; pack the file itself"));
        }
        if member.encrypted() {
            return Err(Error::data(place(), "is encrypted; remove the password and import it again"));
        }
        declared = declared.saturating_add(member.size());
        limits.check_unpacked(member.size(), member.compressed_size(), place)?;
        limits.check_unpacked(declared, u64::MAX, place)?;
    }
    Ok(())
}

pub(super) fn damaged(error: &ZipError, file: &str) -> Error {
    let text = error.to_string();
    Error::data(
        Place::file(file),
        format!("is damaged or cut short, it is no whole zip archive ({}); fetch it again", Printable(&text)),
    )
}

fn leaves_folder(name: &str) -> bool {
    let name = name.replace('\\', "/");
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/') || drive || name.contains('\0') || name.split('/').any(|part| part == "..")
}

fn base_name(name: &str) -> String {
    name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("unnamed").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn members_by_base_name() {
        let bytes = zipped(&[("folder/a.csv", b"a,b\n"), ("b.csv", b"c\n")]);
        let members = unzip(&bytes, "x.zip", &Limits::default()).unwrap();
        assert_eq!(members, [("a.csv".to_owned(), b"a,b\n".to_vec()), ("b.csv".to_owned(), b"c\n".to_vec())]);
    }

    #[test]
    fn hostile_archives_are_refused() {
        let nested = zipped(&[("a.csv", b"a")]);
        let zeros = vec![0u8; 20 << 20];
        let cases = [
            (zipped(&[("../a.csv", b"a")]), "outside its folder"),
            (zipped(&[("nested.zip", &nested)]), "archive inside an archive"),
            (zipped(&[("zeros", &zeros)]), "setting `import.ratio`"),
            (nested[..nested.len() / 2].to_vec(), "cut short"),
        ];
        for (bytes, words) in cases {
            let message = unzip(&bytes, "x.zip", &Limits::default()).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn gzip_is_bounded_too() {
        assert_eq!(gunzip(&gzipped(b"a,b\n"), "x.gz", &Limits::default()).unwrap(), b"a,b\n");
        let bomb = gunzip(&gzipped(&vec![0u8; 20 << 20]), "x.gz", &Limits::default()).unwrap_err();
        assert!(bomb.to_string().contains("setting `import.ratio`"), "{bomb}");
        assert!(gunzip(&gzipped(b"a,b\n")[..12], "x.gz", &Limits::default()).is_err());
    }
}
