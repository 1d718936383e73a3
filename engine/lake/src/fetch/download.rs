//! One file: asked for, gone on with where it broke off, checked, and only then given its name.

use std::fs::File;
use std::io::{Read, Write};

use ureq::http::HeaderMap;
use url::Url;

use super::cache::{Note, Slot, cannot};
use super::client::{Answer, Client, Site, interrupted, length, plain};
use super::content::{HEAD, Holds};
use super::retry::Trouble;
use super::{Event, Events, State};
use crate::error::Result;

/// What is to be fetched, and what it must be.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) url: &'a Url,
    pub(super) holds: Holds,
    pub(super) accept: Option<&'a str>,
    /// Most bytes.
    pub(super) most: u64,
    /// More would be taken if the user said so.
    pub(super) adjustable: bool,
    /// The checksum it must have, by the user.
    pub(super) sha256: Option<&'a str>,
    /// Fetch it even if it is here already.
    pub(super) again: bool,
}

/// Downloading one file.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) site: Site<'a>,
    pub(super) target: Target<'a>,
    pub(super) slot: Slot,
    pub(super) events: &'a Events<'a>,
}

/// What a try came to.
enum Outcome {
    Unchanged,
    Whole(Note),
}

impl Download<'_> {
    /// Fetches the file, or finds that it is here already: its note, and which of the two.
    pub(super) fn run(&self) -> Result<(Note, State), String> {
        let kept = self.slot.kept(self.target.url.as_str()).filter(|_| !self.target.again);
        // Of content that the user named by its checksum no newer one is wanted.
        if let (Some(wanted), Some(note)) = (self.target.sha256, &kept)
            && note.sha256.as_deref() == Some(wanted)
        {
            return Ok((note.clone(), State::Unchanged));
        }
        if self.target.again {
            self.slot.forget_part().map_err(|e| e.to_string())?;
        }
        match self.client.persist(self.events, || self.once(kept.as_ref()))? {
            Outcome::Unchanged => {
                let note = kept.ok_or("the publisher says that it did not change, but it is not here")?;
                if self.target.sha256.is_some() {
                    return Err(self.mismatch(note.sha256.as_deref().unwrap_or_default()));
                }
                Ok((note, State::Unchanged))
            }
            Outcome::Whole(note) => {
                let state = match &kept {
                    Some(old) if old.sha256 == note.sha256 => State::Same,
                    _ => State::New,
                };
                Ok((note, state))
            }
        }
    }

    fn once(&self, kept: Option<&Note>) -> Result<Outcome, Trouble> {
        let begun = self.slot.begun(self.target.url.as_str());
        let mut headers: Vec<(&str, String)> =
            self.target.accept.map(|a| ("accept", a.to_owned())).into_iter().collect();
        match (&begun, kept) {
            (Some((note, bytes)), _) => {
                headers.push(("range", format!("bytes={bytes}-")));
                headers.extend(note.strong().map(|mark| ("if-range", mark.to_owned())));
            }
            (None, Some(note)) => {
                headers.extend(note.etag.as_ref().map(|mark| ("if-none-match", mark.clone())));
                headers.extend(note.last_modified.as_ref().map(|date| ("if-modified-since", date.clone())));
            }
            (None, None) => {}
        }
        let answer = self.client.ask(self.site, self.target.url, &headers, &[206, 304, 416])?;
        match (answer.status, begun) {
            (304, None) if kept.is_some() => Ok(Outcome::Unchanged),
            (206, Some((note, bytes))) => self.go_on(answer, note, bytes),
            (416, Some((note, bytes))) if whole_already(&answer.headers, bytes) => self.finish(note, bytes, true),
            (200, _) => {
                let note = self.note(&answer.headers);
                // Some publishers pay no heed to If-None-Match.
                let mark = note.strong().filter(|_| note.etag.is_some());
                if mark.is_some() && kept.is_some_and(|old| old.strong() == mark) {
                    self.slot.forget_part().map_err(lasting)?;
                    return Ok(Outcome::Unchanged);
                }
                self.begin(answer, note)
            }
            (status, _) => {
                // What is here does not fit what is there.
                self.slot.forget_part().map_err(lasting)?;
                Err(Trouble::passing(format!("the publisher answered {status} to what it was not asked")))
            }
        }
    }

    fn note(&self, headers: &HeaderMap) -> Note {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim().to_owned());
        Note {
            url: self.target.url.to_string(),
            etag: text("etag"),
            last_modified: text("last-modified"),
            date: text("date"),
            bytes: length(headers),
            sha256: digest(headers),
        }
    }

    fn begin(&self, mut answer: Answer, note: Note) -> Result<Outcome, Trouble> {
        plain(&answer.headers)?;
        // Other kinds show at their end whether it is theirs.
        if self.target.holds == Holds::Csv && note.bytes.is_none() && !in_chunks(&answer.headers) {
            return Err(Trouble::lasting(
                "the publisher does not say how long its answer is, so that nothing would show whether lines are missing",
            ));
        }
        self.bound(note.bytes.unwrap_or_default())?;
        let mut reader = answer.body.as_reader();
        let mut head = Vec::new();
        let ended = (&mut reader).take(HEAD as u64).read_to_end(&mut head);
        // Without the whole head nothing is said of what it is not.
        let short = note.bytes.is_some_and(|whole| (head.len() as u64) < whole.min(HEAD as u64));
        if ended.is_ok() && !short {
            self.target.holds.check_head(&head).map_err(Trouble::Lasting)?;
        }
        let mut file = self.slot.begin(&note).map_err(lasting)?;
        file.write_all(&head).map_err(|e| lasting(cannot("write", self.slot.path(), e)))?;
        (self.events)(Event::Bytes { done: head.len() as u64, total: note.bytes });
        ended.map_err(|e| gained(interrupted(e), head.len() as u64))?;
        self.receive(&mut reader, file, note, head.len() as u64, false)
    }

    fn go_on(&self, mut answer: Answer, note: Note, bytes: u64) -> Result<Outcome, Trouble> {
        plain(&answer.headers)?;
        let range = answer.headers.get("content-range").and_then(|v| v.to_str().ok()).and_then(range);
        // The validator is the publisher's word that this is of the same whole; so must the numbers be.
        let fits = |(from, whole): (u64, Option<u64>)| {
            from == bytes && (whole.is_none() || note.bytes.is_none() || whole == note.bytes)
        };
        let Some((_, whole)) = range.filter(|r| fits(*r)) else {
            self.slot.forget_part().map_err(lasting)?;
            return Err(Trouble::passing("the publisher sent another part of the file than the rest of it"));
        };
        let note = Note { bytes: note.bytes.or(whole), ..note };
        self.bound(note.bytes.unwrap_or_default())?;
        (self.events)(Event::Resume { at: bytes, total: note.bytes });
        let file = self.slot.go_on().map_err(lasting)?;
        self.receive(&mut answer.body.as_reader(), file, note, bytes, true)
    }

    fn receive(
        &self,
        reader: &mut dyn Read,
        mut file: File,
        note: Note,
        from: u64,
        resumed: bool,
    ) -> Result<Outcome, Trouble> {
        let mut buffer = vec![0; 64 << 10];
        let mut done = from;
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(gained(interrupted(e), done - from)),
            };
            done += read as u64;
            self.bound(done)?;
            let chunk = buffer.get(..read).unwrap_or_default();
            file.write_all(chunk).map_err(|e| lasting(cannot("write", self.slot.path(), e)))?;
            (self.events)(Event::Bytes { done, total: note.bytes });
        }
        drop(file);
        match note.bytes {
            Some(whole) if done < whole => {
                Err(gained(Trouble::passing(format!("the download broke off at {done} of {whole} bytes")), done - from))
            }
            Some(whole) if done > whole => {
                self.slot.forget_part().map_err(lasting)?;
                Err(Trouble::passing(format!("{done} bytes came where {whole} were announced")))
            }
            _ => self.finish(note, done, resumed),
        }
    }

    /// Checks what came and gives it its name.
    fn finish(&self, note: Note, done: u64, resumed: bool) -> Result<Outcome, Trouble> {
        let (part, bytes, sha256) = self.slot.finished().map_err(lasting)?;
        if bytes != done {
            self.slot.forget_part().map_err(lasting)?;
            return Err(Trouble::passing(format!("`{}` was changed while it was written", part.display())));
        }
        let promised = note.sha256.as_ref().is_some_and(|said| *said != base64(&sha256));
        let wrong = promised || self.target.sha256.is_some_and(|wanted| wanted != sha256);
        if wrong {
            self.slot.forget_part().map_err(lasting)?;
            // Parts of two editions may have met.
            if resumed {
                return Err(Trouble::passing(format!(
                    "the parts together have checksum {sha256}, which is not its own"
                )));
            }
            return Err(Trouble::lasting(match promised {
                true => format!("what came has checksum {sha256}, which is not the one that the publisher states"),
                false => self.mismatch(&sha256),
            }));
        }
        // A head that came in two parts was not looked at before.
        let unread = |e| lasting(cannot("read", &part, e));
        if let Err(what) = self.target.holds.check_file(&part).map_err(unread)? {
            self.slot.forget_part().map_err(lasting)?;
            return Err(Trouble::Lasting(what));
        }
        let sound = self.target.holds.is_whole(&part).map_err(unread)?;
        if !sound {
            self.slot.forget_part().map_err(lasting)?;
            let what = "what came is damaged or cut short";
            // Whether something is missing was not said.
            return Err(if note.bytes.is_none() || resumed { Trouble::passing(what) } else { Trouble::lasting(what) });
        }
        let note = Note { bytes: Some(bytes), sha256: Some(sha256), ..note };
        self.slot.place(&note).map_err(lasting)?;
        Ok(Outcome::Whole(note))
    }

    fn mismatch(&self, found: &str) -> String {
        let wanted = self.target.sha256.unwrap_or_default();
        format!("what the publisher offers has checksum {found}, not {wanted}: another edition, or not the publisher's")
    }

    fn bound(&self, bytes: u64) -> Result<(), Trouble> {
        if bytes <= self.target.most {
            return Ok(());
        }
        self.slot.forget_part().map_err(lasting)?;
        let raise = match self.target.adjustable {
            true => "; raise the setting `import.file_bytes` if it is to be trusted",
            false => ", more than any edition so far; `envoi source import` takes larger ones",
        };
        Err(Trouble::lasting(format!("the file is larger than {} bytes{raise}", self.target.most)))
    }
}

