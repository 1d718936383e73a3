//! `envoi source`: datasets that are known, and files taken in.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use envoi::Config;
use envoi::lake::import::{self, Descriptor, FileReport, Options, Report};
use envoi::lake::{Manifest, Printable};

use super::fetch::{FetchArgs, fetch, fetchable};
use super::progress::ImportProgress;
use super::{Failure, Screen, columns, print};

/// Subcommands of `envoi source`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SourceCommand {
    /// Datasets that envoi can import
    List,
    /// One dataset: licence, citation, formats, caveats, editions in the lake
    Show {
        /// Id, as `envoi source list` prints it
        id: String,
    },
    /// Download from the publisher, and import as one new version of the lake for each dataset
    Fetch(FetchArgs),
    /// Import files or folders as one new version of the lake
    Import {
        /// Files, folders, or the publisher's zip
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The dataset they must be of; by default it is recognised by content
        #[arg(long, value_name = "ID")]
        source: Option<String>,
        /// Date of the edition, where the file states none or a wrong one
        #[arg(long, value_name = "DATE")]
        vintage: Option<chrono::NaiveDate>,
        /// What is where in a survey or a bank's series, as TOML (docs/surveys.md); may be repeated
        #[arg(long, value_name = "FILE", conflicts_with = "source")]
        mapping: Vec<PathBuf>,
        /// The report as JSON: every file with its dataset, edition, rows and decisions
        #[arg(long)]
        json: bool,
    },
    /// Editions in the lake
    Status,
}

pub(crate) async fn source(config: &Config, screen: Screen, command: SourceCommand) -> Result<u8, Failure> {
    match command {
        SourceCommand::List => list(),
        SourceCommand::Show { id } => show(config, &id).await,
        SourceCommand::Status => status(config).await,
        SourceCommand::Fetch(args) => fetch(config, screen, &args).await,
        SourceCommand::Import { paths, source, vintage, mapping, json } => {
            if let Some(id) = &source {
                import::descriptor(id).map_err(|e| Failure::usage(e.to_string()))?;
            }
            let lake = envoi::default_lake(config)?;
            let progress = ImportProgress::new(screen);
            let mappings = mapping.iter().map(|path| read_mapping(path)).collect::<Result<Vec<_>, Failure>>()?;
            let options = Options { source, vintage, mappings, limits: config.import_limits(), expected: None };
            let report = import::import(&lake, &paths, &options, &|p| progress.show(p)).await;
            progress.end();
            let (report, label) = (report?, lake.store().label());
            print(&if json { as_json(&report, &label) } else { told(&report, screen, &label) })?;
            Ok(0)
        }
    }
}

fn read_mapping(path: &Path) -> Result<Arc<Descriptor>, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
    Ok(Arc::new(import::mapping(&text, &name)?))
}

fn list() -> Result<u8, Failure> {
    let rows = import::descriptors()?.iter().map(|d| {
        let fetch = if d.fetch.is_some() { "yes" } else { "" };
        vec![d.id.clone(), fetch.to_owned(), d.provider.clone(), d.dataset.clone(), d.formats.join("; ")]
    });
    print(&columns(&["id", "fetch", "provider", "dataset", "formats"], &rows.collect::<Vec<_>>()))?;
    Ok(0)
}

async fn show(config: &Config, id: &str) -> Result<u8, Failure> {
    let found = import::descriptor(id).map_err(|e| Failure::usage(e.to_string()))?;
    let mut text = format!("{}\n{}, {}\n{}\n\n", found.id, found.provider, found.dataset, found.description);
    let mut line = |label: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<10}{value}");
    };
    line("licence", &found.licence);
    line("citation", &found.citation);
    line("url", found.url.as_deref().unwrap_or("none"));
    line("formats", &found.formats.join("; "));
    line("tables", &found.tables.join(", "));
    for caveat in &found.caveats {
        line("caveat", caveat);
    }
    for (label, value) in fetchable(found) {
        line(label, &value);
    }
    let held = editions(config, &*current(config).await?, |source| source == found.id);
    text += "\n";
    text += &if held.is_empty() { "no edition in the lake\n".to_owned() } else { columns(&EDITIONS, &held) };
    print(&text)?;
    Ok(0)
}

async fn status(config: &Config) -> Result<u8, Failure> {
    let held = editions(config, &*current(config).await?, |_| true);
    if held.is_empty() {
        print("no edition in the lake; `envoi source fetch ID` or `envoi source import PATH` brings one\n")?;
        return Ok(0);
    }
    print(&columns(&EDITIONS, &held))?;
    Ok(0)
}

async fn current(config: &Config) -> Result<Arc<Manifest>, Failure> {
    Ok(envoi::open(config).await?.owner().await?.manifest().await?)
}

const EDITIONS: [&str; 7] = ["source", "vintage", "edition", "state", "rows", "file", "imported"];

/// The editions with how they stand: `current` ones are seen, of `older` ones a newer
/// edition is, `replaced` ones gave way to another file of their edition.
fn editions(config: &Config, manifest: &Manifest, wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut held: Vec<_> = manifest.sources.iter().filter(|s| wanted(&s.source_id)).collect();
    held.sort_by(|a, b| (&a.source_id, a.vintage, &a.edition).cmp(&(&b.source_id, b.vintage, &b.edition)));
    let row = |s: &&envoi::lake::lake::SourceEdition| {
        let printable = |text: &str| Printable(text).to_string();
        vec![
            s.source_id.clone(),
            s.vintage.to_string(),
            printable(&s.edition),
            manifest.standing(s, config.as_of()).to_string(),
            s.rows.to_string(),
            printable(&s.file),
            s.imported_at.clone(),
        ]
    };
    held.iter().map(row).collect()
}

/// What an import did, for programs.
fn as_json(report: &Report, lake: &str) -> String {
    let file = |file: &FileReport| {
        serde_json::json!({
            "file": file.file,
            "source_id": file.source_id,
            "edition": file.edition,
            "rows": file.rows,
            "notes": file.notes,
        })
    };
    let whole = serde_json::json!({
        "lake": lake,
        "version": report.version,
        "changed": report.changed,
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}

/// What an import did, file by file.
pub(super) fn told(report: &Report, screen: Screen, lake: &str) -> String {
    let mut text = String::new();
    for file in &report.files {
        let FileReport { file: name, source_id, edition, rows, notes } = file;
        let name = Printable(name);
        let _ = match (source_id, edition) {
            (Some(id), Some(edition)) => writeln!(text, "{name}: {id}, {edition}, {rows} rows"),
            _ => writeln!(text, "{name}: {}", notes.join("; ")),
        };
        if edition.is_some() && !screen.quiet {
            for note in notes {
                let _ = writeln!(text, "    {note}");
            }
        }
    }
    let _ = match report.changed {
        true => writeln!(text, "lake {lake} is at version {}", report.version),
        false => writeln!(text, "nothing new: lake {lake} stays at version {}", report.version),
    };
    text
}
