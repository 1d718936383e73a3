//! `envoi user`: who may connect to a server.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Subcommand;
use envoi_server::{Users, Verifier};

use super::{Failure, Screen, print};

/// Subcommands of `envoi user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Let somebody in, or give a new password; it is asked for, or read from the first line of the input
    Add {
        /// Name of the user
        name: String,
        /// File of users; by default `users.toml` in the user's configuration folder
        #[arg(long, value_name = "FILE")]
        users: Option<PathBuf>,
    },
    /// Let somebody in no more
    Remove {
        /// Name of the user
        name: String,
        /// File of users
        #[arg(long, value_name = "FILE")]
        users: Option<PathBuf>,
    },
    /// Names, with what each may read
    List {
        /// File of users
        #[arg(long, value_name = "FILE")]
        users: Option<PathBuf>,
    },
}

/// The file of users where none is named.
pub(super) fn users_file() -> Result<PathBuf, Failure> {
    Ok(envoi::config::config_folder()?.join("users.toml"))
}

pub(crate) fn user(screen: Screen, command: UserCommand) -> Result<u8, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::failed(e.to_string());
    let file = |given: Option<PathBuf>| given.map_or_else(users_file, Ok);
    match command {
        UserCommand::Add { name, users } => {
            let file = file(users)?;
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|e| Failure::failed(format!("cannot make {}: {e}", folder.display())))?;
            }
            let verifier = Verifier::of(&password(&name)?).map_err(|e| failed(&e))?;
            let new = Users::add(&file, &name, &verifier).map_err(|e| failed(&e))?;
            let what = if new { "may connect" } else { "has a new password" };
            screen.say(&format!("`{name}` {what}: {}", file.display()));
        }
        UserCommand::Remove { name, users } => {
            let file = file(users)?;
            Users::remove(&file, &name).map_err(|e| failed(&e))?;
            screen.say(&format!("`{name}` may connect no more: {}", file.display()));
        }
        UserCommand::List { users } => {
            let users = Users::load(file(users)?).map_err(|e| failed(&e))?;
            let mut text = String::new();
            for user in users.iter() {
                let list = |all: &Option<Vec<String>>| all.as_ref().map_or_else(|| "all".to_owned(), |a| a.join(", "));
                let operator = if user.operator { "; operator" } else { "" };
                text.push_str(&format!(
                    "{}: schemas {}, tables {}{operator}\n",
                    user.name,
                    list(&user.schemas),
                    list(&user.tables)
                ));
            }
            print(&text)?;
        }
    }
    Ok(0)
}

/// A password, twice from a terminal, else the first line of the input.
fn password(name: &str) -> Result<String, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("cannot read a password: {e}"));
    let text = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password(format!("password of {name}: ")).map_err(failed)?;
        if rpassword::prompt_password("again: ").map_err(failed)? != first {
            return Err(Failure::failed("the two passwords differ"));
        }
        first
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if text.is_empty() {
        return Err(Failure::failed("a password cannot be empty"));
    }
    Ok(text)
}
