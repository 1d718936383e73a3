//! From bytes to cells: encodings, delimiters, workbooks and archives, all bounded.

mod grid;

pub use grid::{Cell, Grid, Row};
