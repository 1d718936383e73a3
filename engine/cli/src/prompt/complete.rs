//! The completion menu.

use reedline::{Completer, CompletionOrigin, CompletionResult, CompletionStatus, Span, Suggestion, Suggestions};

use super::candidates::{Candidate, candidates};
use crate::shell::names::KnownNames;

/// More than anyone scrolls through; bounds the work per keystroke.
const MOST: usize = 300;

/// Completes meta commands, files, keywords and names.
pub(super) struct SqlCompleter {
    names: KnownNames,
    /// A menu is open over names that are missing or out of date, with better ones on their way.
    waiting: bool,
}

impl SqlCompleter {
    pub(super) fn new(names: KnownNames) -> Self {
        Self { names, waiting: false }
    }
}

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let names = self.names.peek();
        self.waiting = self.names.is_loading();
        let found: Vec<Suggestion> =
            candidates(line, pos, names.as_deref()).into_iter().take(MOST).map(suggestion).collect();
        let found = Suggestions::from(found);
        if self.waiting {
            CompletionResult::stale_or_pending(found, CompletionOrigin::new(line, pos))
        } else {
            CompletionResult::fresh(found)
        }
    }

    fn poll_completion(&mut self) -> CompletionStatus {
        if !self.waiting {
            return CompletionStatus::Idle;
        }
        if self.names.is_loading() {
            return CompletionStatus::Pending;
        }
        self.waiting = false;
        CompletionStatus::Ready
    }
}

fn suggestion(candidate: Candidate) -> Suggestion {
    Suggestion {
        value: candidate.text,
        description: candidate.about.filter(|about| !about.is_empty()),
        span: Span { start: candidate.start, end: candidate.end },
        append_whitespace: candidate.blank,
        ..Suggestion::default()
    }
}
