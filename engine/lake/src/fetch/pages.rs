//! An answer in pages of JSON: all of them, of one edition.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::Value;
use url::Url;

use super::content::Unmarked;
use super::{Fetched, Job, Pages, Planned};
use crate::error::{Printable, Result};

/// More would be a mistake of somebody's.
const MOST: u64 = 10_000;

/// Bytes of a page, which is read into memory: ten times those of the largest.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// What a page says of itself.
struct Head {
    pages: u64,
    edition: Option<Value>,
}

impl Job<'_> {
    pub(super) fn pages(&self, planned: &Planned, pages: &Pages, url: &Url, file: &str) -> Result<Vec<Fetched>> {
        // The publisher may put another edition in place between two pages.
        for _ in 0..2 {
            if let Some(all) = self.all_pages(planned, pages, url, file)? {
                return Ok(all);
            }
        }
        Err(self.failed(url, "the publisher changed the edition while its pages were fetched, twice; try again later"))
    }

    /// Every page; `None` if they are not of one edition.
    fn all_pages(&self, planned: &Planned, pages: &Pages, url: &Url, file: &str) -> Result<Option<Vec<Fetched>>> {
        let mut all = Vec::new();
        let mut first: Option<Head> = None;
        let mut number = 1;
        loop {
            let mut at = url.clone();
            at.query_pairs_mut().append_pair(&pages.parameter, &number.to_string());
            let name = numbered(file, number);
            let page = self.one(planned, &at, &name)?;
            let head = match head(&page.path, pages) {
                Ok(head) => head,
                Err(what) => {
                    // It is no page of data, so the next time must not take it for one.
                    self.cache.slot(&name)?.forget()?;
                    return Err(self.failed(&at, &what));
                }
            };
            all.push(page);
            let begun = first.get_or_insert_with(|| Head { pages: head.pages, edition: head.edition.clone() });
            if begun.pages != head.pages || begun.edition != head.edition {
                return if self.offline { Err(self.not_here(&name)) } else { Ok(None) };
            }
            if number >= begun.pages {
                return Ok(Some(all));
            }
            number += 1;
        }
    }
}

/// `a.json` as `a-2.json`.
fn numbered(file: &str, number: u64) -> String {
    match file.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{number}.{ending}"),
        None => format!("{file}-{number}"),
    }
}

fn head(path: &Path, pages: &Pages) -> Result<Head, String> {
    let read = || -> std::io::Result<Value> {
        let file = Unmarked::new(BufReader::new(File::open(path)?))?;
        Ok(serde_json::from_reader(file)?)
    };
    let page = read().map_err(|e| format!("the answer cannot be read: {e}"))?;
    let count = page.pointer(&pages.count);
    let Some(count) = count.and_then(|c| c.as_u64().or_else(|| c.as_str()?.parse().ok())) else {
        let mut text = String::new();
        // What cannot be read is not shown.
        let _ = File::open(path).and_then(|file| file.take(400).read_to_string(&mut text));
        return Err(format!("the publisher answered with something else than data: `{}`", Printable(text.trim())));
    };
    if count > MOST {
        return Err(format!("the publisher says that there are {count} pages, more than {MOST}"));
    }
    let edition = pages.edition.as_ref().and_then(|at| page.pointer(at)).cloned();
    Ok(Head { pages: count, edition })
}
