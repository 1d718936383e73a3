//! Marks that stand for a missing value. A mark becomes NULL and stays readable as a flag.

/// Marks that mean missing in a column of numbers or periods, compared in lower case.
const MARKS: [&str; 45] = [
    "..",
    "...",
    "…",
    "....",
    "-",
    "–",
    "—",
    "−",
    "--",
    "---",
    "n/a",
    "na",
    "n.a.",
    "n.a",
    "#n/a",
    "#na",
    "x",
    "c",
    ":",
    ": c",
    ":c",
    ".",
    "*",
    "**",
    "nd",
    "n.d.",
    "n.d",
    "s.d.",
    "null",
    "none",
    "nil",
    "nan",
    "not available",
    "not applicable",
    "no data",
    "missing",
    "unknown",
    "suppressed",
    "confidential",
    "z",
    "(x)",
    "(d)",
    "_",
    "#n/d",
    "k.a.",
];

/// Marks that mean missing even among words: nothing else is written so.
const ANYWHERE: [&str; 15] = [
    "..",
    "...",
    "…",
    "....",
    "n/a",
    "#n/a",
    "#na",
    "n.a.",
    ":",
    "not available",
    "not applicable",
    "no data",
    "null",
    "--",
    "---",
];

/// True for a mark that is missing among numbers and periods.
pub(super) fn among_numbers(text: &str) -> bool {
    let text = text.trim();
    // `<5`: a count below the disclosure threshold is not known.
    let hidden_count =
        text.strip_prefix(['<', '≤']).is_some_and(|n| !n.is_empty() && n.trim().bytes().all(|b| b.is_ascii_digit()));
    hidden_count || text.starts_with('#') && text.ends_with(['!', '?']) || matches(&MARKS, text)
}

/// True for a mark that is missing in any column.
pub(super) fn anywhere(text: &str) -> bool {
    matches(&ANYWHERE, text)
}

/// True for `NA`, which is Namibia among country codes and missing elsewhere.
pub(super) fn is_na(text: &str) -> bool {
    text == "NA"
}

fn matches(marks: &[&str], text: &str) -> bool {
    // The longest mark has 14 characters; most cells need no lower-casing.
    text.len() <= 16 && marks.contains(&text.trim().to_lowercase().as_str())
}
