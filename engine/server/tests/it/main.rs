//! The server as its clients meet it: over sockets of this machine.

mod client;
mod copies;
mod cursors;
mod hostile;
mod limits;
mod logins;
mod protocol;
mod server;
mod sessions;
mod slt;
