//! `envoi source fetch`: from the publisher into the lake.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use envoi::Config;
use envoi::lake::Printable;
use envoi::lake::fetch::{self as publishers, Client, Fetched, Request, State, Wanted};
use envoi::lake::import::{self, Descriptor, Options};

use super::progress::{FetchProgress, ImportProgress};
use super::source::told;
use super::{Failure, Screen, print, size};

/// What of which datasets.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct FetchArgs {
    /// Ids, as `envoi source list` prints them
    #[arg(required = true)]
    ids: Vec<String>,
    /// Which form of the dataset, where the publisher offers several (`envoi source show ID`)
    #[arg(long, value_name = "NAME")]
    form: Option<String>,
    /// Codes of indicators, by comma or repeated: the same as --set indicator=CODE
    #[arg(long, value_name = "CODE")]
    indicator: Vec<String>,
    /// A parameter of the dataset, as NAME=VALUE or NAME=VALUE,VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Date of the edition, where the file states none or a wrong one
    #[arg(long, value_name = "DATE")]
    vintage: Option<chrono::NaiveDate>,
    /// SHA-256 that the file must have; for a form of one file
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Download also what is here already and did not change
    #[arg(long, conflicts_with = "offline")]
    again: bool,
    /// Ask no publisher: import what was downloaded before
    #[arg(long)]
    offline: bool,
    /// Download only, and say where the files are
    #[arg(long)]
    no_import: bool,
    /// Say which addresses would be asked, and ask none
    #[arg(long)]
    dry_run: bool,
}

impl FetchArgs {
    /// The usual form of these datasets.
    pub(super) fn of(ids: Vec<String>) -> Self {
        Self { ids, ..Self::default() }
    }

    /// Options that mean something of one dataset only.
    fn particular(&self) -> Option<&'static str> {
        let given = [
            ("--form", self.form.is_some()),
            ("--indicator", !self.indicator.is_empty()),
            ("--set", !self.set.is_empty()),
            ("--vintage", self.vintage.is_some()),
            ("--sha256", self.sha256.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }

    fn wanted(&self) -> Result<Wanted, Failure> {
        let mut wanted = Wanted { form: self.form.clone(), ..Wanted::default() };
        let mut put = |name: &str, values: &str| {
            wanted.values.entry(name.to_owned()).or_default().extend(values.split(',').map(|v| v.trim().to_owned()));
        };
        self.indicator.iter().for_each(|values| put("indicator", values));
        for text in &self.set {
            let (name, values) = text
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("`{text}` is no parameter; write --set NAME=VALUE")))?;
            put(name.trim(), values);
        }
        Ok(wanted)
    }
}

pub(crate) async fn fetch(config: &Config, screen: Screen, args: &FetchArgs) -> Result<u8, Failure> {
    let failures = fetched(config, screen, args).await?;
    Ok(failures.into_iter().map(|failure| failure.report(screen)).max().unwrap_or(0))
}

/// Fetches, and gives what failed, by publisher.
pub(super) async fn fetched(config: &Config, screen: Screen, args: &FetchArgs) -> Result<Vec<Failure>, Failure> {
    let found: Vec<&Descriptor> = args.ids.iter().map(|id| known(id)).collect::<Result<_, _>>()?;
    if let (Some(option), true) = (args.particular(), found.len() > 1) {
        return Err(Failure::usage(format!("{option} is of one dataset; fetch them one at a time")));
    }
    let wanted = args.wanted()?;
    for descriptor in &found {
        let planned = publishers::endpoint(descriptor)?.plan(&wanted).map_err(|e| Failure::usage(e.to_string()))?;
        if args.dry_run {
            print(&planned.iter().fold(String::new(), |text, one| text + &address(one)))?;
        }
    }
    if args.dry_run {
        return Ok(Vec::new());
    }
    let request = Request {
        wanted,
        sha256: args.sha256.clone(),
        again: args.again,
        offline: args.offline,
        most_bytes: config.import_limits().file_bytes,
    };
    let client = Client::new(config.fetch_manners());
    let folder = config.fetch_folder()?;
    let mut failures = Vec::new();
    for descriptor in found {
        // What one publisher refuses does not keep the others out.
        if let Err(failure) = one(config, screen, args, descriptor, (&request, &client, &folder)).await {
            failures.push(failure);
        }
    }
    Ok(failures)
}

