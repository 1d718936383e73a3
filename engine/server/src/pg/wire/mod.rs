//! The messages of the protocol as bytes: what comes in, checked, and what goes out.
//!
//! ```text
//! bytes -> startup::first     before login: SSLRequest, GSSENCRequest, CancelRequest, StartupMessage
//!       -> frontend::message  after it: one typed message at a time
//! backend::*                  appends messages to the bytes that go out
//! ```
//! Nothing here reads a socket, keeps state or trusts a length: a count is held against the
//! bytes that have come before anything is set aside for it.

pub(crate) mod backend;
pub(crate) mod frontend;
mod read;
pub(crate) mod startup;

#[cfg(test)]
mod backend_tests;
#[cfg(test)]
mod frontend_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod random_tests;
