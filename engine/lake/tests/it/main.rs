//! Integration tests of the lake.

mod country;
