//! What scripts and the prompt have in common: settings, outputs, and running
//! a text of statements and meta commands.

mod commands;
mod describe;
mod execute;
pub(crate) mod meta;
pub(crate) mod names;
mod pager;
mod pattern;
mod progress;
mod report;
mod wait;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use envoi::Session;
use futures::future::LocalBoxFuture;
use tokio::runtime::Handle;

use crate::output::csvw;
use crate::output::file::OutputFile;
use crate::output::{Format, Look};
use crate::statement::{PieceKind, split};
use crate::terminal::Terminal;
use crate::variables::Variables;
use names::KnownNames;
pub(crate) use report::Report;

/// `\i` inside `\i`: a file that includes itself is stopped here.
const DEEPEST_INCLUDE: usize = 16;

/// Where a shell writes.
pub(crate) struct Streams {
    /// Results.
    pub(crate) out: Box<dyn Write + Send>,
    /// Everything else.
    pub(crate) err: Box<dyn Write + Send>,
}

impl Streams {
    /// The process's own.
    pub(crate) fn process() -> Self {
        Self { out: Box::new(BufWriter::with_capacity(1 << 16, io::stdout())), err: Box::new(io::stderr()) }
    }
}

/// A text to run.
pub(crate) struct Source<'a> {
    /// How messages call it; None for what was just typed.
    pub(crate) name: Option<&'a str>,
    pub(crate) text: &'a str,
}

/// Why running stopped before the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A statement failed; the message is out already.
    Failed,
    /// Ctrl-C.
    Cancelled,
    /// `\q`.
    Quit,
    /// Nobody reads the results any more.
    Closed,
}

/// What the user can switch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// None: by the output's file name, or else a table.
    pub(crate) format: Option<Format>,
    pub(crate) expanded: bool,
    pub(crate) timing: bool,
    pub(crate) pager: bool,
    /// Go on after a failure.
    pub(crate) keep_going: bool,
    /// Say what there is to know of a result, such as that it has rows of households.
    pub(crate) notes: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { format: None, expanded: false, timing: false, pager: true, keep_going: false, notes: true }
    }
}

/// Runs statements and meta commands in one session.
pub(crate) struct Shell {
    session: Session,
    pub(crate) names: KnownNames,
    pub(crate) terminal: Terminal,
    pub(crate) settings: Settings,
    pub(crate) variables: Variables,
    streams: Streams,
    target: Option<Target>,
    depth: usize,
    failures: u64,
    /// The last SQL statement, for `\e`.
    last: String,
    /// What `\e` left for the prompt to start its next line with.
    pub(crate) edited: Option<String>,
    /// At a prompt rather than in a script.
    interactive: bool,
    /// Result sets on standard output so far.
    results: u64,
}

/// A file that results go to.
struct Target {
    path: PathBuf,
    file: OutputFile,
    format: Option<Format>,
    results: u64,
    /// Columns of the last result set.
    schema: Option<SchemaRef>,
}

impl Target {
    /// The description of the columns that goes beside a delimited file of one result
    /// set, if they have units or sources; one that is there already is brought up to date.
    fn description(&self) -> io::Result<Option<OutputFile>> {
        let format = self.format.unwrap_or(Format::Table);
        let (Some(schema), Format::Csv | Format::Tsv) = (&self.schema, format) else { return Ok(None) };
        let beside = csvw::beside(&self.path);
        if self.results != 1 || !self.file.is_file() || !csvw::speaks(schema) && !beside.exists() {
            return Ok(None);
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let mut file = OutputFile::create(&beside)?;
        file.write_all(csvw::describe(schema, &name, format).as_bytes())?;
        Ok(Some(file))
    }
}

impl Shell {
    pub(crate) fn new(session: Session, runtime: Handle, terminal: Terminal, streams: Streams) -> Self {
        Self {
            names: KnownNames::new(session.clone(), runtime),
            session,
            terminal,
            settings: Settings::default(),
            variables: Variables::default(),
            streams,
            target: None,
            depth: 0,
            failures: 0,
            last: String::new(),
            edited: None,
            interactive: false,
            results: 0,
        }
    }

    /// As used by a prompt: typed text has no name, tags are shown.
    pub(crate) fn interactive(mut self) -> Self {
        self.interactive = true;
        self
    }

    /// Runs every piece of `source` in order; stops at the first failure unless
    /// told to keep going. Boxed, because a script may include a script.
    pub(crate) fn run_text<'a>(&'a mut self, source: &'a Source<'a>) -> LocalBoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            for piece in split(source.text) {
                let done = match piece.kind {
                    PieceKind::Sql => self.run_statement(source, &piece).await,
                    PieceKind::Meta => self.run_meta(source, &piece).await,
                };
                match done {
                    Err(Stop::Failed) if self.settings.keep_going => {}
                    other => other?,
                }
            }
            Ok(())
        })
    }

    /// How many statements failed so far.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Sends results to a file from now on; `format` None goes by its extension.
    pub(crate) fn open_target(&mut self, path: &Path, format: Option<Format>) -> io::Result<()> {
        let file = OutputFile::create(path)?;
        let format = format.or_else(|| Format::from_path(path)).or(self.settings.format);
        self.target = Some(Target { path: path.to_owned(), file, format, results: 0, schema: None });
        Ok(())
    }

    /// Publishes the output file, if there is one, and goes back to stdout.
    pub(crate) fn close_target(&mut self) -> io::Result<()> {
        match self.target.take() {
            Some(target) => {
                let description = target.description()?;
                target.file.commit()?;
                description.map_or(Ok(()), OutputFile::commit)
            }
            None => Ok(()),
        }
    }

    /// Leaves the output file as it was before; its path, if there was one.
    pub(crate) fn drop_target(&mut self) -> Option<PathBuf> {
        self.target.take().map(|target| target.path)
    }

    /// Writes a message. A closed stderr is no reason to fail.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = self.streams.err.write_all(text.as_bytes());
        let _ = self.streams.err.flush();
    }

    /// Writes a failure and counts it.
    pub(crate) fn fail(&mut self, source: &Source<'_>, offset: usize, report: &Report) -> Stop {
        self.failures += 1;
        let width = self.terminal.size().map_or(100, |(columns, _)| columns);
        let origin = source.name.map(|name| (name, offset));
        let text = report.render(source.text, origin, self.terminal.color_err, width);
        self.say(&text);
        Stop::Failed
    }

    fn format(&self) -> Format {
        let of_target = self.target.as_ref().map(|target| target.format);
        of_target.unwrap_or(self.settings.format).unwrap_or(Format::Table)
    }

    /// Whether output is shown to a person who can drive a pager.
    fn pages(&self) -> bool {
        self.settings.pager && self.terminal.stdout && self.terminal.stdin
    }

    fn look(&self) -> Look {
        let screen = self.target.is_none() && self.terminal.stdout;
        Look {
            expanded: self.settings.expanded,
            color: self.target.is_none() && self.terminal.color_out,
            lines: screen,
            // A pager scrolls sideways, so nothing needs to be cut for it.
            width: if screen && !self.pages() { self.terminal.size().map(|(columns, _)| columns) } else { None },
            to_file: self.target.is_some(),
        }
    }
}
