//! The publisher's own totals as a check of what was read.

use std::collections::BTreeMap;

use super::Settings;
use crate::error::{Error, Place, Result};

/// Year and sex.
pub(super) type Key = (i32, &'static str);

/// Sums of what was read, and the totals that the publisher printed.
#[derive(Default)]
pub(super) struct Totals {
    sums: BTreeMap<(String, Key), f64>,
    published: BTreeMap<(String, Key), (f64, Place)>,
}

/// The total over all economies.
pub(super) const WORLD: &str = "World";

impl Totals {
    /// Counts persons towards the totals of `names`.
    pub(super) fn add(&mut self, names: &[String], key: Key, persons: f64) {
        for name in names {
            *self.sums.entry((name.clone(), key)).or_default() += persons;
        }
    }

    /// A total that the publisher printed.
    pub(super) fn publish(&mut self, name: &str, key: Key, persons: f64, place: Place) {
        self.published.insert((name.to_owned(), key), (persons, place));
    }

    /// Compares. A world total that differs beyond the tolerance is an error: something was
    /// changed or lost. Smaller differences, and those of single economies, are the
    /// publisher's own: some give no sexes, small cells are withheld.
    pub(super) fn check(&self, settings: &Settings, pairs: bool) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let (mut worlds, mut same_worlds, mut others, mut same_others) = (0, 0, 0, 0);
        let mut largest: Option<(f64, String)> = None;
        for ((name, key), (published, place)) in &self.published {
            let (year, sex) = key;
            let sum = self.sums.get(&(name.clone(), *key)).copied().unwrap_or_default();
            let difference = (sum - published).abs() / published.abs().max(1.0);
            if name != WORLD {
                others += 1;
                if difference <= settings.total_tolerance {
                    same_others += 1;
                } else if largest.as_ref().is_none_or(|(d, _)| difference > *d) {
                    largest = Some((difference, format!("{name} {year} {sex}: {published} against {sum}")));
                }
                continue;
            }
            worlds += 1;
            let tolerance = match *sex {
                _ if pairs => settings.total_tolerance_of_pairs,
                "both" => settings.total_tolerance,
                _ => settings.total_tolerance_by_sex,
            };
            if difference > tolerance {
                return Err(Error::data(
                    place.clone(),
                    format!(
                        "the published world total {published} is not the sum of the economies, {sum}; a row was changed or lost"
                    ),
                ));
            }
            if difference > settings.total_tolerance {
                notes.push(format!(
                    "{year} {sex}: the published world total {published} is not quite the sum of the economies, {sum}"
                ));
            } else {
                same_worlds += 1;
            }
        }
        if worlds > 0 {
            notes.push(format!("{same_worlds} of {worlds} published world totals are the sum of the economies"));
        }
        if others > 0 {
            notes.push(format!(
                "{same_others} of {others} published totals of single economies are the sum of their pairs and residuals"
            ));
        }
        if let Some((_, text)) = largest {
            notes.push(format!("the largest difference, published against summed, is {text}"));
        }
        Ok(notes)
    }
}
