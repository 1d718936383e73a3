//! What is wrong with a project, and where.

use std::fmt;

use envoi::lake::Printable;

/// Something that must be mended before anything runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File below the project's folder.
    pub file: String,
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// The text of that line.
    pub text: Option<String>,
    /// What is wrong, and what would work.
    pub what: String,
}

impl Problem {
    /// A problem of a file as a whole.
    pub fn new(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.into(), place: None, text: None, what: what.into() }
    }

    /// A problem at a byte of a file's text.
    pub fn at(file: impl Into<String>, text: &str, byte: Option<usize>, what: impl Into<String>) -> Self {
        let problem = Self::new(file, what);
        let Some(before) = byte.and_then(|at| text.get(..at.min(text.len()))) else { return problem };
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        problem.on(text, line, Some(column))
    }

    /// The same at a line of the text, from 1.
    #[must_use]
    pub fn on(mut self, text: &str, line: usize, column: Option<usize>) -> Self {
        self.place = Some((line, column.unwrap_or(1)));
        self.text = column.and_then(|_| text.lines().nth(line.saturating_sub(1)).map(str::to_owned));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printable(&self.file))?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)?;
        if let (Some(text), Some((_, column))) = (&self.text, self.place) {
            // Tabs stay tabs, so that the caret stands below its letter.
            let before = text.chars().take(column.saturating_sub(1));
            let blank: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n    {}\n    {blank}^", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_its_letter() {
        let text = "select é,\n\tx frm y\n";
        let problem = Problem::at("a.sql", text, text.find("frm"), "no");
        assert_eq!(problem.to_string(), "a.sql:2:4: no\n    \tx frm y\n    \t  ^");
        assert_eq!(Problem::new("a.sql", "no").to_string(), "a.sql: no");
    }
}
