//! One file a command: what each does beside running SQL.

mod brief;
mod check;
mod fetch;
mod generate;
mod history;
mod lake;
mod progress;
mod reference;
mod run;
mod schedule;
mod serve;
mod source;
mod sql;
mod user;

use std::io::{self, Write};

use envoi::Class;

use crate::sql::{EXIT_FAILED, EXIT_USAGE};
use crate::terminal::Terminal;

pub(crate) use brief::{BriefArgs, brief};
pub(crate) use check::{CheckArgs, check};
pub(crate) use generate::{GenerateArgs, generate};
pub(crate) use history::{HistoryArgs, history};
pub(crate) use lake::{LakeCommand, lake};
pub(crate) use reference::{completions, config, functions};
pub(crate) use run::{RunArgs, run};
pub(crate) use schedule::{ScheduleArgs, schedule};
pub(crate) use serve::{ServeArgs, serve};
pub(crate) use source::{SourceCommand, source};
pub(crate) use sql::{sql, welcome};
use user::users_file;
pub(crate) use user::{UserCommand, user};

/// What is said, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) terminal: Terminal,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Screen {
    /// Columns to fill.
    pub(crate) fn width(self) -> usize {
        const USUAL: usize = 100;
        self.terminal.size().map_or(USUAL, |(columns, _)| columns.clamp(40, 120))
    }

    /// Says something that is not a result.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            // Nobody may be listening; that is no failure of the command.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Why a command ends with a code other than 0.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command line or a setting was wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: EXIT_USAGE, message: message.into() }
    }

    /// A query, file or lake was.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { code: EXIT_FAILED, message: message.into() }
    }

    /// Says it on stderr and gives the exit code. A reader of the results who
    /// left has had enough: that is success.
    pub(crate) fn report(self, screen: Screen) -> u8 {
        if self.message.is_empty() {
            return self.code;
        }
        let style =
            if screen.terminal.color_err { nu_ansi_term::Color::Red.bold() } else { nu_ansi_term::Style::new() };
        let _ = writeln!(io::stderr(), "{} {}", style.paint("error:"), self.message);
        self.code
    }
}

impl From<envoi::Error> for Failure {
    fn from(error: envoi::Error) -> Self {
        match error.class() {
            Class::Cancelled => Self::failed("cancelled"),
            _ => Self::failed(error.to_string()),
        }
    }
}

impl From<envoi::lake::Error> for Failure {
    fn from(error: envoi::lake::Error) -> Self {
        envoi::Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { code: 0, message: String::new() },
            _ => Self::failed(format!("cannot write: {error}")),
        }
    }
}

/// Writes results to standard output at once, so that a closed pipe is seen here.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Says what clap says instead of running: help and version on standard output,
/// a wrong command line on standard error. Gives the exit code.
pub(crate) fn answer(said: &clap::Error) -> u8 {
    let printed = said.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(e) if !said.use_stderr() => {
            let terminal = Terminal::detect(crate::terminal::ColorChoice::Auto);
            Failure::from(e).report(Screen { terminal, quiet: false, verbose: false })
        }
        _ => u8::try_from(said.exit_code()).unwrap_or(EXIT_USAGE),
    }
}

/// Rows of text in aligned columns, two blanks apart; numbers of bytes and rows are given as text.
pub(crate) fn columns(header: &[&str], rows: &[Vec<String>]) -> String {
    use unicode_width::UnicodeWidthStr;
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|r| r.get(i)).map(|c| c.width());
        cells.chain(header.get(i).map(|h| h.width())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded =
            cells.zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width().min(*width))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
