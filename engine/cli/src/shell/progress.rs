//! A line about a query that takes its time.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// Nothing shows before this: most answers are quicker than a glance.
const QUIET: Duration = Duration::from_millis(500);
/// How often the line is drawn, and how soon Ctrl-C and new figures are seen.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// How often a log is told.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Elapsed time and rows read: a live line on a terminal, a plain line every
/// ten seconds in a log.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    started: Instant,
    terminal: bool,
    bar: Option<ProgressBar>,
    /// Results are on the screen now; the line would write into them.
    stopped: bool,
    logged: Instant,
}

impl Progress {
    /// Starts the clock. `terminal`: whether stderr is one.
    pub(crate) fn start(terminal: bool) -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State { started: now, terminal, bar: None, stopped: false, logged: now })))
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().started.elapsed()
    }

    /// Shows the figures, if it is time to.
    pub(crate) fn tick(&self, rows: u64, log: &mut dyn Write) {
        let mut state = self.lock();
        let elapsed = state.started.elapsed();
        if state.stopped || elapsed < QUIET {
            return;
        }
        let message = format!("{} · {} rows read", seconds(elapsed), grouped(rows));
        if state.terminal {
            let bar = state.bar.get_or_insert_with(new_bar);
            bar.set_message(format!("{message} · Ctrl-C cancels"));
            bar.tick();
        } else if state.logged.elapsed() >= LOG_EVERY {
            state.logged = Instant::now();
            // Progress is a courtesy: a closed stderr is no reason to fail.
            let _ = writeln!(log, "envoi: {message}");
        }
    }

    /// Clears the line for good.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::<Stderr>::default()));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Stderr without its last columns, a drawing at a time.
///
/// indicatif fills a line to its end, where the `^C` that a terminal echoes
/// would wrap and leave the line behind. And a terminal throws away what it has
/// not shown yet when it sees a Ctrl-C: a drawing that lost its beginning would
/// go on behind the one before, wrap, and leave that behind.
#[derive(Debug, Default)]
struct Stderr(Mutex<Vec<u8>>);

impl Stderr {
    fn hold(&self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_fmt(text)
    }

    fn codes(&self, n: usize, letter: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.hold(format_args!("\u{1b}[{n}{letter}")) }
    }
}

impl TermLike for Stderr {
    fn width(&self) -> u16 {
        crossterm::terminal::size().map_or(80, |(columns, _)| columns).saturating_sub(4)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.codes(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.codes(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.codes(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.codes(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.hold(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.hold(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.hold(format_args!("\r\u{1b}[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let drawing = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        io::stderr().write_all(&drawing)
    }
}

/// `0.8 s`, `2 min 05 s`.
fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole < 60 {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// `12,345,678`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(seconds(Duration::from_millis(840)), "0.8 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn quick_queries_say_nothing() {
        let mut log = Vec::new();
        Progress::start(false).tick(1, &mut log);
        assert!(log.is_empty());
    }
}
