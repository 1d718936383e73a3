//! A value of a catalogue row, before it is in a column.

/// A value; texts are read as the column's type has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    /// Numbers, and times in microseconds since 1970.
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Cell {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<i16> for Cell {
    fn from(value: i16) -> Self {
        Self::Int(value.into())
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Cell>> From<Vec<T>> for Cell {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The elements of an array as PostgreSQL writes it, `{a,"b c",NULL}`, or of a vector, `1 2`.
///
/// An element that is an array itself is kept as its text.
pub(super) fn elements(text: &str) -> Vec<Cell> {
    let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
        return text.split_ascii_whitespace().map(Cell::from).collect();
    };
    let mut cells = Vec::new();
    let mut characters = inner.chars().peekable();
    while characters.peek().is_some() {
        let mut word = String::new();
        let mut quoted = false;
        let mut within = false;
        for c in characters.by_ref() {
            match c {
                '"' => (quoted, within) = (true, !within),
                '\\' => {}
                ',' if !within => break,
                _ => word.push(c),
            }
        }
        cells.push(if word == "NULL" && !quoted { Cell::Null } else { Cell::Text(word) });
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arrays() {
        let text = |t: &str| Cell::from(t);
        assert_eq!(elements("{}"), vec![]);
        assert_eq!(elements("{a,\"b, c\",NULL,\"NULL\"}"), vec![text("a"), text("b, c"), Cell::Null, text("NULL")]);
        assert_eq!(elements("1 2"), vec![text("1"), text("2")]);
        assert_eq!(elements(""), vec![]);
    }
}
