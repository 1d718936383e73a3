//! Column names: unique without regard to case, and predictable.

use std::collections::HashSet;

use super::{Decision, Warning};

/// Gives blank names `column_N` (N counts from 1) and repeated ones `_2`, `_3`.
pub(super) fn unique(
    names: Vec<String>,
    line: u64,
    decisions: &mut Vec<Decision>,
    warnings: &mut Vec<Warning>,
) -> Vec<String> {
    let taken: HashSet<String> = names.iter().map(|n| n.to_lowercase()).collect();
    let mut used: HashSet<String> = HashSet::new();
    let mut renamed = Vec::new();
    let mut out = Vec::with_capacity(names.len());
    for (i, name) in names.into_iter().enumerate() {
        let unnamed = name.is_empty();
        let base = if unnamed { format!("column_{}", i + 1) } else { name };
        let mut name = base.clone();
        let mut n = 2;
        while used.contains(&name.to_lowercase()) || (name != base && taken.contains(&name.to_lowercase())) {
            name = format!("{base}_{n}");
            n += 1;
        }
        used.insert(name.to_lowercase());
        if unnamed {
            decisions.push(Decision::new("column without a name", None, name.clone(), 1, vec![line]));
        } else if name != base {
            renamed.push(name.clone());
        }
        out.push(name);
    }
    if !renamed.is_empty() {
        let what = format!("columns named like an earlier one (case aside) are now `{}`", renamed.join("`, `"));
        warnings.push(Warning::new("duplicate-column", what, renamed.len(), vec![line]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart() {
        let (mut decisions, mut warnings) = (Vec::new(), Vec::new());
        let names = ["iso3", "value", "value", "Value", "value_2", ""].map(str::to_owned).to_vec();
        let names = unique(names, 1, &mut decisions, &mut warnings);
        assert_eq!(names, ["iso3", "value", "value_3", "Value_4", "value_2", "column_6"]);
        assert_eq!((decisions.len(), warnings.len()), (1, 1));
    }
}
