//! The `envoi` command: parse, call, print.

mod brief;
mod commands;
mod lexer;
mod output;
mod prompt;
mod shell;
mod sources;
mod sql;
mod statement;
mod terminal;
mod variables;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use envoi::Config;

use commands::{
    BriefArgs, CheckArgs, Failure, GenerateArgs, HistoryArgs, LakeCommand, RunArgs, ScheduleArgs, Screen, ServeArgs,
    SourceCommand, UserCommand,
};
use sql::SqlArgs;
use terminal::{ColorChoice, Terminal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Remittances, official development assistance and migrant stock, in SQL.
///
/// Without a command it prints the brief, and on a terminal opens the prompt.
#[derive(Parser)]
#[command(name = "envoi", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The lake: a folder or an object-store URL [env: ENVOI_LAKE]
    #[arg(long, global = true, value_name = "URL")]
    lake: Option<String>,
    /// See the newest editions not later than this date
    #[arg(long, global = true, value_name = "DATE")]
    as_of: Option<String>,
    /// Read this version of the lake
    #[arg(long, global = true, value_name = "N")]
    lake_version: Option<String>,
    /// Read settings from this file instead of the usual one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Threads for query work
    #[arg(long, global = true, value_name = "N")]
    threads: Option<String>,
    /// Memory for query work, such as 4GiB
    #[arg(long, global = true, value_name = "SIZE")]
    memory: Option<String>,
    /// Say less
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more: the settings in force and the time taken (before the command: `envoi sql` has a -v of its own)
    #[arg(short, long)]
    verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    /// Run statements, or open the prompt
    Sql(SqlArgs),
    /// Compare remittances with aid: the headline figures
    Brief(BriefArgs),
    /// Datasets: what is known, download from publishers, import files
    #[command(subcommand)]
    Source(SourceCommand),
    /// The lake: versions, tables, checksums
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Data quality: coverage, breaks in series, mirror gaps, revisions
    Check(CheckArgs),
    /// Batch models in dependency order: built, tested, published whole
    Run(RunArgs),
    /// Run jobs at their times, until stopped
    Schedule(ScheduleArgs),
    /// What ran, how it ended, and why
    History(HistoryArgs),
    /// Serve the lake: every tool that speaks PostgreSQL can read it
    Serve(ServeArgs),
    /// Who may connect to a server
    #[command(subcommand)]
    User(UserCommand),
    /// Invented data, marked as such: households of surveys, or transfers one by one
    Generate(GenerateArgs),
    /// Settings with their values and origins
    Config,
    /// Functions with their units and sources
    Functions {
        /// Only functions whose name contains this
        pattern: Option<String>,
    },
    /// Completions for a shell, to be sourced by it
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Global {
    fn config(&self) -> Result<Config, Failure> {
        let flags = [
            ("lake.url", &self.lake, "--lake"),
            ("lake.as_of", &self.as_of, "--as-of"),
            ("lake.version", &self.lake_version, "--lake-version"),
            ("runtime.threads", &self.threads, "--threads"),
            ("runtime.memory", &self.memory, "--memory"),
        ];
        let flags = flags.into_iter().filter_map(|(key, value, flag)| value.clone().map(|v| (key, v, flag))).collect();
        Config::load(self.config.as_deref(), envoi::config::environment(), flags)
            .map_err(|e| Failure::usage(e.to_string()))
    }
}

fn main() -> ExitCode {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // On other threads a panic becomes the error of one query, which says what it said.
        if std::thread::current().name() == Some("main") || std::env::var_os("RUST_BACKTRACE").is_some() {
            usual(panic);
        }
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return ExitCode::from(commands::answer(&answer)),
    };
    let terminal = Terminal::detect(cli.global.color);
    let screen = Screen { terminal, quiet: cli.global.quiet, verbose: cli.global.verbose };
    let begin = std::time::Instant::now();
    let code = run(cli, screen).unwrap_or_else(|failure| failure.report(screen));
    if screen.verbose {
        screen.say(&format!("took {:.3} s", begin.elapsed().as_secs_f64()));
    }
    ExitCode::from(code)
}

fn run(cli: Cli, screen: Screen) -> Result<u8, Failure> {
    let config = cli.global.config()?;
    if screen.verbose {
        for (setting, value, origin) in config.entries().filter(|(_, value, _)| !value.is_empty()) {
            screen.say(&format!("{} = {value} ({origin})", setting.key));
        }
    }
    // Sockets, signals and the prompt; queries have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start: {e}")))?;
    match cli.command {
        None => commands::welcome(&config, screen, &runtime),
        Some(Command::Sql(args)) => commands::sql(&config, screen, &runtime, args),
        Some(Command::Brief(args)) => runtime.block_on(commands::brief(&config, screen, &args)),
        Some(Command::Source(command)) => runtime.block_on(commands::source(&config, screen, command)),
        Some(Command::Lake(command)) => runtime.block_on(commands::lake(&config, screen, command)),
        Some(Command::Check(args)) => runtime.block_on(commands::check(&config, screen, &args)),
        Some(Command::Run(args)) => runtime.block_on(commands::run(&config, screen, &args)),
        Some(Command::Schedule(args)) => runtime.block_on(commands::schedule(&config, screen, &args)),
        Some(Command::History(args)) => runtime.block_on(commands::history(&config, screen, &args)),
        Some(Command::Serve(args)) => commands::serve(&config, screen, &args),
        Some(Command::User(command)) => commands::user(screen, command),
        Some(Command::Generate(args)) => runtime.block_on(commands::generate(&config, screen, &args)),
        Some(Command::Config) => commands::config(&config),
        Some(Command::Functions { pattern }) => runtime.block_on(commands::functions(&config, pattern.as_deref())),
        Some(Command::Completions { shell }) => {
            commands::completions(shell, &mut <Cli as clap::CommandFactory>::command())
        }
    }
}
