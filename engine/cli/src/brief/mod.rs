//! The brief: remittances against official development assistance, as text for
//! the terminal and as one self-contained page.
//!
//! [`load()`] asks a few small questions of the marts and fills [`BriefData`];
//! [`text::render`] and [`html::render`] draw it. Every statement is about the newest
//! complete year (see [`complete`]), carries its unit, and points to its source.

pub(crate) mod chart;
pub(crate) mod complete;
pub(crate) mod data;
pub(crate) mod error;
mod family;
mod family_chart;
mod family_html;
mod family_load;
mod family_queries;
mod family_rows;
mod family_text;
mod family_words;
#[cfg(test)]
mod fixture;
pub(crate) mod format;
mod headline;
pub(crate) mod html;
mod html_parts;
pub(crate) mod load;
mod map;
pub(crate) mod origin;
mod queries;
mod rows;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod text_country;
mod years;
