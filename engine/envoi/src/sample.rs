//! Which lake a command opens when none is named.

use envoi_lake::Lake;

use crate::config::{Config, data_folder};
use crate::error::Result;

/// The lake named; else the default one if it was ever made; else the sample
/// lake, written to the user's data folder on first use.
///
/// The sample is a lake of its own, so a user's imports never mix with it.
pub(crate) async fn default_or_sample(config: &Config) -> Result<Lake> {
    if let Some(url) = config.lake_url() {
        return Ok(Lake::open(url)?);
    }
    let lake = default_lake(config)?;
    if lake.current().await?.is_some() {
        return Ok(lake);
    }
    // The name changes with the version and the sample, so that a newer envoi brings its own.
    let name = format!("sample-{}-{}", env!("CARGO_PKG_VERSION"), envoi_lake::sample::EDITION);
    let folder = data_folder()?.join(name);
    let sample = Lake::open(&folder.display().to_string())?;
    if sample.current().await?.is_none() {
        match envoi_lake::sample::write(&sample).await {
            Ok(_) => {}
            // Another process wrote it meanwhile.
            Err(_) if sample.current().await?.is_some() => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(sample)
}

/// The lake that imports go to: the one named, or the default one.
pub fn default_lake(config: &Config) -> Result<Lake> {
    let location = match config.lake_url() {
        Some(url) => url.to_owned(),
        None => data_folder()?.join("lake").display().to_string(),
    };
    Ok(Lake::open(&location)?)
}
