//! One SQL statement, from text to rows on the screen or in a file.

use std::error::Error;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use envoi::{Answer, AnswerKind, Class};

use super::pager::Screen;
use super::report::{offending, suggestion};
use super::wait::{Interrupted, Wait};
use super::{Report, Shell, Source, Stop};
use crate::output::{self, Format, Look, Out, OutputError};
use crate::statement::Piece;

/// What went wrong with one statement.
enum Failure {
    Query(envoi::Error),
    Output(OutputError),
    Cancelled,
}

impl From<Interrupted> for Failure {
    fn from(_: Interrupted) -> Self {
        Self::Cancelled
    }
}

impl From<envoi::Error> for Failure {
    fn from(error: envoi::Error) -> Self {
        Self::Query(error)
    }
}

impl<E: Into<OutputError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Output(error.into())
    }
}

impl Shell {
    /// Runs one statement and shows its result.
    pub(super) async fn run_statement(&mut self, source: &Source<'_>, piece: &Piece<'_>) -> Result<(), Stop> {
        let expanded = match self.variables.expand(piece.text) {
            Ok(expanded) => expanded,
            Err(undefined) => {
                let at = piece.offset + undefined.span.start..piece.offset + undefined.span.end;
                let name = undefined.name;
                let report = Report::new(format!("variable `{name}` is not set")).at(at).hint(format!(
                    "set it with -v {name}=VALUE or \\set {name} VALUE; a colon that is no variable takes a blank after it"
                ));
                return Err(self.fail(source, piece.offset, &report));
            }
        };
        self.last = piece.text.to_owned();
        let mut wait = Wait::start(self.terminal.stderr);
        let outcome = self.answer(&expanded.text, &mut wait).await;
        wait.progress.stop();
        if self.settings.timing {
            let elapsed = wait.progress.elapsed().as_secs_f64() * 1e3;
            self.say(&format!("Time: {elapsed:.3} ms\n"));
        }
        let error = match outcome {
            Ok(()) => return Ok(()),
            Err(Failure::Output(error)) if is_closed(&error) => return Err(Stop::Closed),
            Err(Failure::Cancelled) => return Err(self.cancelled()),
            Err(Failure::Output(error)) => return Err(self.fail(source, piece.offset, &self.output_report(&error))),
            Err(Failure::Query(error)) => error,
        };
        if error.class() == Class::Cancelled {
            return Err(self.cancelled());
        }
        let original = |at: usize| piece.offset + expanded.original(at);
        let report = self.query_report(&error, &expanded.text).await;
        // The span was found in what was run; the user knows what was written.
        let report = Report { span: report.span.map(|span| original(span.start)..original(span.end)), ..report };
        Err(self.fail(source, piece.offset, &report))
    }

    fn cancelled(&mut self) -> Stop {
        self.failures += 1;
        self.say("cancelled\n");
        Stop::Cancelled
    }

    async fn answer(&mut self, sql: &str, wait: &mut Wait) -> Result<(), Failure> {
        let mut answer = wait.until(self.session.run(sql), &mut self.streams.err).await??;
        let tag = match &answer.kind {
            AnswerKind::Rows => None,
            AnswerKind::Done(tag) => Some(tag.clone()),
        };
        let Some(tag) = tag else {
            let notes = self.show(answer, wait).await?;
            wait.progress.stop();
            self.note(&notes);
            return Ok(());
        };
        while let Some(batch) = wait.next(&mut answer, &mut self.streams.err).await? {
            batch?;
        }
        self.names.changed();
        wait.progress.stop();
        if self.terminal.stderr {
            self.say(&format!("{tag}\n"));
        }
        self.note(&answer.notes());
        Ok(())
    }

    fn note(&mut self, notes: &[String]) {
        if self.settings.notes {
            for note in notes {
                self.say(&format!("note: {note}\n"));
            }
        }
    }

