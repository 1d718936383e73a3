//! The interactive prompt.

mod candidates;
mod complete;
mod highlight;
mod history;
mod keywords;
mod style;

use std::path::PathBuf;

use envoi::Session;
use nu_ansi_term::{Color, Style};
use reedline::{
    DefaultHinter, DescriptionMode, EditCommand, Emacs, IdeMenu, InputMode, KeyCode, KeyModifiers, MenuBuilder,
    Reedline, ReedlineEvent, ReedlineMenu, Signal, ValidationResult, Validator, default_emacs_keybindings,
};
use tokio::runtime::Handle;

use crate::shell::{Shell, Source, Stop, Streams};
use crate::sql::{EXIT_FAILED, EXIT_USAGE, SqlArgs};
use crate::statement::is_complete;
use crate::terminal::Terminal;

/// The name that ties the key to the menu.
const MENU: &str = "completion";

/// What the prompt is started with.
pub(crate) struct PromptOptions {
    /// The folder that the history is kept in, and how many statements. None keeps none.
    pub(crate) history: Option<(PathBuf, usize)>,
    /// Said once before the first line; empty says nothing.
    pub(crate) greeting: String,
    /// Flags that set variables, format and output.
    pub(crate) sql: SqlArgs,
}

/// Reads and runs statements until Ctrl-D or `\q`; returns the exit code.
///
/// Blocks, so call it outside of `runtime`, which needs timers and signals. A
/// failed statement does not fail the prompt: its message was read.
pub(crate) fn run(session: &Session, runtime: &Handle, terminal: Terminal, options: &PromptOptions) -> u8 {
    let mut shell = Shell::new(session.clone(), runtime.clone(), terminal, Streams::process()).interactive();
    if let Err(message) = options.sql.apply(&mut shell) {
        shell.say(&format!("error: {message}\n"));
        return EXIT_USAGE;
    }
    if !options.greeting.is_empty() {
        shell.say(&format!("{}\n", options.greeting));
    }
    let mut editor = editor(&mut shell, options.history.as_ref());
    let line = style::Line { color: terminal.color_err };
    let read = loop {
        if let Some(text) = shell.edited.take() {
            editor.run_edit_commands(&[EditCommand::InsertString(text)]);
        }
        match editor.read_line(&line) {
            Ok(Signal::Success(text)) => {
                // Saved before it runs: a crash must not cost what was typed.
                if let Err(e) = editor.sync_history() {
                    shell.say(&format!("envoi: the history is not saved: {e}\n"));
                }
                if is_leave(&text) {
                    break Ok(());
                }
                let done = runtime.block_on(shell.run_text(&Source { name: None, text: &text }));
                if matches!(done, Err(Stop::Quit | Stop::Closed)) {
                    break Ok(());
                }
            }
            Ok(Signal::CtrlD) => break Ok(()),
            Ok(_) => {}
            Err(e) => break Err(e),
        }
    };
    if let Err(e) = read {
        shell.say(&format!("error: cannot read from the terminal: {e}\n"));
        return EXIT_FAILED;
    }
    match shell.close_target() {
        Ok(()) => 0,
        Err(e) => {
            shell.say(&format!("error: cannot write the output file: {e}\n"));
            EXIT_FAILED
        }
    }
}

/// What people type who do not know the prompt yet, and `\q` on a line of its
/// own for those who forgot a `;` before it.
fn is_leave(text: &str) -> bool {
    let last = text.trim_end().rsplit('\n').next().unwrap_or_default();
    let word = text.trim().trim_end_matches(';').to_ascii_lowercase();
    last.trim() == "\\q" || word == "exit" || word == "quit"
}

fn editor(shell: &mut Shell, history: Option<&(PathBuf, usize)>) -> Reedline {
    // The editor draws on stderr, so that results can be redirected.
    let color = shell.terminal.color_err;
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]),
    );
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, ReedlineEvent::Edit(vec![EditCommand::InsertNewline]));
    let menu = IdeMenu::default()
        .with_name(MENU)
        .with_max_completion_height(12)
        .with_max_completion_width(48)
        .with_max_description_width(60)
        .with_description_mode(DescriptionMode::PreferRight)
        .with_padding(1)
        .with_correct_cursor_pos(true)
        // What follows the cursor names the tables: `select | from t`.
        .with_input_mode(InputMode::FullBuffer)
        // Shown in place of the prompt's indicator while the menu is open.
        .with_marker(style::INDICATOR);
    let menu = if color { menu } else { plain(menu) };
    let mut editor = Reedline::create()
        .with_ansi_colors(color)
        .use_bracketed_paste(true)
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_completer(Box::new(complete::SqlCompleter::new(shell.names.clone())))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_validator(Box::new(Complete))
        // Like a shell: what starts with a blank is not remembered.
        .with_history_exclusion_prefix(Some(" ".to_owned()));
    if color {
        let hint = DefaultHinter::default().with_style(Style::new().fg(Color::DarkGray));
        editor = editor
            .with_hinter(Box::new(hint))
            .with_highlighter(Box::new(highlight::SqlHighlighter::new(shell.names.clone())));
    }
    let Some((folder, capacity)) = history else { return editor };
    match history::open(folder, *capacity) {
        Ok(history) => editor.with_history(Box::new(history)),
        Err(e) => {
            shell.say(&format!("envoi: no history, cannot use `{}`: {e}\n", folder.display()));
            editor
        }
    }
}

/// Without colours, the chosen line is marked by reverse video alone.
fn plain(menu: IdeMenu) -> IdeMenu {
    menu.with_text_style(Style::new())
        .with_selected_text_style(Style::new().reverse())
        .with_description_text_style(Style::new())
        .with_match_text_style(Style::new())
        .with_selected_match_text_style(Style::new().reverse())
}

/// Enter runs the input once every statement has its `;` and nothing is open.
struct Complete;

impl Validator for Complete {
    fn validate(&self, line: &str) -> ValidationResult {
        if is_complete(line) || is_leave(line) { ValidationResult::Complete } else { ValidationResult::Incomplete }
    }
}
