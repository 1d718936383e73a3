//! Near names, for the message about an unknown one.

use std::collections::HashMap;

use super::{Iso3, fold::fold, rows};
use crate::error::Result;

/// Below this a suggestion misleads more than it helps.
const ALIKE: f64 = 0.6;

/// The `n` economies with a spelling nearest to the folded `key`, best first.
pub(super) fn nearest(key: &str, n: usize) -> Result<Vec<(String, Iso3)>> {
    if key.is_empty() {
        return Ok(Vec::new());
    }
    let mut best: HashMap<Iso3, f64> = HashMap::new();
    for alias in rows::aliases()? {
        let other = fold(&alias.alias);
        // Codes are near to any short text: only a text that may be a code is compared with them.
        let length = other.chars().count();
        if length < 3 || (length == 3 && key.chars().count() != 3) {
            continue;
        }
        let score = strsim::normalized_damerau_levenshtein(key, &other);
        if score >= ALIKE {
            let top = best.entry(alias.iso3).or_insert(score);
            *top = top.max(score);
        }
    }
    let mut ranked: Vec<(Iso3, f64)> = best.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(n);
    let countries = rows::countries()?;
    let name = |iso3: Iso3| {
        let row = countries.iter().filter(|c| c.iso3 == iso3).max_by_key(|c| c.valid_to.is_none());
        row.map_or_else(|| iso3.to_string(), |c| c.names[0].clone())
    };
    Ok(ranked.into_iter().map(|(iso3, _)| (name(iso3), iso3)).collect())
}
