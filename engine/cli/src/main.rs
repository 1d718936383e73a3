//! The `envoi` command.
#[cfg_attr(not(test), expect(dead_code, reason = "called once `main` has a session to ask"))]
mod brief;

fn main() {}
