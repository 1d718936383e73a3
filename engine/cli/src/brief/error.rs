//! What can go wrong while the brief is made.

/// Any failure of a layer below, with its own words.
pub(crate) type Below = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no brief.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A query of the brief failed.
    #[error("cannot read {what} for the brief: {source}")]
    Query {
        /// Which part.
        what: &'static str,
        /// The engine's own words.
        #[source]
        source: Below,
    },
    /// A mart does not have the columns the brief reads.
    #[error("column `{column}` of {what} is {found}, expected {expected}")]
    Shape {
        /// Which part.
        what: &'static str,
        /// Column.
        column: &'static str,
        /// What is there.
        found: String,
        /// What the brief reads.
        expected: &'static str,
    },
    /// The economy asked for is not one.
    #[error("unknown economy `{asked}`{hint}")]
    UnknownEconomy {
        /// As the user wrote it.
        asked: String,
        /// What would work.
        hint: String,
    },
    /// The year asked for has no values.
    #[error("no values{whose} for {asked}; {have}")]
    UnknownYear {
        /// ` of` the economy asked for; empty for all.
        whose: String,
        /// As the user wrote it.
        asked: i32,
        /// What would work.
        have: String,
    },
}
