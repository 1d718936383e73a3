//! `envoi brief`: the headline comparison, as text or as a page.

use std::io::Write;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use envoi::{Config, Session};

use super::{Failure, Screen, print};
use crate::brief;
use crate::brief::data::{BriefData, BriefOptions};
use crate::brief::load::Ask;
use crate::output::file::OutputFile;

/// Flags of `envoi brief`.
#[derive(Debug, clap::Args)]
pub(crate) struct BriefArgs {
    /// One economy: ISO 3166 alpha-3 code or English name
    #[arg(long, value_name = "ISO3")]
    country: Option<String>,
    /// This year instead of the newest complete one
    #[arg(long, value_name = "Y")]
    year: Option<i32>,
    /// Write a self-contained page with charts and a map
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl BriefArgs {
    /// A page of the newest complete year.
    pub(super) fn page(country: Option<String>, html: PathBuf) -> Self {
        Self { country, year: None, html: Some(html) }
    }
}

impl Ask for Session {
    async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.run(sql).await?.collect().await?)
    }
}

pub(crate) async fn brief(config: &Config, screen: Screen, args: &BriefArgs) -> Result<u8, Failure> {
    let options = BriefOptions { country: args.country.clone(), year: args.year, ..BriefOptions::default() };
    let Some(path) = &args.html else {
        print_brief(config, screen, options).await?;
        return Ok(0);
    };
    let data = load(config, options).await?;
    let page = brief::html::render(&data);
    let written = OutputFile::create(path).and_then(|mut file| {
        file.write_all(page.as_bytes())?;
        file.commit()
    });
    written.map_err(|e| Failure::failed(format!("cannot write `{}`: {e}", path.display())))?;
    screen.say(&format!("wrote {}", path.display()));
    Ok(0)
}

/// The brief as text on standard output.
pub(super) async fn print_brief(config: &Config, screen: Screen, options: BriefOptions) -> Result<(), Failure> {
    let data = load(config, options).await?;
    print(&brief::text::render(&data, screen.width(), screen.terminal.color_out))
}

async fn load(config: &Config, options: BriefOptions) -> Result<BriefData, Failure> {
    let session = envoi::open(config).await?.owner().await?;
    let manifest = session.manifest().await?;
    let oldest = brief::origin::oldest_editions(&manifest);
    let options = BriefOptions { sample: manifest.sample, as_of: config.as_of(), oldest, ..options };
    brief::load::load(&session, options).await.map_err(|e| Failure::failed(e.to_string()))
}
