//! From a place in a compiled query back to the template.
//!
//! The engine of templates says of no output where it comes from. So a template is rendered a second time, with a
//! mark before the text of each line; where the marks change nothing but themselves, they say it.

use super::problem::Problem;

/// Letters for private use: no query has them in a place that matters.
const OPEN: char = '\u{f0e4a}';
const CLOSE: char = '\u{f0e4b}';

/// Where the text of a compiled query is in its template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// From that byte on it is of that line, from 1.
    marks: Vec<(usize, usize)>,
}

/// The template with its lines marked; `None` if it has such letters of its own.
pub(super) fn marked(text: &str) -> Option<String> {
    if text.contains([OPEN, CLOSE]) {
        return None;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let (mut line, mut rest) = (1, text);
    // Text that is waiting for its mark: the first that is no blank gets it.
    let mut due = true;
    while let Some(c) = rest.chars().next() {
        let tag = [("{%", "%}"), ("{#", "#}"), ("{{", "}}")].into_iter().find(|(open, _)| rest.starts_with(open));
        if let Some((open, close)) = tag {
            // A tag that takes the blanks before it away would find the mark there.
            if due && open == "{{" && !rest.starts_with("{{-") {
                mark(&mut out, line);
            }
            let length = rest.find(close).map_or(rest.len(), |at| at + close.len());
            let (whole, after) = rest.split_at(length);
            out.push_str(whole);
            line += whole.matches('\n').count();
            rest = after;
            // One that takes those after it away takes them up to the next text.
            due = true;
            continue;
        }
        if c == '\n' {
            line += 1;
            due = true;
        } else if due && !c.is_whitespace() {
            mark(&mut out, line);
            due = false;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Some(out)
}

fn mark(out: &mut String, line: usize) {
    out.push(OPEN);
    out.push_str(&line.to_string());
    out.push(CLOSE);
}

impl Lines {
    /// What the marks of a rendered text say; `None` if it is another text without them.
    pub(super) fn of(rendered: &str, compiled: &str) -> Option<Self> {
        let (mut plain, mut marks) = (String::with_capacity(compiled.len()), Vec::new());
        let mut rest = rendered;
        while let Some((before, after)) = rest.split_once(OPEN) {
            plain.push_str(before);
            let (number, after) = after.split_once(CLOSE)?;
            marks.push((plain.len(), number.parse().ok()?));
            rest = after;
        }
        plain.push_str(rest);
        (plain == compiled).then_some(Self { marks })
    }

    fn line(&self, byte: usize) -> Option<usize> {
        let after = self.marks.partition_point(|(at, _)| *at <= byte);
        after.checked_sub(1).and_then(|i| self.marks.get(i)).map(|(_, line)| *line)
    }
}

/// A problem at a byte of a compiled query, shown where it is in the template, or in both where that is not known.
pub(crate) fn located(
    file: &str,
    text: &str,
    compiled: &str,
    lines: Option<&Lines>,
    byte: Option<usize>,
    what: String,
) -> Problem {
    if text == compiled {
        return Problem::at(file, text, byte, what);
    }
    let problem = Problem::at(file, compiled, byte, what);
    let (Some(byte), Some((line, _)), Some(shown)) = (byte, problem.place, problem.text.clone()) else {
        return problem;
    };
    let Some(own) = lines.and_then(|lines| lines.line(byte)) else {
        let Problem { what, .. } = &problem;
        return Problem { what: format!("{what} (line {line} of the compiled query)"), place: None, ..problem };
    };
    let source = text.lines().nth(own.saturating_sub(1)).unwrap_or_default();
    let at = match source == shown {
        true => problem.place.map(|(_, column)| column),
        false => same_word(compiled, byte, source),
    };
    if at.is_some() {
        return Problem { place: None, text: None, ..problem }.on(text, own, at);
    }
    // The template makes the word: where it does, and what.
    let what = format!("{}; the template makes `{}` of this line", problem.what, shown.trim());
    let tag = source.find("{{").map_or(0, |at| source.get(..at).unwrap_or_default().chars().count());
    Problem { what, place: None, text: None, ..problem }.on(text, own, Some(tag + 1))
}

/// Column of the only word of a line that is the one at a byte of another text.
fn same_word(compiled: &str, byte: usize, line: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let rest = compiled.get(byte..)?;
    let word = rest.get(..rest.find(|c| !part(c)).unwrap_or(rest.len())).filter(|word| !word.is_empty())?;
    let alone = |at: &usize| {
        let (before, after) = (line.get(..*at).unwrap_or_default(), line.get(at + word.len()..).unwrap_or_default());
        !before.ends_with(part) && !after.starts_with(part)
    };
    let mut places = line.match_indices(word).map(|(at, _)| at).filter(alone);
    let at = places.next()?;
    places.next().is_none().then(|| line.get(..at).unwrap_or_default().chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_blanks_are_left_alone() {
        let check = |text: &str, expected: &str| {
            let shown = marked(text).unwrap().replace(OPEN, "<").replace(CLOSE, ">");
            assert_eq!(shown, expected);
        };
        check("a\n  b", "<1>a\n  <2>b");
        check("{%- if x -%}\n  a\n{% endif %}b", "{%- if x -%}\n  <2>a\n{% endif %}<3>b");
        check("{{ a }} b {{- c }}", "<1>{{ a }} <1>b {{- c }}");
        check("{# a\n b #}\n{{ x\n }}y", "{# a\n b #}\n<3>{{ x\n }}<4>y");
        check("a {{", "<1>a {{");
    }

    #[test]
    fn only_marks_may_differ() {
        let lines = Lines::of(&format!("{OPEN}3{CLOSE}ab\n{OPEN}7{CLOSE}c"), "ab\nc").unwrap();
        assert_eq!([0, 1, 3, 4].map(|at| lines.line(at)), [Some(3), Some(3), Some(7), Some(7)]);
        assert_eq!(Lines::of(&format!("{OPEN}3{CLOSE}AB"), "ab"), None);
    }
}
