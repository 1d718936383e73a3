//! `envoi sql`: statements from the command line, files or a pipe.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use envoi::Session;
use tokio::runtime::Handle;

use crate::output::Format;
use crate::shell::{Report, Shell, Source, Stop, Streams};
use crate::statement::{Piece, PieceKind, split};
use crate::terminal::Terminal;
use crate::variables::Variables;

/// A query, data or job failed.
pub(crate) const EXIT_FAILED: u8 = 1;
/// The command line was wrong.
pub(crate) const EXIT_USAGE: u8 = 2;

/// Flags of `envoi sql`, with `-c` and `-f` in the order they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct SqlArgs {
    pub(crate) inputs: Vec<Input>,
    pub(crate) format: Option<Format>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) keep_going: bool,
    /// Say nothing beside results and errors; a flag of the whole program.
    pub(crate) quiet: bool,
}

/// One `-c` or `-f`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Command(String),
    File(PathBuf),
}

/// The flags as clap reads them; it keeps the order of each, not across two.
#[derive(Debug, Args)]
struct Flags {
    /// Run these statements; may be given more than once
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    commands: Vec<String>,
    /// Run the statements of a file, - for standard input; may be given more than once
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How results are written; by default as the name of -o says, or as a table
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write results to FILE, whole or not at all
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Set a variable, used as :NAME, :'NAME' (text) or :"NAME" (name)
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Go on after a failing statement; the exit code is 1 all the same
    #[arg(long)]
    keep_going: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name { Ok((name.to_owned(), value.to_owned())) } else { Err(format!("`{name}` is not a variable's name")) }
}

