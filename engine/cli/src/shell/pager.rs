//! Results that do not fit the screen go through a pager.

use std::env;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use unicode_width::UnicodeWidthStr;

/// Holds output back until it is clear whether it fits the screen; what does
/// not is handed to `$PAGER` while it is still being produced.
pub(crate) struct Screen<W: Write> {
    terminal: W,
    columns: usize,
    rows: usize,
    held: Vec<u8>,
    state: State,
    /// Called before anything shows, to clear a progress line.
    before: Box<dyn FnMut() + Send>,
}

enum State {
    /// Lines so far; all of it fits.
    Holding {
        lines: usize,
        checked: usize,
    },
    Paging(Child),
    /// No pager could be started.
    Direct,
}

impl<W: Write> Screen<W> {
    /// Output for a terminal of that size.
    pub(crate) fn paged(terminal: W, (columns, rows): (usize, usize), before: Box<dyn FnMut() + Send>) -> Self {
        Self { terminal, columns, rows, held: Vec::new(), state: State::Holding { lines: 0, checked: 0 }, before }
    }

    /// Output that is never paged.
    pub(crate) fn direct(terminal: W, before: Box<dyn FnMut() + Send>) -> Self {
        Self { terminal, columns: 0, rows: 0, held: Vec::new(), state: State::Direct, before }
    }

    /// Whether a pager has taken over.
    pub(crate) fn is_paging(&self) -> bool {
        matches!(self.state, State::Paging(_))
    }

    /// Whether the lines held so far outgrow the screen.
    fn overflows(&mut self) -> bool {
        let State::Holding { lines, checked } = &mut self.state else { return false };
        while let Some(length) = self.held[*checked..].iter().position(|b| *b == b'\n') {
            let line = String::from_utf8_lossy(&self.held[*checked..*checked + length]);
            *lines += 1;
            *checked += length + 1;
            // Colour codes take no columns.
            if without_codes(&line).width() > self.columns {
                return true;
            }
        }
        // The prompt needs two lines itself.
        *lines + 2 > self.rows
    }

    fn start(&mut self) -> io::Result<()> {
        (self.before)();
        self.state = spawn().map_or(State::Direct, State::Paging);
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.state {
            State::Paging(child) => match &mut child.stdin {
                Some(stdin) => stdin.write_all(bytes),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            },
            _ => {
                (self.before)();
                self.terminal.write_all(bytes)
            }
        }
    }

    /// Shows what is held, or waits until the pager is left.
    pub(crate) fn close(mut self) -> io::Result<()> {
        match &mut self.state {
            State::Holding { .. } => {
                (self.before)();
                let held = std::mem::take(&mut self.held);
                self.terminal.write_all(&held)?;
                self.terminal.flush()
            }
            State::Paging(child) => {
                drop(child.stdin.take());
                child.wait().map(|_| ())
            }
            State::Direct => self.terminal.flush(),
        }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let State::Holding { .. } = self.state {
            self.held.extend_from_slice(bytes);
            if self.overflows() {
                self.start()?;
            }
        } else {
            self.pass(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Holding { .. } => Ok(()),
            State::Paging(child) => child.stdin.as_mut().map_or(Ok(()), Write::flush),
            State::Direct => self.terminal.flush(),
        }
    }
}

fn spawn() -> Option<Child> {
    let pager = env::var("PAGER").unwrap_or_else(|_| "less -SRFX".to_owned());
    if pager.trim().is_empty() {
        return None;
    }
    let mut command = Command::new("sh");
    // Through `exec`, so that closing the pager closes our end of the pipe too.
    command.arg("-c").arg(format!("exec {pager}")).stdin(Stdio::piped());
    // `PAGER=less` is common and says nothing about wide lines; git does the same.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "SRFX");
    }
    command.spawn().ok()
}

/// `text` without its `ESC [ … letter` sequences.
fn without_codes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_shown_plainly() {
        let mut shown = Vec::new();
        let mut screen = Screen::paged(&mut shown, (20, 10), Box::new(|| ()));
        screen.write_all(b"\x1b[1mone\x1b[0m\ntwo\n").unwrap();
        assert!(matches!(screen.state, State::Holding { lines: 2, .. }));
        screen.close().unwrap();
        assert_eq!(shown, b"\x1b[1mone\x1b[0m\ntwo\n");
    }

    #[test]
    fn tall_and_wide_overflow() {
        let mut screen = Screen::paged(Vec::new(), (5, 4), Box::new(|| ()));
        screen.held.extend_from_slice(b"\x1b[1mabcde\x1b[0m\n");
        assert!(!screen.overflows());
        screen.held.extend_from_slice(b"abcdef\n");
        assert!(screen.overflows(), "too wide");
        let mut screen = Screen::paged(Vec::new(), (5, 4), Box::new(|| ()));
        screen.held.extend_from_slice(b"a\nb\nc\n");
        assert!(screen.overflows(), "too tall");
    }
}
