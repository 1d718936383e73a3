//! Which model reads which.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::{Model, Project};

/// Circles among models, each as a path that ends where it begins.
pub(crate) fn cycles(models: &BTreeMap<String, Model>) -> Vec<Vec<String>> {
    let (mut done, mut found) = (BTreeSet::new(), Vec::new());
    for start in models.keys() {
        let mut path: Vec<&str> = Vec::new();
        // The rest of what each model of the path reads.
        let mut rest: Vec<Vec<&str>> = Vec::new();
        let mut next = Some(start.as_str());
        loop {
            match next.take() {
                Some(name) if path.contains(&name) => {
                    let circle = path.iter().skip_while(|n| **n != name).chain([&name]);
                    found.push(circle.map(|n| (*n).to_owned()).collect());
                }
                Some(name) if !done.contains(name) => {
                    path.push(name);
                    let reads = models.get(name).map(|m| m.reads.iter().rev().map(String::as_str).collect());
                    rest.push(reads.unwrap_or_default());
                }
                _ => {}
            }
            match rest.last_mut() {
                Some(more) => match more.pop() {
                    Some(name) => next = Some(name),
                    None => {
                        rest.pop();
                        done.extend(path.pop());
                    }
                },
                None => break,
            }
        }
    }
    found
}

/// Models in an order in which each comes after those that it reads; by name where that leaves a choice.
pub(crate) fn order(project: &Project, wanted: &BTreeSet<String>) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut readers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in wanted {
        let reads = project.models.get(name).map(|m| &m.reads);
        let reads: Vec<&str> =
            reads.into_iter().flatten().filter(|r| wanted.contains(*r)).map(String::as_str).collect();
        left.insert(name, reads.len());
        for read in reads {
            readers.entry(read).or_default().push(name);
        }
    }
    let mut ready: BTreeSet<&str> = left.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(wanted.len());
    while let Some(name) = ready.pop_first() {
        order.push(name.to_owned());
        for reader in readers.get(name).into_iter().flatten() {
            if let Some(n) = left.get_mut(reader) {
                *n -= 1;
                if *n == 0 {
                    ready.insert(reader);
                }
            }
        }
    }
    order
}

/// Models that a model reads, or that read it, so many steps away; `None`: all.
pub(crate) fn around(project: &Project, name: &str, up: bool, steps: Option<usize>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut edge: BTreeSet<String> = [name.to_owned()].into();
    let mut left = steps.unwrap_or(usize::MAX);
    while left > 0 && !edge.is_empty() {
        let near = |of: &str| -> Vec<String> {
            if up {
                return project.models.get(of).into_iter().flat_map(|m| m.reads.iter().cloned()).collect();
            }
            project.models.values().filter(|m| m.reads.contains(of)).map(|m| m.name.clone()).collect()
        };
        edge = edge.iter().flat_map(|n| near(n)).filter(|n| !found.contains(n)).collect();
        found.extend(edge.iter().cloned());
        left -= 1;
    }
    found
}
