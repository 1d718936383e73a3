//! Models of the lake that the project no longer has: said in every run of the whole project, and taken out by one
//! that is asked to.

use std::collections::BTreeSet;

use envoi::lake::Manifest;
use envoi::lake::lake::PublishedModel;

use super::{Options, Planned, RunError};
use crate::hint::hint_of_all;
use crate::project::{Problem, Project};

/// What becomes of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gone {
    /// They stay.
    pub(crate) left: Vec<String>,
    /// They are taken out with what the run publishes.
    pub(crate) pruned: BTreeSet<String>,
}

pub(super) fn gone(project: &Project, manifest: &Manifest, options: &Options) -> Result<Gone, RunError> {
    let whole = options.selectors.is_empty() && options.exclude.is_empty();
    // What another folder's project made is none of this one's affair.
    let ours = |m: &&PublishedModel| {
        !project.models.contains_key(&m.name) && m.project.as_deref() == Some(project.identity.as_str())
    };
    let all = || manifest.models.iter().filter(ours).map(|m| m.name.clone());
    let pruned: BTreeSet<String> = match &options.prune {
        None if whole => return Ok(Gone { left: all().collect(), pruned: BTreeSet::new() }),
        None => return Ok(Gone::default()),
        Some(names) if names.is_empty() && whole => all().collect(),
        Some(names) if names.is_empty() => {
            let what = "`--prune` takes out whatever the project no longer has; beside selectors it names the models, \
                        such as `--prune=a,b`";
            return Err(RunError::Usage(what.to_owned()));
        }
        Some(names) => names.iter().cloned().collect(),
    };
    for name in &pruned {
        if let Some(model) = project.models.get(name) {
            let what =
                format!("`--prune={name}`: the project has model `{name}`, in `{}`; delete the file", model.file);
            return Err(RunError::Usage(what));
        }
        if manifest.model(name).is_none() {
            let near = hint_of_all(name, manifest.models.iter().map(|m| m.name.as_str()));
            return Err(RunError::Usage(format!("`--prune={name}`: the lake has no model `{name}`{near}")));
        }
    }
    readers(project, manifest, &pruned)?;
    Ok(Gone { left: Vec::new(), pruned })
}

/// Whoever reads what is to go would be left without it.
fn readers(project: &Project, manifest: &Manifest, pruned: &BTreeSet<String>) -> Result<(), RunError> {
    let mut problems = Vec::new();
    for model in project.models.values() {
        let tables = model.tables.iter().chain(&model.tested).filter_map(|t| t.strip_prefix("model."));
        for read in tables.filter(|read| pruned.contains(*read)) {
            let what = format!("it reads model `{read}`, which the project no longer has and `--prune` takes out");
            problems.push(Problem::new(model.file.as_str(), what));
        }
    }
    if !problems.is_empty() {
        return Err(RunError::Problems(problems));
    }
    // Those of the project are built anew, or are found out after that.
    let others = |m: &&PublishedModel| !pruned.contains(&m.name) && !project.models.contains_key(&m.name);
    let Some(reader) = manifest.models.iter().filter(others).find(|m| m.reads_any(pruned)) else { return Ok(()) };
    let read = reader.inputs.iter().filter_map(|i| i.table.strip_prefix("model.")).find(|r| pruned.contains(*r));
    let whose = reader.project.as_ref().map(|p| format!(" of project `{p}`")).unwrap_or_default();
    Err(RunError::Usage(format!(
        "`--prune` would take out model `{}`, which model `{}`{whose} reads; take that out first, or with it: \
         `--prune={},{}`",
        read.unwrap_or_default(),
        reader.name,
        read.unwrap_or_default(),
        reader.name
    )))
}

impl Gone {
    /// As lines of the plan.
    pub(super) fn planned(&self, manifest: &Manifest) -> Vec<Planned> {
        let line = |name: &String, reason: &str| Planned {
            name: name.clone(),
            materialisation: manifest.model(name).map(|m| m.materialisation.clone()).unwrap_or_default(),
            gone: true,
            built: false,
            reason: reason.to_owned(),
            reads: Vec::new(),
            sql: String::new(),
            rows: None,
        };
        let left = self.left.iter().map(|name| line(name, "no longer in the project; `--prune` takes it out"));
        left.chain(self.pruned.iter().map(|name| line(name, "is taken out"))).collect()
    }
}
