//! From bytes to cells: encodings, delimiters, workbooks and archives, all bounded.
//!
//! ```text
//! bytes -> kind_of -> read_csv ------> TextGrid { Grid, encoding, delimiter }
//!                  -> Workbook::open -> grid(sheet) -> Grid
//!                  -> unzip, gunzip -> bytes again
//!                  -> each_block -----> Block, for text too large to hold
//! ```
//! A `Grid` holds what the file holds; nothing is interpreted here. File authors are
//! not trusted: every size is bounded by [`Limits`] before it is allocated.

mod archive;
mod biff;
mod blocks;
mod csv;
mod decode;
mod dta;
mod grid;
mod kind;
mod limits;
mod sheet_xml;
mod workbook;

pub use archive::{gunzip, packed_on, unzip};
pub use blocks::{Block, each_block};
pub use csv::{TextGrid, read_csv};
pub use decode::plain;
pub use dta::{Batches, Dta};
pub use grid::{Cell, Grid, Row};
pub use kind::{Kind, kind_of};
pub use limits::Limits;
pub use workbook::{Merge, SheetInfo, Workbook};
