//! The backslash commands: what there is, and how a line is read.

use super::names::nearest;

/// What a meta command is called and does; the help and the completion read it.
pub(crate) struct Command {
    /// With its backslash.
    pub(crate) name: &'static str,
    /// Other names of it.
    aliases: &'static [&'static str],
    /// How its arguments are written.
    pub(crate) arguments: &'static str,
    pub(crate) does: &'static str,
}

const fn command(name: &'static str, arguments: &'static str, does: &'static str) -> Command {
    Command { name, aliases: &[], arguments, does }
}

impl Command {
    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// The command of this name or alias.
pub(super) fn known(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

/// All commands, in the order of the help.
pub(crate) const COMMANDS: &[Command] = &[
    command("\\d", "[PATTERN]", "tables and views, or the columns of those that match"),
    command("\\dt", "[PATTERN]", "tables; a PATTERN has * and ?, and may begin with a schema: mart.*"),
    command("\\dv", "[PATTERN]", "views"),
    command("\\dn", "[PATTERN]", "schemas"),
    command("\\df", "[PATTERN]", "functions"),
    command("\\x", "[on|off]", "one line per column instead of one per row"),
    command("\\format", "[NAME]", "table, csv, tsv, json, ndjson, markdown, parquet, arrow, xlsx"),
    command("\\o", "[FILE]", "results go to FILE; alone, back to the screen"),
    command("\\i", "FILE", "run the statements of FILE").or(&["\\include"]),
    command("\\e", "[FILE]", "edit the last statement, or FILE, in $EDITOR").or(&["\\edit"]),
    command("\\set", "[NAME VALUE]", "set a variable, used as :NAME, :'NAME' or :\"NAME\"; alone, list them"),
    command("\\unset", "NAME", "forget a variable"),
    command("\\echo", "TEXT", "print TEXT"),
    command("\\timing", "[on|off]", "show how long each statement took"),
    command("\\pager", "[on|off]", "show long results with $PAGER"),
    command("\\?", "", "this help").or(&["\\h", "\\help"]),
    command("\\q", "", "leave").or(&["\\quit", "\\exit"]),
];

/// A line split into command and arguments. Quotes keep blanks together and are
/// taken off, but the double quotes of a name stay, for a pattern to read; a
/// trailing `;` typed out of habit is dropped.
pub(super) fn parse(line: &str) -> (String, Vec<String>) {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let names = name.starts_with("\\d");
    let (mut arguments, mut current, mut quote) = (Vec::new(), None::<String>, None);
    for c in rest.chars() {
        let kept = names && c == '"';
        match quote {
            None if c.is_whitespace() => {
                arguments.extend(current.take());
                continue;
            }
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {
                current.get_or_insert_default().push(c);
                continue;
            }
        }
        let word = current.get_or_insert_default();
        if kept {
            word.push(c);
        }
    }
    arguments.extend(current);
    // `\d+` and `\dt+` show all there is already.
    let name = if names { name.trim_end_matches('+') } else { name };
    (name.to_owned(), arguments)
}

/// The command nearest to a mistyped one.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let longer =
        COMMANDS.iter().map(|c| c.name).filter(|n| name.len() > 2 && n.starts_with(name)).min_by_key(|n| n.len());
    longer.or_else(|| nearest(name, COMMANDS.iter().map(|c| c.name)))
}

/// The text of `\?`.
pub(super) fn help() -> String {
    let mut out = String::from("A statement ends with ; and may take several lines.\n\n");
    for Command { name, aliases, arguments, does } in COMMANDS {
        let also = if aliases.is_empty() { String::new() } else { format!("; also {}", aliases.join(", ")) };
        out.push_str(&format!("  {:<22} {does}{also}\n", format!("{name} {arguments}")));
    }
    out.push_str("\nTab completes, Ctrl-R searches the history, Ctrl-C cancels a query, Ctrl-D leaves.\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let check = |line: &str, name: &str, arguments: &[&str]| {
            assert_eq!(parse(line), (name.to_owned(), arguments.iter().map(|a| (*a).to_owned()).collect()), "{line}");
        };
        check("\\d mart.x;", "\\d", &["mart.x"]);
        check("\\dt+", "\\dt", &[]);
        check("\\d s.\"Odd name\"", "\\d", &["s.\"Odd name\""]);
        check("\\i 'my file.sql'", "\\i", &["my file.sql"]);
        check("\\set a \"\" 'b c'd", "\\set", &["a", "", "b cd"]);
    }

    #[test]
    fn mistakes_are_guessed() {
        assert_eq!(meant("\\tim"), Some("\\timing"));
        assert_eq!(meant("\\fromat"), Some("\\format"));
        assert_eq!(meant("\\quit"), None);
    }
}