impl FromArgMatches for SqlArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = Flags::from_arg_matches(matches)?;
        let places = |id: &str| matches.indices_of(id).into_iter().flatten();
        let commands = places("commands").zip(flags.commands.into_iter().map(Input::Command));
        let mut inputs: Vec<_> =
            commands.chain(places("files").zip(flags.files.into_iter().map(Input::File))).collect();
        inputs.sort_by_key(|(place, _)| *place);
        Ok(Self {
            inputs: inputs.into_iter().map(|(_, input)| input).collect(),
            format: flags.format,
            output: flags.output,
            variables: flags.variables,
            keep_going: flags.keep_going,
            quiet: false,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SqlArgs {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

impl SqlArgs {
    /// Whether this opens the prompt: nothing to run, and a person to ask.
    pub(crate) fn wants_prompt(&self, terminal: Terminal) -> bool {
        self.inputs.is_empty() && terminal.stdin && terminal.stderr
    }

    /// The format that the flags ask for, by name or by that of the output.
    fn format(&self) -> Option<Format> {
        self.format.or_else(|| self.output.as_deref().and_then(Format::from_path))
    }

    /// Applies the flags to a shell; a message when the output cannot be opened.
    pub(crate) fn apply(&self, shell: &mut Shell) -> Result<(), String> {
        let mut variables = Variables::default();
        for (name, value) in &self.variables {
            variables.set(name, value);
        }
        shell.variables = variables;
        shell.settings.format = self.format;
        shell.settings.keep_going = self.keep_going;
        shell.settings.notes = !self.quiet;
        let Some(path) = &self.output else { return Ok(()) };
        shell.open_target(path, self.format).map_err(|e| format!("cannot write `{}`: {e}", path.display()))
    }
}

/// Runs everything the flags ask for and returns the exit code. Without `-c`
/// and `-f` it reads `stdin`. Results go to `streams.out`, all else to
/// `streams.err`. Call it on a multi-threaded runtime with timers and signals.
pub(crate) async fn run(
    session: &Session,
    args: &SqlArgs,
    terminal: Terminal,
    streams: Streams,
    stdin: &mut (dyn Read + Send),
) -> u8 {
    let mut shell = Shell::new(session.clone(), Handle::current(), terminal, streams);
    let scripts = read(&args.inputs, stdin);
    if let Some(format) = args.format().filter(|format| format.holds_one_result())
        && let Some((script, span)) = second_result(&scripts)
    {
        let text = script.text.as_deref().unwrap_or_default();
        let source = Source { name: Some(&script.name), text };
        shell.fail(&source, span.start, &Report::new(format.is_full()).at(span));
        return EXIT_USAGE;
    }
    let done = match args.apply(&mut shell) {
        Ok(()) => run_scripts(&mut shell, &scripts).await,
        Err(message) => Err(complain(&mut shell, message)),
    };
    // A reader who left has had enough; that is success, unless something failed before.
    let complete =
        matches!(done, Ok(()) | Err(Stop::Quit | Stop::Closed)) && (shell.failures() == 0 || args.keep_going);
    if complete {
        if let Err(e) = shell.close_target() {
            let path = args.output.as_deref().unwrap_or(Path::new(""));
            complain(&mut shell, format!("cannot write `{}`: {e}", path.display()));
        }
    } else if let Some(path) = shell.drop_target() {
        shell.say(&format!("envoi: `{}` was left as it was\n", path.display()));
    }
    if shell.failures() > 0 { EXIT_FAILED } else { 0 }
}

/// A text to run, under the name that messages give it.
struct Script {
    name: String,
    text: std::io::Result<String>,
}

fn read(inputs: &[Input], stdin: &mut (dyn Read + Send)) -> Vec<Script> {
    let piped = [Input::File(PathBuf::from("-"))];
    let inputs = if inputs.is_empty() { &piped } else { inputs };
    let script = |input: &Input| match input {
        Input::Command(text) => Script { name: "-c".to_owned(), text: Ok(text.clone()) },
        Input::File(path) if path.as_os_str() == "-" => {
            let mut bytes = Vec::new();
            Script { name: "<stdin>".to_owned(), text: stdin.read_to_end(&mut bytes).and_then(|_| utf8(bytes)) }
        }
        Input::File(path) => Script { name: path.display().to_string(), text: fs::read(path).and_then(utf8) },
    };
    inputs.iter().map(script).collect()
}

/// The second statement that gives rows, as script and offset. None where a
/// meta command may send each to an output of its own.
fn second_result(scripts: &[Script]) -> Option<(&Script, std::ops::Range<usize>)> {
    let texts = scripts.iter().filter_map(|script| script.text.as_ref().ok().map(|text| (script, text)));
    let pieces: Vec<_> = texts.flat_map(|(script, text)| split(text).into_iter().map(move |p| (script, p))).collect();
    let elsewhere = |p: &Piece<'_>| ["\\o", "\\format", "\\i"].iter().any(|meta| p.text.starts_with(meta));
    if pieces.iter().any(|(_, piece)| piece.kind == PieceKind::Meta && elsewhere(piece)) {
        return None;
    }
    let (script, second) = pieces.into_iter().filter(|(_, piece)| piece.gives_rows()).nth(1)?;
    Some((script, second.offset..second.offset + second.text.len()))
}

async fn run_scripts(shell: &mut Shell, scripts: &[Script]) -> Result<(), Stop> {
    for Script { name, text } in scripts {
        let done = match text {
            Ok(text) => shell.run_text(&Source { name: Some(name), text }).await,
            Err(e) => Err(complain(shell, format!("cannot read `{name}`: {e}"))),
        };
        match done {
            Err(Stop::Failed) if shell.settings.keep_going => {}
            other => other?,
        }
    }
    Ok(())
}

fn utf8(bytes: Vec<u8>) -> std::io::Result<String> {
    // A byte-order mark, as some editors on Windows write, is not part of the SQL.
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
        std::io::Error::new(std::io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A failure outside any statement.
fn complain(shell: &mut Shell, message: String) -> Stop {
    shell.fail(&Source { name: None, text: "" }, 0, &Report::new(message))
}
