//! Which models are meant, as dbt says it: `name`, `+name`, `name+`, `2+name`, `@name`, `tag:x`, `path`, `source:x`,
//! `config.materialisation:x`, `state:modified`, globs.

use std::collections::BTreeSet;

use crate::graph;
use crate::hint::{hint, hint_of_all};
use crate::project::{Model, Project};

/// A model beside the one of its name in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    New,
    /// It is another.
    Modified,
    /// It is the same.
    Unmodified,
}

/// How a model stands.
type StateOf<'a> = &'a dyn Fn(&Model) -> State;

/// The models that selectors mean; no selector means all. A comma is "and", several are "or", with blanks between
/// them or each by itself.
///
/// # Errors
/// A selector that means no model, with the name that may have been meant.
pub fn select(
    project: &Project,
    selectors: &[String],
    exclude: &[String],
    state: StateOf<'_>,
) -> Result<BTreeSet<String>, String> {
    let mut wanted: BTreeSet<String> = match selectors {
        [] => project.models.keys().cloned().collect(),
        _ => union(project, selectors, state, true)?,
    };
    for name in union(project, exclude, state, false)? {
        wanted.remove(&name);
    }
    Ok(wanted)
}

fn union(project: &Project, selectors: &[String], state: StateOf<'_>, any: bool) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for selector in selectors.iter().flat_map(|s| s.split_whitespace()) {
        let mut both: Option<BTreeSet<String>> = None;
        for part in selector.split(',') {
            if part.is_empty() {
                return Err(format!("`{selector}` has nothing beside a comma; `a,b` is both, `a b` is either"));
            }
            let found = one(project, part, state)?;
            both = Some(match both {
                Some(both) => both.intersection(&found).cloned().collect(),
                None => found,
            });
        }
        let both = both.unwrap_or_default();
        // What is modified may be nothing; which models there are is known.
        if any && both.is_empty() && !selector.contains("state:") {
            return Err(format!("no model is all of `{selector}`; `{}` is any of it", selector.replace(',', " ")));
        }
        all.extend(both);
    }
    Ok(all)
}

fn one(project: &Project, selector: &str, state: StateOf<'_>) -> Result<BTreeSet<String>, String> {
    if let Some(core) = selector.strip_prefix('@') {
        // With what reads it, and with whatever that reads.
        let found = named(project, core, state)?;
        let below = found.iter().flat_map(|name| graph::around(project, name, false, None));
        let mut all: BTreeSet<String> = below.chain(found.iter().cloned()).collect();
        let above: Vec<String> = all.iter().flat_map(|name| graph::around(project, name, true, None)).collect();
        all.extend(above);
        return Ok(all);
    }
    let (up, rest) = match selector.split_once('+') {
        Some(("", rest)) => (Some(None), rest),
        Some((steps, rest)) if steps.bytes().all(|b| b.is_ascii_digit()) => (Some(steps.parse().ok()), rest),
        _ => (None, selector),
    };
    let (down, core) = match rest.rsplit_once('+') {
        Some((core, "")) => (Some(None), core),
        Some((core, steps)) if steps.bytes().all(|b| b.is_ascii_digit()) => (Some(steps.parse().ok()), core),
        _ => (None, rest),
    };
    let found = named(project, core, state)?;
    // A table is a step away from the models that read it.
    let down: Option<Option<usize>> = match core.starts_with("source:") {
        true => down.map(|steps: Option<usize>| steps.map(|n| n.saturating_sub(1))),
        false => down,
    };
    let mut all = found.clone();
    for name in &found {
        if let Some(steps) = up {
            all.extend(graph::around(project, name, true, steps));
        }
        if let Some(steps) = down {
            all.extend(graph::around(project, name, false, steps));
        }
    }
    Ok(all)
}

