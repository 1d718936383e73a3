//! Words of SQL that are coloured and completed.
//!
//! A selection: sqlparser knows nine hundred, among them `year`, `value` and
//! `source`, which here are columns far more often than keywords.

/// In lower case, sorted.
pub(super) const KEYWORDS: &[&str] = &[
    "all",
    "analyze",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "copy",
    "create",
    "cross",
    "current",
    "delete",
    "desc",
    "describe",
    "distinct",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exists",
    "explain",
    "external",
    "extract",
    "false",
    "fetch",
    "filter",
    "first",
    "following",
    "from",
    "full",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "last",
    "lateral",
    "left",
    "like",
    "limit",
    "location",
    "natural",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "preceding",
    "qualify",
    "range",
    "recursive",
    "replace",
    "reset",
    "right",
    "rollup",
    "row",
    "rows",
    "select",
    "semi",
    "set",
    "sets",
    "show",
    "similar",
    "some",
    "stored",
    "table",
    "tables",
    "then",
    "to",
    "true",
    "unbounded",
    "union",
    "unnest",
    "update",
    "using",
    "values",
    "view",
    "when",
    "where",
    "window",
    "with",
    "within",
];

/// Whether `word` is one of them, in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("SELECT") && !is_keyword("year"));
    }
}
