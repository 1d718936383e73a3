//! `envoi lake`: versions, tables, checksums, sizes.

use std::collections::BTreeMap;
use std::time::Duration;

use envoi::Config;
use envoi::lake::lake::GRACE;
use envoi::lake::{Lake, import};

use super::{Failure, Screen, columns, print, size};

/// Subcommands of `envoi lake`.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum LakeCommand {
    /// Make a lake with the reference tables only
    Init,
    /// Where it is, which version, how large
    Status,
    /// Tables with rows, files and sizes
    Tables,
    /// Versions, newest first
    History,
    /// Compare every file with its checksum
    Verify,
    /// Remove files that no version names, and old versions if asked
    Gc {
        /// Keep only so many versions, the newest
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
        /// Remove also files younger than an hour; only when no import is running
        #[arg(long)]
        now: bool,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) async fn lake(config: &Config, screen: Screen, command: LakeCommand) -> Result<u8, Failure> {
    if matches!(command, LakeCommand::Init) {
        let lake = envoi::default_lake(config)?;
        let version = import::init(&lake).await?;
        print(&format!("made lake {} at version {version}\n", lake.store().label()))?;
        return Ok(0);
    }
    let factory = envoi::open(config).await?;
    let lake = factory.runtime().lake();
    if lake.current().await?.is_none() {
        let label = lake.store().label();
        return Err(Failure::failed(format!(
            "there is no lake at `{label}`; `envoi lake init` or `envoi source import` makes one"
        )));
    }
    match command {
        LakeCommand::Init => Ok(0),
        LakeCommand::Status => status(config, lake).await,
        LakeCommand::Tables => tables(config, lake).await,
        LakeCommand::History => history(lake).await,
        LakeCommand::Verify => verify(config, lake, screen).await,
        LakeCommand::Gc { keep, now, dry_run } => gc(lake, keep, now, dry_run).await,
    }
}

async fn manifest(config: &Config, lake: &Lake) -> Result<std::sync::Arc<envoi::lake::Manifest>, Failure> {
    match config.lake_version() {
        Some(version) => Ok(lake.version(version).await?),
        None => lake.current().await?.ok_or_else(|| Failure::failed("the lake vanished")),
    }
}

async fn status(config: &Config, lake: &Lake) -> Result<u8, Failure> {
    let manifest = manifest(config, lake).await?;
    let bytes = manifest.files.iter().map(|f| f.bytes).sum();
    let rows: u64 = manifest.files.iter().filter(|f| f.schema == "lake").map(|f| f.rows).sum();
    let views = manifest.models.iter().filter(|m| m.is_view()).count();
    let tables = manifest.models.len() - views;
    let mut text =
        format!("lake      {}\nversion   {} of {}\n", lake.store().label(), manifest.version, manifest.created_at);
    text += &format!("made by   {}: {}\n", manifest.engine, manifest.operation);
    text += &format!(
        "holds     {rows} rows in {} files, {}, {} editions\n",
        manifest.files.len(),
        size(bytes),
        manifest.sources.len()
    );
    if !manifest.models.is_empty() {
        text += &format!("models    {tables} tables, {views} views\n");
    }
    if manifest.sample {
        text += "sample    a selection of published figures: no total over it is a world total\n";
    }
    print(&text)?;
    Ok(0)
}

async fn tables(config: &Config, lake: &Lake) -> Result<u8, Failure> {
    let manifest = manifest(config, lake).await?;
    let mut tables: BTreeMap<(String, String), (u64, u64, u64)> = BTreeMap::new();
    for file in manifest.visible(config.as_of()) {
        let (rows, files, bytes) = tables.entry((file.schema.clone(), file.table.clone())).or_default();
        *rows += file.rows;
        *files += 1;
        *bytes += file.bytes;
    }
    let rows = tables.into_iter().map(|((schema, table), (rows, files, bytes))| {
        vec![format!("{schema}.{table}"), rows.to_string(), files.to_string(), size(bytes)]
    });
    print(&columns(&["table", "rows", "files", "size"], &rows.collect::<Vec<_>>()))?;
    Ok(0)
}

async fn history(lake: &Lake) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    let mut versions = lake.versions().await?.into_iter().rev().peekable();
    while let Some(version) = versions.next() {
        let m = lake.version(version).await?;
        let before = match versions.peek() {
            Some(before) => lake.version(*before).await?.models.clone(),
            None => Vec::new(),
        };
        let made = m.models.iter().filter(|model| !before.contains(model)).map(|model| model.name.as_str());
        let bytes = m.files.iter().map(|f| f.bytes).sum();
        rows.push(vec![
            version.to_string(),
            m.created_at.clone(),
            m.files.len().to_string(),
            size(bytes),
            m.operation.clone(),
            made.collect::<Vec<_>>().join(", "),
        ]);
    }
    print(&columns(&["version", "published", "files", "size", "operation", "models"], &rows))?;
    Ok(0)
}

async fn verify(config: &Config, lake: &Lake, screen: Screen) -> Result<u8, Failure> {
    let manifest = manifest(config, lake).await?;
    let mut checked = 0;
    let damages = lake.verify(&manifest, |bytes| checked += bytes).await?;
    if damages.is_empty() {
        print(&format!(
            "version {}: {} files, {}, all as their checksums say\n",
            manifest.version,
            manifest.files.len(),
            size(checked)
        ))?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = damages.iter().map(|d| vec![d.path.clone(), d.what.clone()]).collect();
    print(&columns(&["file", "damage"], &rows))?;
    screen.say("import the sources of the damaged files again, or read an older version with --lake-version");
    Err(Failure::failed(format!("{} of {} files are damaged", damages.len(), manifest.files.len())))
}

async fn gc(lake: &Lake, keep: Option<usize>, now: bool, dry_run: bool) -> Result<u8, Failure> {
    let grace = if now { Duration::ZERO } else { GRACE };
    let collected = lake.gc(keep, grace, dry_run).await?;
    let verb = if dry_run { "would remove" } else { "removed" };
    print(&format!(
        "{verb} {} versions and {} files, {}\n",
        collected.versions.len(),
        collected.files.len(),
        size(collected.bytes)
    ))?;
    Ok(0)
}
