//! Which models are meant: `name`, `+name`, `name+`, `2+name`, `tag:x`, `path`, `state:modified`, globs.

use std::collections::BTreeSet;

use crate::graph;
use crate::hint::hint;
use crate::project::{Model, Project};

/// The models that selectors mean; no selector means all. A comma is "and", several are "or".
///
/// # Errors
/// A selector that means no model, with the name that may have been meant.
pub fn select(
    project: &Project,
    selectors: &[String],
    exclude: &[String],
    modified: &dyn Fn(&Model) -> bool,
) -> Result<BTreeSet<String>, String> {
    let mut wanted: BTreeSet<String> = match selectors {
        [] => project.models.keys().cloned().collect(),
        _ => union(project, selectors, modified)?,
    };
    for name in union(project, exclude, modified)? {
        wanted.remove(&name);
    }
    Ok(wanted)
}

fn union(
    project: &Project,
    selectors: &[String],
    modified: &dyn Fn(&Model) -> bool,
) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    for selector in selectors {
        let mut both: Option<BTreeSet<String>> = None;
        for part in selector.split(',') {
            let found = one(project, part.trim(), modified)?;
            both = Some(match both {
                Some(both) => both.intersection(&found).cloned().collect(),
                None => found,
            });
        }
        all.extend(both.unwrap_or_default());
    }
    Ok(all)
}

fn one(project: &Project, selector: &str, modified: &dyn Fn(&Model) -> bool) -> Result<BTreeSet<String>, String> {
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
    let found = named(project, core, modified)?;
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

fn named(project: &Project, core: &str, modified: &dyn Fn(&Model) -> bool) -> Result<BTreeSet<String>, String> {
    let models = || project.models.values();
    let those = |is: &dyn Fn(&Model) -> bool| -> BTreeSet<String> {
        models().filter(|m| is(m)).map(|m| m.name.clone()).collect()
    };
    if let Some(tag) = core.strip_prefix("tag:") {
        let found = those(&|m| m.config.tags.iter().any(|t| t == tag));
        let tags: BTreeSet<&str> = models().flat_map(|m| m.config.tags.iter().map(String::as_str)).collect();
        let known = tags.iter().copied().collect::<Vec<_>>().join(", ");
        let otherwise = if known.is_empty() { "no model has a tag".to_owned() } else { format!("there are {known}") };
        return match found.is_empty() {
            true => Err(format!("no model has tag `{tag}`{}", hint(tag, tags.iter().copied(), &otherwise))),
            false => Ok(found),
        };
    }
    if let Some(state) = core.strip_prefix("state:") {
        return match state {
            // Nothing may be modified: that is no mistake.
            "modified" => Ok(those(modified)),
            _ => Err(format!("unknown state `{state}`; there is `state:modified`")),
        };
    }
    let path = core.strip_prefix("path:").unwrap_or(core).trim_end_matches('/');
    let found = those(&|m| {
        let folder = m.file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        m.name == core || m.file == path || folder || glob(path, &m.name) || glob(path, &m.file)
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
