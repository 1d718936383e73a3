//! Who is poor: the line and how values are compared with it.

use datafusion_common::Result;

use crate::aggregate::frame::{Given, Rows, refuse};
use crate::aggregate::inequality::Curve;

/// The line of a call.
#[derive(Debug)]
pub(super) struct Line {
    /// Share and statistic of a line relative to the rows.
    relative: Option<(f64, String)>,
    inclusive: bool,
    pub(super) bottom: Option<f64>,
}

impl Line {
    /// Reads the line and its options.
    pub(super) fn new(given: &Given) -> Result<Self> {
        let function = given.measure.name;
        let relative = given.relative("line");
        if relative.is_none()
            && let Some(line) = given.number("line")?
            && line <= 0.0
        {
            return refuse(function, "line", line, "expected a poverty line greater than 0");
        }
        Ok(Self { relative, inclusive: given.flag("inclusive"), bottom: given.number("bottom_code")? })
    }

    /// The line of each row, given that values are the first column and lines the second.
    pub(super) fn lines<'a>(&self, rows: &Rows<'a>) -> impl Fn(usize) -> f64 + use<'a> {
        let one = self.relative.as_ref().map(|(share, statistic)| {
            share * if statistic == "mean" { rows.mean(0) } else { Curve::new(rows).quantile(0.5) }
        });
        let lines = rows.column(1);
        move |row| one.unwrap_or_else(|| lines.get(row).copied().unwrap_or(f64::NAN))
    }

    /// A value as it is compared: bottom-coded.
    pub(super) fn value(&self, y: f64) -> f64 {
        self.bottom.map_or(y, |bottom| y.max(bottom))
    }

    /// Whether a value is below the line.
    pub(super) fn poor(&self, y: f64, line: f64) -> bool {
        y < line || (self.inclusive && y <= line)
    }
}
