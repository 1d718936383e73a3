//! `hoover`: the share that would have to move for equality.

use datafusion_common::Result;

use super::{SECTION, rows_rule};
use crate::aggregate::frame::{Kernel, Measure, Rows, Shape, Sink, Text, Work, number, total, weight};

pub(super) static HOOVER: Measure = Measure {
    name: "hoover",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), weight()],
    shape: |_| Shape::Number,
    work: Work::Rows(|_| Ok(Box::new(Hoover))),
    text: Text {
        section: SECTION,
        syntax: "hoover(y [, w])",
        description: concat!(
            "Hoover index (also Ricci-Schutz, Pietra, Robin Hood), a fraction: the share of the total that would have to move \
             from those above the mean to those below it, half of mean(|y - m|)/m (Hoover 1936). NULL if the mean is zero or \
             negative.",
            rows_rule!()
        ),
        example: "> select hoover(y) from (values (1.0), (3.0)) as t(y);\n0.25",
    },
};

#[derive(Debug)]
struct Hoover;

impl Kernel for Hoover {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let mean = rows.mean(0);
        if mean > 0.0 {
            let off = total(rows.weighted().map(|(y, w)| w * (y / mean - 1.0).abs()));
            sink.number(off / rows.weight_sum() / 2.0);
        } else {
            sink.null();
        }
        Ok(())
    }
}
