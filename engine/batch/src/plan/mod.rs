//! What has to be built, and why: told from what was recorded, without planning a query.

mod prints;
pub(crate) mod spans;

pub(crate) use prints::Prints;
pub(crate) use spans::Days;

use chrono::NaiveDate;
use envoi::lake::Manifest;
use envoi::lake::lake::PublishedModel;

use crate::project::{Materialisation, Model};

/// Whether a model has to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Neither it nor what it reads has changed.
    Unchanged,
    /// Its rows are what they would be; what is said of them is not.
    Said,
    /// Its rows may be others, and why.
    Build(Why),
}

/// Why a model is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// There is none.
    New,
    /// The query, its settings or the engine are others: nothing of what is there can stay.
    Query(String),
    /// Asked for.
    FullRefresh,
    /// So many days of it, asked for.
    Backfill,
    /// It gives other rows at other times.
    Volatile,
    /// These inputs have changed.
    Inputs(Vec<String>),
    /// Parts of it were not built yet.
    Pending,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::Query(what) => f.write_str(what),
            Self::FullRefresh => f.write_str("full refresh"),
            Self::Backfill => f.write_str("backfill"),
            Self::Volatile => f.write_str("its query gives other rows at other times"),
            Self::Inputs(tables) => write!(f, "input {} changed", tables.join(", ")),
            Self::Pending => f.write_str("partitions left to build"),
        }
    }
}

/// What is asked for beside what changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    pub(crate) full_refresh: bool,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

impl Asked {
    /// The days of a backfill.
    pub(crate) fn days(self) -> Option<Days> {
        (self.from.is_some() || self.to.is_some()).then(|| Days::between(self.from, self.to))
    }
}

/// Whether a model has to be built over that version.
pub(crate) fn judge(model: &Model, manifest: &Manifest, prints: &Prints, asked: Asked) -> Verdict {
    let Some(published) = manifest.model(&model.name) else { return Verdict::Build(Why::New) };
    if published.query_hash != model.query_hash {
        return Verdict::Build(Why::Query(difference(model, published)));
    }
    let kind = model.config.materialisation;
    // What a snapshot has seen cannot be seen again.
    if asked.full_refresh && kind != Materialisation::Snapshot {
        return Verdict::Build(Why::FullRefresh);
    }
    let by_time = model.config.incremental.as_ref().is_some_and(|i| i.time.is_some());
    if by_time && asked.days().is_some() {
        return Verdict::Build(Why::Backfill);
    }
    if published.volatile && kind != Materialisation::View {
        return Verdict::Build(Why::Volatile);
    }
    let changed: Vec<String> = published
        .inputs
        .iter()
        .filter(|input| prints.of(manifest, &input.table).as_ref() != Some(&input.fingerprint))
        .map(|input| input.table.strip_prefix("lake.").unwrap_or(&input.table).to_owned())
        .collect();
    if !changed.is_empty() {
        return Verdict::Build(Why::Inputs(changed));
    }
    if !published.pending.is_empty() {
        return Verdict::Build(Why::Pending);
    }
    if published.config_hash != model.config_hash { Verdict::Said } else { Verdict::Unchanged }
}

fn difference(model: &Model, published: &PublishedModel) -> String {
    match () {
        () if published.compiled != model.compiled => "query changed",
        () if published.materialisation != model.config.materialisation.name() => "materialisation changed",
        () if published.engine != crate::ENGINE => "engine changed",
        () => "settings changed",
    }
    .to_owned()
}
