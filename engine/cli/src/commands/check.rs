//! `envoi check`: what is to be known of the lake's figures before they are used.

use std::collections::BTreeMap;
use std::io::stdin;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{Days, NaiveDate};
use envoi::library::{Check, Severity, checks};
use envoi::{Config, Session};
use nu_ansi_term::Style;

use super::{Failure, Screen, print};
use crate::output::{Format, fit, printable};
use crate::shell::Streams;
use crate::sql::{self as statements, EXIT_FAILED, Input, SqlArgs};

/// Findings of a check that the report shows.
const SHOWN: usize = 5;
/// Revisions are counted from a year before the newest edition.
const YEAR: Days = Days::new(365);

/// Flags of `envoi check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Only checks of these tables, such as observation
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// Count changes from the editions of this day; by default a year before the newest edition
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// All findings as rows in this format, instead of the report
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write all findings to FILE, whole or not at all
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 1 if there is a warning
    #[arg(long)]
    strict: bool,
}

impl CheckArgs {
    /// These tables, to a file if one is named.
    pub(super) fn of(tables: Vec<String>, output: Option<PathBuf>, strict: bool) -> Self {
        Self { tables, since: None, format: None, output, strict }
    }
}

pub(crate) async fn check(config: &Config, screen: Screen, args: &CheckArgs) -> Result<u8, Failure> {
    let wanted = wanted(&args.tables)?;
    let session = envoi::open(config).await?.owner().await?;
    let since = match args.since {
        Some(day) => day,
        None => before_newest(&session).await?,
    };
    let sizes = sizes(&session, &wanted).await?;
    let (ready, idle): (Vec<&Check>, Vec<&Check>) = wanted.into_iter().partition(|c| lacking(c, &sizes).is_none());
    for check in idle {
        let table = lacking(check, &sizes).unwrap_or_default();
        screen.say(&format!("{}: not checked, table `{table}` has no rows", check.name));
    }
    let mut warnings = 0;
    let as_rows = args.format.is_some() || args.output.is_some();
    for check in &ready {
        if as_rows && !args.strict {
            break;
        }
        let batches = session.run(&check.sql(since)).await?.collect().await?;
        let findings: usize = batches.iter().map(RecordBatch::num_rows).sum();
        warnings += if check.meta.severity == Severity::Warning { findings } else { 0 };
        if !as_rows {
            print(&report(check, &batches, findings, screen)?)?;
        }
    }
    if as_rows {
        if ready.is_empty() {
            return Err(Failure::failed("there is nothing to check: the tables have no rows"));
        }
        let inputs = vec![Input::Command(union(&ready, since))];
        let sql = SqlArgs { inputs, format: args.format, output: args.output.clone(), ..SqlArgs::default() };
        let code = statements::run(&session, &sql, screen.terminal, Streams::process(), &mut stdin()).await;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(if args.strict && warnings > 0 { EXIT_FAILED } else { 0 })
}

/// The checks that read one of the tables, or all.
pub(super) fn wanted(tables: &[String]) -> Result<Vec<&'static Check>, Failure> {
    let all = checks()?;
    let mut known: Vec<&str> = all.iter().flat_map(|c| c.meta.tables.iter().map(String::as_str)).collect();
    known.sort_unstable();
    known.dedup();
    let named: Vec<&str> = tables.iter().map(|t| t.strip_prefix("lake.").unwrap_or(t)).collect();
    if let Some(unknown) = named.iter().find(|t| !known.contains(t)) {
        return Err(Failure::usage(format!("no check reads `{unknown}`; there are checks of {}", known.join(", "))));
    }
    Ok(all.iter().filter(|c| named.is_empty() || c.meta.tables.iter().any(|t| named.contains(&t.as_str()))).collect())
}

/// A year before the newest edition in the lake; of a lake without one, any day will do.
async fn before_newest(session: &Session) -> Result<NaiveDate, Failure> {
    let manifest = session.manifest().await?;
    let newest = manifest.sources.iter().map(|s| s.vintage).max();
    Ok(newest.and_then(|day| day.checked_sub_days(YEAR)).unwrap_or(NaiveDate::MIN))
}

/// Rows of every table that the checks read.
async fn sizes(session: &Session, wanted: &[&Check]) -> Result<BTreeMap<String, bool>, Failure> {
    let mut sizes = BTreeMap::new();
    for table in wanted.iter().flat_map(|c| &c.meta.tables) {
        if !sizes.contains_key(table) {
            let sql = format!("select 1 from lake.{table} limit 1");
            let rows: usize = session.run(&sql).await?.collect().await?.iter().map(RecordBatch::num_rows).sum();
            sizes.insert(table.clone(), rows > 0);
        }
    }
    Ok(sizes)
}

/// The first table of a check that has no rows.
fn lacking<'a>(check: &'a Check, sizes: &BTreeMap<String, bool>) -> Option<&'a str> {
    check.meta.tables.iter().find(|t| sizes.get(*t) == Some(&false)).map(String::as_str)
}

/// All findings as one result set.
fn union(checks: &[&Check], since: NaiveDate) -> String {
    let parts: Vec<String> = checks
        .iter()
        .map(|c| {
            let (name, severity) = (&c.name, c.meta.severity);
            format!(
                "select '{name}' as check_name, '{severity}' as severity, found.* from (\n{}\n) as found",
                c.sql(since)
            )
        })
        .collect();
    format!("{}\norder by check_name, table_name, indicator, iso3, year desc, finding", parts.join("\nunion all\n"))
}

/// Heading, how many there are, and the first few.
fn report(check: &Check, batches: &[RecordBatch], findings: usize, screen: Screen) -> Result<String, Failure> {
    let bold = if screen.terminal.color_out { Style::new().bold() } else { Style::new() };
    let count = match findings {
        0 => "none".to_owned(),
        1 => format!("1 {}", check.meta.severity),
        n => format!("{n} {}s", check.meta.severity),
    };
    let mut text = format!("{}: {count}\n", bold.paint(format!("{} ({})", check.meta.title, check.name)));
    let mut shown = 0;
    for batch in batches {
        let columns = batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &FormatOptions::default()));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| Failure::failed(e.to_string()))?;
        let cell = |name: &str, row: usize| {
            let column = batch.schema().index_of(name).ok().and_then(|i| columns.get(i));
            column.map(|c| printable(&c.value(row).to_string()).into_owned()).unwrap_or_default()
        };
        for row in 0..batch.num_rows().min(SHOWN - shown) {
            let place = ["iso3", "year", "indicator"].map(|name| cell(name, row));
            let place: Vec<&str> = place.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
            let line = format!("  {}: {}", place.join(" "), cell("finding", row));
            text += &format!("{}\n", fit(&line, screen.width()));
            shown += 1;
        }
    }
    if findings > shown {
        text += &format!("  and {} more\n", findings - shown);
    }
    Ok(text)
}