/// The descriptor of that id; the error for another lists those that can be fetched.
pub(super) fn known(id: &str) -> Result<&'static Descriptor, Failure> {
    let found = import::descriptor(id).map_err(|e| Failure::usage(e.to_string()))?;
    if found.fetch.is_some() {
        return Ok(found);
    }
    let others = import::descriptors()?.iter().filter(|d| d.fetch.is_some()).map(|d| d.id.as_str());
    let others = others.collect::<Vec<_>>().join("`, `");
    match publishers::endpoint(found) {
        Err(e) => Err(Failure::usage(format!("{e}; `source fetch` knows `{others}`"))),
        Ok(_) => Ok(found),
    }
}

fn address(one: &publishers::Planned) -> String {
    match &one.newest {
        None => format!("{}\n", one.url),
        Some(newest) if one.url == "{newest}" => {
            format!("{} for the newest of {}\n", newest.ask, newest.pattern.as_deref().unwrap_or_default())
        }
        Some(newest) => format!("{} for the newest version\n{}\n", newest.ask, one.url),
    }
}

async fn one(
    config: &Config,
    screen: Screen,
    args: &FetchArgs,
    descriptor: &'static Descriptor,
    (request, client, folder): (&Request, &Client, &Path),
) -> Result<(), Failure> {
    let progress = FetchProgress::new(screen);
    let fetched = publishers::fetch(descriptor, request, client, folder, &|event| progress.show(event));
    progress.end();
    let fetched = fetched?;
    print(&said(&fetched, args.no_import))?;
    if args.no_import {
        return Ok(());
    }
    let lake = envoi::default_lake(config)?;
    let progress = ImportProgress::new(screen);
    let paths: Vec<PathBuf> = fetched.into_iter().map(|f| f.path).collect();
    let options = Options {
        expected: Some(descriptor.id.clone()),
        vintage: args.vintage,
        limits: config.import_limits(),
        ..Options::default()
    };
    let report = import::import(&lake, &paths, &options, &|p| progress.show(p)).await;
    progress.end();
    print(&told(&report?, screen, &lake.store().label()))
}

/// What came, file by file.
fn said(fetched: &[Fetched], whole_paths: bool) -> String {
    let mut text = String::new();
    for one in fetched {
        let name = match whole_paths {
            true => one.path.display().to_string(),
            false => one.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let state = match (one.state, &one.last_modified) {
            (State::New, _) => format!("downloaded from {}", one.url),
            (State::Same, _) => "downloaded again, the same as before".to_owned(),
            (State::Unchanged, Some(day)) => format!("current: unchanged at the publisher since {}", Printable(day)),
            (State::Unchanged, None) => "current: unchanged at the publisher".to_owned(),
            (State::Kept, _) => "as downloaded before; the publisher was not asked".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}, {state}", Printable(&name), size(one.bytes));
    }
    text
}

/// Lines of `source show` on what can be fetched.
pub(super) fn fetchable(descriptor: &Descriptor) -> Vec<(&'static str, String)> {
    let Some(endpoint) = &descriptor.fetch else { return Vec::new() };
    let usual = endpoint.usual();
    let mut lines =
        vec![("fetch", format!("envoi source fetch {}, from {}", descriptor.id, endpoint.hosts.join(", ")))];
    for form in endpoint.forms() {
        let mark = if usual.contains(&form) { " (usual)" } else { "" };
        let files = endpoint.files.iter().filter(|f| f.form == form).map(|f| match &f.newest {
            Some(newest) if f.url == "{newest}" => newest.pattern.clone().unwrap_or_default(),
            _ => f.url.clone(),
        });
        lines.push(("form", format!("{form}{mark}: {}", files.collect::<Vec<_>>().join(" "))));
    }
    for (name, parameter) in &endpoint.parameters {
        let default = parameter.default.join(",");
        let default = if default.is_empty() { "empty" } else { &default };
        lines.push(("set", format!("{name}: {}; default {default}", parameter.about)));
    }
    lines
}
