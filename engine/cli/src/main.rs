//! The `envoi` command.

mod lexer;
mod output;
mod statement;
mod variables;

fn main() {}