fn lasting(error: crate::Error) -> Trouble {
    Trouble::lasting(error.to_string())
}

/// The answer ends with a mark of its own.
fn in_chunks(headers: &HeaderMap) -> bool {
    headers.get("transfer-encoding").and_then(|v| v.to_str().ok()).is_some_and(|v| v.to_lowercase().contains("chunked"))
}

/// The next try goes on from here, so it is a first one again if much came.
fn gained(trouble: Trouble, bytes: u64) -> Trouble {
    const MUCH: u64 = 1 << 20;
    match trouble {
        Trouble::Passing { what, after, .. } => Trouble::Passing { what, after, gained: bytes >= MUCH },
        lasting => lasting,
    }
}

/// `Content-Range: bytes 10-19/20` as the first byte and the whole length.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (part, whole) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = part.split_once('-')?;
    Some((from.trim().parse().ok()?, whole.trim().parse().ok()))
}

/// `Content-Range: bytes */20` where all 20 are here.
fn whole_already(headers: &HeaderMap, bytes: u64) -> bool {
    let text = headers.get("content-range").and_then(|v| v.to_str().ok());
    text.and_then(|t| t.trim().strip_prefix("bytes */")).and_then(|whole| whole.trim().parse().ok()) == Some(bytes)
}

/// SHA-256 of the whole as the publisher states it (RFC 9530, RFC 3230), in base 64.
fn digest(headers: &HeaderMap) -> Option<String> {
    ["repr-digest", "digest"].iter().find_map(|name| {
        let text = headers.get(*name)?.to_str().ok()?;
        text.split(',').find_map(|one| {
            let (algorithm, value) = one.trim().split_once('=')?;
            algorithm.eq_ignore_ascii_case("sha-256").then(|| value.trim_matches(':').to_owned())
        })
    })
}

/// Base 64 of the bytes that stand in hexadecimal.
fn base64(hex: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    let bytes: Vec<u32> = digits.chunks(2).map(|pair| pair.iter().fold(0, |all, d| all * 16 + d)).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let all = three.iter().fold(0, |all, b| all << 8 | b) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS.get((all >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if at <= three.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(range("bytes 10-19/20"), Some((10, Some(20))));
        assert_eq!(range("bytes 10-19/*"), Some((10, None)));
        for bad in ["", "bytes */20", "items 1-2/3", "bytes x-2/3", "bytes -2/3"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }

    #[test]
    fn checksums_in_headers() {
        // SHA-256 of nothing.
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(base64(hex), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!((base64("ff").as_str(), base64("ffff").as_str(), base64("").as_str()), ("/w==", "//8=", ""));
        let said = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            digest(&headers)
        };
        assert_eq!(said("repr-digest", "sha-512=:x:, sha-256=:abc=:").as_deref(), Some("abc="));
        assert_eq!(said("digest", "SHA-256=abc=").as_deref(), Some("abc="));
        assert_eq!(said("digest", "md5=abc="), None);
    }
}
