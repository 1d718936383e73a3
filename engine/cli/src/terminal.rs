//! What is attached to the process, and how it may be written to.

use std::env;
use std::io::{self, IsTerminal};

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also into pipes and files
    Always,
    /// Never
    Never,
}

/// Which streams are terminals and which take colour.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terminal {
    /// Standard input is a terminal.
    pub(crate) stdin: bool,
    /// Standard output is a terminal.
    pub(crate) stdout: bool,
    /// Standard error is a terminal.
    pub(crate) stderr: bool,
    /// Colour results.
    pub(crate) color_out: bool,
    /// Colour messages.
    pub(crate) color_err: bool,
}

impl Terminal {
    /// Looks at the process's streams and at NO_COLOR.
    pub(crate) fn detect(color: ColorChoice) -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        // https://no-color.org: present and not empty, whatever its value.
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = |terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !refused && !dumb,
        };
        Self {
            stdin: io::stdin().is_terminal(),
            stdout,
            stderr,
            color_out: colored(stdout),
            color_err: colored(stderr),
        }
    }

    /// Columns and rows of the terminal, when there is one.
    pub(crate) fn size(self) -> Option<(usize, usize)> {
        if !self.stdout {
            return None;
        }
        let (columns, rows) = crossterm::terminal::size().ok()?;
        // A pseudo-terminal that was never given a size says 0 by 0.
        (columns > 0 && rows > 0).then_some((usize::from(columns), usize::from(rows)))
    }
}
