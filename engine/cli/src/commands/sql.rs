//! `envoi sql`, and `envoi` alone.

use std::io::stdin;

use envoi::Config;
use tokio::runtime::Runtime;

use super::{Failure, Screen};
use crate::brief::data::BriefOptions;
use crate::prompt::{self, PromptOptions};
use crate::shell::Streams;
use crate::sql::{self as statements, SqlArgs};

pub(crate) fn sql(config: &Config, screen: Screen, runtime: &Runtime, args: SqlArgs) -> Result<u8, Failure> {
    let args = SqlArgs { quiet: screen.quiet, ..args };
    if args.wants_prompt(screen.terminal) {
        return open_prompt(config, screen, runtime, args);
    }
    let session = runtime.block_on(async { envoi::open(config).await?.owner().await })?;
    Ok(runtime.block_on(statements::run(&session, &args, screen.terminal, Streams::process(), &mut stdin())))
}

/// The brief; then, with a person at both ends, the prompt.
pub(crate) fn welcome(config: &Config, screen: Screen, runtime: &Runtime) -> Result<u8, Failure> {
    runtime.block_on(super::brief::print_brief(config, screen, BriefOptions::default()))?;
    let args = SqlArgs { quiet: screen.quiet, ..SqlArgs::default() };
    if screen.terminal.stdout && args.wants_prompt(screen.terminal) {
        return open_prompt(config, screen, runtime, args);
    }
    Ok(0)
}

fn open_prompt(config: &Config, screen: Screen, runtime: &Runtime, args: SqlArgs) -> Result<u8, Failure> {
    let session = runtime.block_on(async { envoi::open(config).await?.owner().await })?;
    let greeting = match screen.quiet {
        true => String::new(),
        false => {
            format!("envoi {}, lake {}; \\? for help, \\q to leave", env!("CARGO_PKG_VERSION"), session.lake_label())
        }
    };
    // A setting of nought keeps none.
    let history = envoi::config::data_folder().ok().zip(Some(config.history()).filter(|n| *n > 0));
    Ok(prompt::run(&session, runtime.handle(), screen.terminal, &PromptOptions { history, greeting, sql: args }))
}
