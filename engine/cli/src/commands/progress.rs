//! Progress of long work: a bar on a terminal, a plain line every ten seconds elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use envoi::lake::import::Progress;
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
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if screen.quiet || !screen.terminal.stderr {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = "{spinner} {bar:30} {bytes}/{total_bytes} {elapsed} eta {eta} {msg}";
        // The template is a constant; a mistake in it shows the library's own style.
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { screen, bar, rows: 0.into(), last: Mutex::new(Instant::now()) }
    }

    pub(crate) fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Begin(_, bytes) => self.bar.set_length(bytes),
            Progress::File { name, bytes, rows } => {
                let total = self.rows.fetch_add(rows, std::sync::atomic::Ordering::Relaxed) + rows;
                self.bar.inc(bytes);
                self.bar.set_message(format!("{total} rows, {}", envoi::lake::Printable(name)));
                self.plain(total);
            }
            Progress::Publish => self.bar.set_message("writing the new version"),
        }
    }

    fn plain(&self, rows: u64) {
        if self.screen.terminal.stderr {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
