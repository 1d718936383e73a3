//! `envoi generate`: invented data, marked as such.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use envoi::Config;
use envoi::lake::Class;
use envoi::lake::synthetic::{self, Economies, Plan, Progress, Report, Table};
use tokio::signal::unix::{SignalKind, signal};

use super::progress::GenerateProgress;
use super::{Failure, Screen, print, size};

/// Flags of `envoi generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// Table of the lake that the rows are of
    #[arg(value_enum)]
    table: Kind,
    /// Rows in all, such as 250000, 10_000_000 or 10M
    #[arg(long, value_name = "N", default_value = "100000", value_parser = rows)]
    rows: u64,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Folder to write to: new or empty
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// How many economies, those that receive most, or which: 50, or PHL,NPL [default: 1 for
    /// household, all corridors of the sample for transfer]
    #[arg(long, value_name = "N|ISO3,...", value_parser = economies)]
    countries: Option<Economies>,
    /// Strata of each economy's survey [default: 100, or what fits]
    #[arg(long, value_name = "N")]
    strata: Option<u64>,
    /// Primary sampling units of each economy's survey [default: 2000, or what fits]
    #[arg(long, value_name = "N")]
    psus: Option<u64>,
}

/// What can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Households of income surveys, one survey an economy
    Household,
    /// Transactions of remittance providers in a year
    Transfer,
}

fn economies(text: &str) -> Result<Economies, String> {
    text.parse()
}

/// A whole number of rows: `_` between digits, and `k`, `M` or `G` after them.
fn rows(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no number of rows; write 250000, 10_000_000 or 10M");
    let (digits, scale) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
        Some((at, 'm' | 'M')) => (text.get(..at), 1_000_000),
        Some((at, 'g' | 'G')) => (text.get(..at), 1_000_000_000),
        _ => (Some(text), 1_u64),
    };
    let digits = digits.unwrap_or_default().replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(scale)).ok_or_else(wrong)
}

pub(crate) async fn generate(config: &Config, screen: Screen, args: &GenerateArgs) -> Result<u8, Failure> {
    let plan = Plan {
        table: match args.table {
            Kind::Household => Table::Household,
            Kind::Transfer => Table::Transfer,
        },
        rows: args.rows,
        seed: args.seed,
        economies: args.countries.clone(),
        strata: args.strata,
        units: args.psus,
    };
    let stopped = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn(interrupted(Arc::clone(&stopped)));
    let progress = GenerateProgress::new(screen);
    let show = |event: Progress| {
        progress.show(event);
        !stopped.load(Ordering::Relaxed)
    };
    let made = synthetic::generate(&plan, &args.output, config.threads(), &show);
    progress.end();
    watch.abort();
    match made {
        Ok(Some(report)) => {
            print(&told(&report, args))?;
            Ok(0)
        }
        Ok(None) => Err(Failure::failed("cancelled; nothing was written")),
        Err(e) if e.class() == Class::User => Err(Failure::usage(e.to_string())),
        Err(e) => Err(e.into()),
    }
}

/// Waits for Ctrl-C, or for the end of the session, and says so.
async fn interrupted(stopped: Arc<AtomicBool>) {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stopped.store(true, Ordering::Relaxed);
    }
}

/// What was made, and how to ask it.
fn told(report: &Report, args: &GenerateArgs) -> String {
    const NAMED: usize = 3;
    let folder = args.output.display();
    let table = match args.table {
        Kind::Household => "household",
        Kind::Transfer => "transfer",
    };
    let mut sets = report.sets.iter().take(NAMED).map(|set| format!("`{set}`")).collect::<Vec<_>>().join(", ");
    // Writing to a string cannot fail.
    if let Some(more) = report.sets.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = write!(sets, " and {more} more");
    }
    let mut text = format!(
        "{folder}/{table}: {} rows in {} files, {}: {sets}\n",
        report.rows,
        report.files.len(),
        size(report.bytes)
    );
    let _ = writeln!(text, "invented, no survey and no record of anything: {folder}/README.md");
    let _ = writeln!(text, "select count(*) from '{folder}/{table}/*.parquet'  or  envoi source import {folder}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_rows() {
        for (text, number) in [("1", 1), ("10M", 10_000_000), ("2_500k", 2_500_000), ("1G", 1_000_000_000)] {
            assert_eq!(rows(text), Ok(number));
        }
        for text in ["", "M", "-1", "1.5", "1e6", "99999999999G", "ten", "1 000", "_"] {
            assert!(rows(text).unwrap_err().contains("is no number of rows"), "{text}");
        }
    }
}
