//! Progress of long work: a bar on a terminal, a plain line every ten seconds elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use envoi::lake::Printable;
use envoi::lake::fetch::Event;
use envoi::lake::import::Progress;
use envoi::lake::synthetic::Progress as Generated;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;

/// Between two plain lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows the progress of an import.
pub(crate) struct ImportProgress {
    screen: Screen,
    bar: ProgressBar,
    rows: std::sync::atomic::AtomicU64,
    last: Mutex<Instant>,
}

impl ImportProgress {
    pub(crate) fn new(screen: Screen) -> Self {
        let bar = bar(screen, "{spinner} {bar:30} {bytes}/{total_bytes} {elapsed} eta {eta} {msg}");
        Self { screen, bar, rows: 0.into(), last: Mutex::new(Instant::now()) }
    }

    pub(crate) fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Begin(_, bytes) => self.bar.set_length(bytes),
            Progress::File { name, bytes, rows } => {
                let total = self.rows.fetch_add(rows, std::sync::atomic::Ordering::Relaxed) + rows;
                self.bar.inc(bytes);
                self.bar.set_message(format!("{total} rows, {}", Printable(name)));
                self.plain(total);
            }
            Progress::Publish => self.bar.set_message("writing the new version"),
        }
    }

    fn plain(&self, rows: u64) {
        if self.screen.terminal.stderr {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            self.screen.say(&format!(
                "importing: {} of {} bytes, {rows} rows",
                self.bar.position(),
                self.bar.length().unwrap_or(0)
            ));
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the progress of downloads.
pub(crate) struct FetchProgress {
    screen: Screen,
    bar: ProgressBar,
    name: Mutex<String>,
    last: Mutex<Instant>,
}

impl FetchProgress {
    pub(crate) fn new(screen: Screen) -> Self {
        let template = "{spinner} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} eta {eta} {msg}";
        Self { screen, bar: bar(screen, template), name: Mutex::default(), last: Mutex::new(Instant::now()) }
    }

    pub(crate) fn show(&self, event: Event<'_>) {
        match event {
            Event::Waiting => self.say("another `source fetch` downloads this dataset; waiting for it"),
            Event::Ask(url) => self.bar.set_message(format!("asking for the newest edition: {}", Printable(url))),
            Event::Newest(what) => self.say(&format!("newest edition: {}", Printable(what))),
            Event::Begin(name) => {
                self.bar.reset();
                self.bar.unset_length();
                self.bar.set_message(name.to_owned());
                name.clone_into(&mut self.name.lock().unwrap_or_else(PoisonError::into_inner));
            }
            Event::Resume { at, total } => {
                self.say(&format!("going on from byte {at}"));
                self.bytes(at, total);
                // What is here already was not fast.
                self.bar.reset_eta();
            }
            Event::Bytes { done, total } => self.bytes(done, total),
            Event::Pause { why, wait } => {
                self.say(&format!("{}; trying again in {:.0} s", Printable(why), wait.as_secs_f64().ceil()));
            }
            Event::Done(_) => {}
        }
    }

    fn bytes(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
        if self.screen.terminal.stderr {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            let name = self.name.lock().unwrap_or_else(PoisonError::into_inner);
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            self.screen.say(&format!("downloading {name}: {done}{of} bytes"));
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.screen.say(text));
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows how many rows are generated.
pub(crate) struct GenerateProgress {
    screen: Screen,
    bar: ProgressBar,
    last: Mutex<Instant>,
}

impl GenerateProgress {
    pub(crate) fn new(screen: Screen) -> Self {
        let bar = bar(screen, "{spinner} {bar:30} {human_pos}/{human_len} rows, {per_sec}, eta {eta}");
        Self { screen, bar, last: Mutex::new(Instant::now()) }
    }

    pub(crate) fn show(&self, progress: Generated) {
        match progress {
            Generated::Begin(rows) => self.bar.set_length(rows),
            Generated::Rows(rows) => {
                self.bar.inc(rows);
                self.plain();
            }
        }
    }

    fn plain(&self) {
        if self.screen.terminal.stderr {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            self.screen.say(&format!("generating: {done} of {all} rows"));
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar on standard error, shown if that is a terminal.
fn bar(screen: Screen, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if screen.quiet || !screen.terminal.stderr {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    // Templates are constants; a mistake in one shows the library's own style.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