    /// Streams an answer to where results go now; what there is to say of it.
    async fn show(&mut self, answer: Answer, wait: &mut Wait) -> Result<Vec<String>, Failure> {
        let (format, look) = (self.format(), self.look());
        self.may_hold(format)?;
        let size = self.terminal.size().filter(|_| format.is_text() && self.pages());
        let Some(target) = &mut self.target else {
            self.results += 1;
            let (out, log) = (&mut self.streams.out, &mut self.streams.err);
            if !self.terminal.stdout {
                return stream(answer, format, &mut **out, look, wait, log).await;
            }
            let progress = wait.progress.clone();
            let before = Box::new(move || progress.stop());
            let mut screen = match size {
                Some(size) => Screen::paged(&mut **out, size, before),
                None => Screen::direct(&mut **out, before),
            };
            let outcome = stream(answer, format, &mut screen, look, wait, log).await;
            let paging = screen.is_paging();
            screen.close()?;
            return match outcome {
                // Leaving the pager early is not a failure, and not the end either.
                Err(Failure::Output(error)) if paging && is_closed(&error) => Ok(Vec::new()),
                other => other,
            };
        };
        let mark = target.file.mark()?;
        target.schema = Some(SchemaRef::clone(&answer.schema));
        let outcome = stream(answer, format, &mut target.file, look, wait, &mut self.streams.err).await;
        match &outcome {
            Ok(_) => target.results += 1,
            Err(_) => target.file.rewind(mark)?,
        }
        outcome
    }

    /// Shows rows that the shell made itself, always as tables on stdout.
    pub(super) fn show_tables(&mut self, tables: &[(&str, RecordBatch)]) -> Result<(), OutputError> {
        let look = Look { to_file: false, color: self.terminal.color_out, ..self.look() };
        let size = self.terminal.size().filter(|_| self.pages());
        let mut screen = match size {
            Some(size) => Screen::paged(&mut self.streams.out, size, Box::new(|| ())),
            None => Screen::direct(&mut self.streams.out, Box::new(|| ())),
        };
        let outcome = (|| {
            for (i, (title, batch)) in tables.iter().enumerate() {
                if !title.is_empty() {
                    writeln!(screen, "{}{title}", if i > 0 { "\n" } else { "" })?;
                }
                let mut writer = output::writer(Format::Table, batch.schema_ref(), &mut screen, look)?;
                writer.batch(batch)?;
                writer.finish()?;
            }
            Ok(())
        })();
        let paging = screen.is_paging();
        screen.close()?;
        match outcome {
            Err(error) if paging && is_closed(&error) => Ok(()),
            other => other,
        }
    }

    /// Refuses what would damage the output: binary on a screen, or a second
    /// result set in a format that has room for one.
    fn may_hold(&self, format: Format) -> Result<(), OutputError> {
        // A person reads one result after the other; a program reads one whole.
        if self.target.is_none() && self.terminal.stdout {
            return match format.is_text() {
                true => Ok(()),
                false => Err(OutputError::Limit(format!(
                    "{} is binary and this is a terminal; give -o FILE or redirect",
                    format.name()
                ))),
            };
        }
        let results = self.target.as_ref().map_or(self.results, |target| target.results);
        match results > 0 && format.holds_one_result() {
            true => Err(OutputError::Limit(format.is_full())),
            false => Ok(()),
        }
    }

    fn output_report(&self, error: &OutputError) -> Report {
        match &self.target {
            Some(target) => Report::new(format!("cannot write `{}`: {error}", target.path.display())),
            None => Report::new(format!("cannot write the result: {error}")),
        }
    }

    async fn query_report(&self, error: &envoi::Error, sql: &str) -> Report {
        let message = error.message().to_owned();
        let span = offending(sql, error.position(), &message);
        let mut report = Report { message, hint: error.hint().map(str::to_owned), span };
        let advised = report.hint.is_some() || report.message.contains("did you mean");
        let Some(span) = report.span.clone().filter(|_| !advised && error.class() == Class::User) else {
            return report;
        };
        if let Some(names) = self.names.soon().await
            && let Some(meant) = suggestion(&names, sql, &span, &report.message)
        {
            report.message.push_str(&format!("; did you mean `{meant}`?"));
        }
        report
    }
}

async fn stream(
    mut answer: Answer,
    format: Format,
    out: Out<'_>,
    look: Look,
    wait: &mut Wait,
    log: &mut dyn Write,
) -> Result<Vec<String>, Failure> {
    let mut writer = output::writer(format, &answer.schema, &mut *out, look)?;
    while let Some(batch) = wait.next(&mut answer, log).await? {
        writer.batch(&batch?)?;
    }
    writer.finish()?;
    drop(writer);
    // Not every format does it itself, and a failure at the process's end is seen by nobody.
    out.flush()?;
    Ok(answer.notes())
}

/// Whether writing failed because nobody reads any more. Each format wraps the
/// system's error in its own.
pub(super) fn is_closed(error: &OutputError) -> bool {
    let closed = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    if let OutputError::Arrow(ArrowError::IoError(_, e)) = error {
        return closed(e);
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if e.downcast_ref::<io::Error>().is_some_and(closed) {
            return true;
        }
        cause = e.source();
    }
    false
}
