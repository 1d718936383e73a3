//! The `envoi` command, cut down to `envoi sql` to try it.

mod lexer;
mod output;
mod prompt;
mod shell;
mod sources;
mod sql;
mod statement;
mod terminal;
mod variables;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "envoi")]
struct Cli {
    #[arg(long, value_enum, default_value = "auto", global = true)]
    color: terminal::ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Sql(sql::SqlArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = terminal::Terminal::detect(cli.color);
    let Command::Sql(args) = cli.command;
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let Ok(session) = envoi::Session::stub() else { return ExitCode::FAILURE };
    if args.wants_prompt(terminal) {
        let state = std::env::var_os("ENVOI_STATE").map(Into::into);
        let options = prompt::PromptOptions { state, greeting: "envoi 0.1.0, \\? for help".into(), sql: args };
        return ExitCode::from(prompt::run(&session, runtime.handle(), terminal, &options));
    }
    let code = runtime.block_on(sql::run(&session, &args, terminal, shell::Streams::process(), &mut std::io::stdin()));
    ExitCode::from(code)
}
