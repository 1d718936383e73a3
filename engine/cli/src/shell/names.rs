//! What can be named, fetched once and in the background.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envoi::{Names, Session, TableName};
use tokio::runtime::Handle;

/// Schemas of the search path: their tables are named without the schema.
const SEARCH_PATH: [&str; 4] = ["mart", "lake", "model", "public"];
/// An error message does not wait longer than this for a suggestion.
const PATIENCE: Duration = Duration::from_secs(1);

/// The names of a session. Nothing is asked of the engine before the first use,
/// so a prompt is ready without waiting for the catalogue.
#[derive(Clone)]
pub(crate) struct KnownNames {
    session: Session,
    runtime: Handle,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    names: Option<Arc<Names>>,
    loading: bool,
    /// A statement may have changed the catalogue since `names` was read.
    stale: bool,
}

impl KnownNames {
    pub(crate) fn new(session: Session, runtime: Handle) -> Self {
        Self { session, runtime, state: Arc::default() }
    }

    /// What is known now. Starts loading when that is nothing or out of date.
    pub(crate) fn peek(&self) -> Option<Arc<Names>> {
        let mut state = self.lock();
        if (state.names.is_none() || state.stale) && !state.loading {
            (state.loading, state.stale) = (true, false);
            let known = self.clone();
            self.runtime.spawn(async move {
                let names = known.session.names().await;
                let mut state = known.lock();
                state.loading = false;
                // Without names the prompt still completes keywords; the next
                // keystroke must not hammer a lake that does not answer.
                state.names = Some(names.unwrap_or_default());
            });
        }
        state.names.clone()
    }

    /// Whether names are on their way.
    pub(crate) fn is_loading(&self) -> bool {
        self.lock().loading
    }

    /// The names as they are now, from the engine; its error is the caller's to show.
    pub(crate) async fn current(&self) -> Result<Arc<Names>, envoi::Error> {
        let names = self.session.names().await?;
        let mut state = self.lock();
        state.names = Some(Arc::clone(&names));
        state.stale = false;
        Ok(names)
    }

    /// Names for a suggestion: none rather than a wait.
    pub(crate) async fn soon(&self) -> Option<Arc<Names>> {
        tokio::time::timeout(PATIENCE, self.current()).await.ok()?.ok()
    }

    /// The catalogue may have changed.
    pub(crate) fn changed(&self) {
        self.lock().stale = true;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name to type for a table: with its schema only outside the search path.
pub(crate) fn reference(table: &TableName) -> String {
    if SEARCH_PATH.contains(&table.schema.as_str()) {
        quote(&table.name)
    } else {
        format!("{}.{}", quote(&table.schema), quote(&table.name))
    }
}

/// A name as SQL reads it back: quoted unless it is plain lower case.
pub(crate) fn quote(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The tables called `name`, or `schema.name`, in any case; those of the search
/// path first, in its order.
pub(crate) fn find_tables<'a>(names: &'a Names, schema: Option<&str>, name: &str) -> Vec<&'a TableName> {
    let mut found: Vec<&TableName> = names
        .tables
        .iter()
        .filter(|t| t.name.eq_ignore_ascii_case(name) && schema.is_none_or(|s| t.schema.eq_ignore_ascii_case(s)))
        .collect();
    found.sort_by_key(|t| SEARCH_PATH.iter().position(|s| *s == t.schema).unwrap_or(SEARCH_PATH.len()));
    found
}

/// The candidate nearest to `word`, if one is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .filter(|candidate| candidate.to_lowercase() != word)
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand() {
        let columns = ["remittance_usd", "oda_usd", "year"];
        assert_eq!(nearest("remitance_usd", columns.into_iter()), Some("remittance_usd"));
        assert_eq!(nearest("yaer", columns.into_iter()), Some("year"));
        assert_eq!(nearest("population", columns.into_iter()), None);
    }

    #[test]
    fn names_are_quoted_when_they_must() {
        assert_eq!(quote("iso3"), "iso3");
        assert_eq!(quote("Côte"), "\"Côte\"");
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
