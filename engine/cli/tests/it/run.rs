//! Starts the program as a new user does: no settings, no lake.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program, in `folder`, with its home there and nothing of the tester's own.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_envoi"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .env("XDG_DATA_HOME", folder.join("home/data"))
        .env("XDG_STATE_HOME", folder.join("home/state"))
        .env("XDG_CONFIG_HOME", folder.join("home/config"))
        .env_remove("ENVOI_LAKE")
        .env_remove("ENVOI_UPDATE")
        .env_remove("RUST_BACKTRACE");
    command
}

/// Exit code, stdout and stderr with these arguments.
pub(crate) fn envoi(folder: &Path, arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = command(folder, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command with -c does not read its input and may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