fn named(project: &Project, core: &str, state: StateOf<'_>) -> Result<BTreeSet<String>, String> {
    let models = || project.models.values();
    let those = |is: &dyn Fn(&Model) -> bool| -> BTreeSet<String> {
        models().filter(|m| is(m)).map(|m| m.name.clone()).collect()
    };
    if let Some(tag) = core.strip_prefix("tag:") {
        let found = those(&|m| m.config.tags.iter().any(|t| t == tag || glob(tag, t)));
        let tags: BTreeSet<&str> = models().flat_map(|m| m.config.tags.iter().map(String::as_str)).collect();
        let known = tags.iter().copied().collect::<Vec<_>>().join(", ");
        let otherwise = if known.is_empty() { "no model has a tag".to_owned() } else { format!("there are {known}") };
        return match found.is_empty() {
            true => Err(format!("no model has tag `{tag}`{}", hint(tag, tags.iter().copied(), &otherwise))),
            false => Ok(found),
        };
    }
    if let Some(wanted) = core.strip_prefix("state:") {
        // Nothing may be so: that is no mistake.
        return match wanted {
            "modified" => Ok(those(&|m| state(m) != State::Unmodified)),
            "new" => Ok(those(&|m| state(m) == State::New)),
            "old" => Ok(those(&|m| state(m) != State::New)),
            "unmodified" => Ok(those(&|m| state(m) == State::Unmodified)),
            _ => {
                let states = ["modified", "new", "old", "unmodified"];
                Err(format!("unknown state `{wanted}`{}", hint_of_all(wanted, states.into_iter())))
            }
        };
    }
    if let Some(table) = core.strip_prefix("source:") {
        return sources(project, table);
    }
    // dbt writes it with a `z`.
    let kind = core.strip_prefix("config.materialisation:").or_else(|| core.strip_prefix("config.materialized:"));
    if let Some(kind) = kind {
        let found = those(&|m| m.config.materialisation.name() == kind);
        let kinds = ["view", "table", "incremental", "snapshot"];
        return match kinds.contains(&kind) {
            true => Ok(found),
            false => Err(format!("unknown materialisation `{kind}`{}", hint_of_all(kind, kinds.into_iter()))),
        };
    }
    let path = core.strip_prefix("path:").or_else(|| core.strip_prefix("file:")).unwrap_or(core);
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let found = those(&|m| {
        let folder = m.file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let file = m.file.rsplit('/').next() == Some(path);
        m.name == core || m.file == path || file || folder || glob(path, &m.name) || glob(path, &m.file)
    });
    if !found.is_empty() {
        return Ok(found);
    }
    let names = models().map(|m| m.name.as_str());
    let all: Vec<&str> = names.clone().take(20).collect();
    let otherwise = match all.is_empty() {
        true => "the project has no models".to_owned(),
        false => format!("there are {}", all.join(", ")),
    };
    Err(format!("`{core}` is no model of {}{}", project.label, hint(core, names, &otherwise)))
}

/// The models that read a table which is none of theirs.
fn sources(project: &Project, table: &str) -> Result<BTreeSet<String>, String> {
    let is = |t: &str| t == table || t.rsplit('.').next() == Some(table) || glob(table, t);
    let reads = |m: &Model| m.tables.iter().any(|t| is(t));
    let found: BTreeSet<String> =
        project.models.values().filter(|m| reads(m.as_ref())).map(|m| m.name.clone()).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known: BTreeSet<&str> = project.models.values().flat_map(|m| m.tables.iter().map(String::as_str)).collect();
    Err(format!("no model reads table `{table}`{}", hint_of_all(table, known.into_iter())))
}

/// `*` is any letters, `?` one.
fn glob(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return false;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Places of the pattern that the text so far may have come to.
    let mut at: BTreeSet<usize> = [0].into();
    let skipped = |at: BTreeSet<usize>| {
        let mut all = at.clone();
        for mut place in at {
            while pattern.get(place) == Some(&'*') {
                place += 1;
                all.insert(place);
            }
        }
        all
    };
    at = skipped(at);
    for c in text {
        let step = |place: &usize| match pattern.get(*place) {
            Some('*') => Some(*place),
            Some('?') => Some(place + 1),
            Some(p) if *p == c => Some(place + 1),
            _ => None,
        };
        at = skipped(at.iter().filter_map(step).collect());
    }
    at.contains(&pattern.len())
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs() {
        assert!(glob("a*c", "abbc") && glob("*", "x") && glob("a?c*", "abc") && glob("*b*", "abc"));
        assert!(!glob("a*c", "abd") && !glob("abc", "abc") && !glob("a?", "a"));
    }
}
