//! Places, shapes and series met so far, numbered, for all threads that read one text.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::facts::BUCKETS;
use super::shape::Shape;
use crate::country::Match;
use crate::error::{Error, Place, Result};

/// All that facts name by number.
#[derive(Default)]
pub(super) struct Registry {
    all: Mutex<Names>,
}

/// The numbered things themselves.
#[derive(Default)]
pub(super) struct Names {
    pub(super) places: Vec<(String, Match)>,
    pub(super) shapes: Vec<Shape>,
    pub(super) series: Vec<String>,
    /// For each shape its series.
    pub(super) series_of: Vec<u32>,
    by_code: HashMap<String, u32>,
    by_series: HashMap<String, u32>,
    by_key: HashMap<Vec<u8>, u32>,
    /// Base year of constant prices of each series.
    bases: HashMap<u32, String>,
}

fn number(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|e| Error::Internal(e.to_string()))
}

impl Registry {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a place by its code.
    pub(super) fn place(&self, code: &str, found: Match) -> Result<u32> {
        let mut names = self.names();
        if let Some(known) = names.by_code.get(code) {
            return Ok(*known);
        }
        let new = number(names.places.len())?;
        names.places.push((code.to_owned(), found));
        names.by_code.insert(code.to_owned(), new);
        Ok(new)
    }

    /// The number of a shape by the codes that make it, and the bucket of its series.
    pub(super) fn shape(&self, key: &[u8], shape: Shape, at: &dyn Fn(&str) -> Place) -> Result<(u32, usize)> {
        let mut names = self.names();
        let names = &mut *names;
        let series = match names.by_series.get(&shape.series) {
            Some(known) => *known,
            None => {
                let new = number(names.series.len())?;
                names.series.push(shape.series.clone());
                names.by_series.insert(shape.series.clone(), new);
                new
            }
        };
        let bucket = series as usize % BUCKETS;
        if let Some(known) = names.by_key.get(key) {
            return Ok((*known, bucket));
        }
        if let Some(base) = &shape.base {
            let other = names.bases.entry(series).or_insert_with(|| base.clone());
            if other != base {
                let what = format!(
                    "prices are those of {base} here and of {other} above, in one series (`{}`); import editions apart",
                    shape.series
                );
                return Err(Error::data(at("BASE_PER"), what));
            }
        }
        let new = number(names.shapes.len())?;
        names.shapes.push(shape);
        names.series_of.push(series);
        names.by_key.insert(key.to_owned(), new);
        Ok((new, bucket))
    }

    /// All of them, when everything is read.
    pub(super) fn into_names(self) -> Names {
        self.all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
