//! Carries out the meta commands.

use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use super::execute::is_closed;
use super::meta::{help, known, meant, parse};
use super::{DEEPEST_INCLUDE, Report, Shell, Source, Stop};
use crate::output::{Format, OutputError};
use crate::statement::Piece;

/// A meta command that went wrong, or that ends the text.
pub(super) enum Trouble {
    Report(Report),
    Stop(Stop),
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::Report(Report::new(message))
    }

    /// What was to be shown could not be written. A reader who left ends the text quietly.
    pub(super) fn unshown(error: &OutputError) -> Self {
        match is_closed(error) {
            true => Self::Stop(Stop::Closed),
            false => Self::new(format!("cannot write the result: {error}")),
        }
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Shell {
    /// Runs one backslash command.
    pub(super) async fn run_meta(&mut self, source: &Source<'_>, piece: &Piece<'_>) -> Result<(), Stop> {
        let (name, arguments) = parse(piece.text);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match self.meta(&name, &arguments).await {
            Ok(()) => Ok(()),
            Err(Trouble::Stop(stop)) => Err(stop),
            Err(Trouble::Report(report)) => Err(self.fail(source, piece.offset, &report)),
        }
    }

    async fn meta(&mut self, name: &str, arguments: &[&str]) -> Result<(), Trouble> {
        // Aliases are listed once, beside the help.
        let name = known(name).map_or(name, |command| command.name);
        match (name, arguments) {
            ("\\q", []) => return Err(Trouble::Stop(Stop::Quit)),
            ("\\?", _) => self.print(&help())?,
            ("\\echo", words) => self.print(&format!("{}\n", words.join(" ")))?,
            ("\\d", []) => self.list_tables(None, None).await?,
            ("\\d", [name]) => self.describe(name).await?,
            ("\\dt", pattern @ ([] | [_])) => self.list_tables(Some("table"), pattern.first().copied()).await?,
            ("\\dv", pattern @ ([] | [_])) => self.list_tables(Some("view"), pattern.first().copied()).await?,
            ("\\dn", pattern @ ([] | [_])) => self.list_schemas(pattern.first().copied()).await?,
            ("\\df", pattern @ ([] | [_])) => self.list_functions(pattern.first().copied()).await?,
            ("\\x", value) => {
                self.settings.expanded = switch(self.settings.expanded, value)?;
                self.tell("expanded display", self.settings.expanded);
            }
            ("\\timing", value) => {
                self.settings.timing = switch(self.settings.timing, value)?;
                self.tell("timing", self.settings.timing);
            }
            ("\\pager", value) => {
                self.settings.pager = switch(self.settings.pager, value)?;
                self.tell("pager", self.settings.pager);
            }
            ("\\format", value) => self.set_format(value)?,
            ("\\o", value) => self.redirect(value)?,
            ("\\i", [path]) => self.include(path).await?,
            ("\\e", path @ ([] | [_])) => self.edit(path.first().copied())?,
            ("\\set", []) => {
                let all: String = self.variables.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect();
                self.print(&all)?;
            }
            ("\\set", [name, value @ ..]) => self.variables.set(*name, value.join(" ")),
            ("\\unset", [name]) => {
                if !self.variables.unset(name) {
                    return Err(Trouble::new(format!("variable `{name}` is not set")));
                }
            }
            _ => return Err(misused(name)),
        }
        Ok(())
    }

    /// Text that was asked for, so it goes where results go on the screen.
    fn print(&mut self, text: &str) -> Result<(), Trouble> {
        let out = &mut self.streams.out;
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| Trouble::unshown(&OutputError::from(e)))
    }

    fn tell(&mut self, what: &str, on: bool) {
        if self.interactive {
            self.say(&format!("{what} is {}\n", if on { "on" } else { "off" }));
        }
    }

    fn set_format(&mut self, value: &[&str]) -> Result<(), Trouble> {
        if let [name, ..] = value {
            let format = Format::from_str(name, true).map_err(|_| {
                let names: Vec<_> = Format::value_variants().iter().map(|f| f.name()).collect();
                Trouble::new(format!("unknown format `{name}`; there are {}", names.join(", ")))
            })?;
            self.settings.format = Some(format);
            if let Some(target) = &mut self.target {
                target.format = Some(format);
            }
        }
        if self.interactive {
            self.say(&format!("format is {}\n", self.format().name()));
        }
        Ok(())
    }

    fn redirect(&mut self, value: &[&str]) -> Result<(), Trouble> {
        let previous = self.target.as_ref().map(|target| target.path.display().to_string());
        self.close_target()
            .map_err(|e| Trouble::new(format!("cannot write `{}`: {e}", previous.unwrap_or_default())))?;
        if let [path, ..] = value {
            let path = home(path);
            self.open_target(Path::new(&path), None)
                .map_err(|e| Trouble::new(format!("cannot write `{path}`: {e}")))?;
        }
        Ok(())
    }

    async fn include(&mut self, path: &str) -> Result<(), Trouble> {
        if self.depth == DEEPEST_INCLUDE {
            return Err(Trouble::new(format!(
                "`{path}` is included {DEEPEST_INCLUDE} levels deep; does it include itself?"
            )));
        }
        let path = home(path);
        let text = fs::read_to_string(&path).map_err(|e| Trouble::new(format!("cannot read `{path}`: {e}")))?;
        self.depth += 1;
        let done = self.run_text(&Source { name: Some(&path), text: &text }).await;
        self.depth -= 1;
        match done {
            // `\q` in a file leaves the file.
            Ok(()) | Err(Stop::Quit) => Ok(()),
            Err(stop) => Err(stop.into()),
        }
    }

    fn edit(&mut self, path: Option<&str>) -> Result<(), Trouble> {
        if !self.interactive {
            return Err(Trouble::new("\\e needs a prompt"));
        }
        let cannot = |what: &str, e: &dyn std::fmt::Display| Trouble::new(format!("cannot edit `{what}`: {e}"));
        let scratch = env::temp_dir().join(format!("envoi-{}.sql", std::process::id()));
        let file = path.map_or_else(|| scratch.clone(), |path| home(path).into());
        let shown = file.display().to_string();
        if path.is_none() {
            write_private(&file, &format!("{};\n", self.last)).map_err(|e| cannot(&shown, &e))?;
        }
        let editor = env::var("VISUAL").or_else(|_| env::var("EDITOR")).unwrap_or_else(|_| "vi".to_owned());
        let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&file).status();
        let text = match status {
            Ok(status) if status.success() => fs::read_to_string(&file).map_err(|e| cannot(&shown, &e)),
            Ok(status) => Err(cannot(&shown, &format!("`{editor}` ended with {status}"))),
            Err(e) => Err(cannot(&shown, &e)),
        };
        if path.is_none() {
            // A leftover scratch file harms nobody.
            let _ = fs::remove_file(&scratch);
        }
        self.edited = Some(text?.trim_end().to_owned());
        Ok(())
    }
}

/// A new file that only its owner can read, whatever stood there before.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// `~/x` as the shell reads it.
fn home(path: &str) -> String {
    match (path.strip_prefix("~/"), env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    }
}

fn switch(current: bool, value: &[&str]) -> Result<bool, Trouble> {
    match value {
        [] => Ok(!current),
        ["on"] => Ok(true),
        ["off"] => Ok(false),
        other => Err(Trouble::new(format!("expected on or off, not `{}`", other.join(" ")))),
    }
}

fn misused(name: &str) -> Trouble {
    Trouble::Report(match (known(name), meant(name)) {
        (Some(command), _) => {
            Report::new(format!("use it as `{}`", format!("{name} {}", command.arguments).trim_end()))
        }
        (None, Some(meant)) => Report::new(format!("unknown command `{name}`; did you mean `{meant}`?")),
        (None, None) => Report::new(format!("unknown command `{name}`")).hint("\\? lists the commands"),
    })
}
