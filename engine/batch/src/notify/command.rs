//! A program that is told: arguments as they are, no shell, JSON on its input.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a program says on standard error, for the message.
const SAID: u64 = 2000;
/// Between looks at a program that runs.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a program to its end, or ends it when its time is over.
pub(super) fn run(
    argv: &[String],
    environment: &[(&'static str, String)],
    input: &str,
    timeout: Duration,
) -> Result<(), String> {
    let (program, arguments) = argv.split_first().ok_or_else(|| "no program is named".to_owned())?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    for (name, value) in environment {
        command.env(name, value);
    }
    let mut child = command.spawn().map_err(|e| format!("`{program}` cannot be run: {e}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // One that does not read is not waited for.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let (said, hear) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            // What could not be read is not said.
            let _ = stderr.by_ref().take(SAID).read_to_end(&mut text);
            let _ = said.send(text);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        });
    }
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() >= timeout => {
                // Gone already, perhaps.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{program}` took longer than {} s", timeout.as_secs_f64()));
            }
            Ok(None) => std::thread::sleep(LOOK),
            Err(e) => return Err(format!("`{program}` cannot be waited for: {e}")),
        }
    };
    if status.success() {
        return Ok(());
    }
    // A program of its own may hold the pipe open: then nothing was said.
    let text = hear.recv_timeout(Duration::from_millis(500)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| !line.trim().is_empty()).map(|l| format!(": {}", envoi::lake::Printable(l)));
    Err(format!("`{program}` ended with {status}{}", line.unwrap_or_default()))
}
