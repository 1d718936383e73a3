//! The `envoi` command, run as a user runs it.

mod sql;
