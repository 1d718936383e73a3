//! The prompt's own words.

use std::borrow::Cow;

use reedline::{Color, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus};

/// What ends the prompt.
pub(super) const INDICATOR: &str = "> ";

/// `envoi> `, and `   ..> ` for the lines after the first.
pub(super) struct Line {
    pub(super) color: bool,
}

impl Prompt for Line {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("envoi")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed(INDICATOR)
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("   ..> ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing like ",
        };
        Cow::Owned(format!(" (history: {failing}`{}`) ", search.term))
    }

    fn get_prompt_color(&self) -> Color {
        if self.color { Color::Cyan } else { Color::Default }
    }

    fn get_indicator_color(&self) -> Color {
        self.get_prompt_color()
    }

    fn get_prompt_multiline_color(&self) -> nu_ansi_term::Color {
        if self.color { nu_ansi_term::Color::DarkGray } else { nu_ansi_term::Color::Default }
    }
}
