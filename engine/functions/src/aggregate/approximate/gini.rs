//! `approx_gini`: the Gini coefficient of buckets.

use crate::aggregate::frame::{Measure, Shape, Text, Work, number, weight};
use crate::aggregate::inequality::{SECTION, mid_rank};

pub(super) static APPROX_GINI: Measure = Measure {
    name: "approx_gini",
    parameters: &[number("y", "Income, consumption or any amount; integers, decimals and doubles."), weight()],
    shape: |_| Shape::Number,
    work: Work::Sketch(gini),
    text: Text {
        section: SECTION,
        syntax: "approx_gini(y [, w])",
        description: "Gini coefficient, as `gini`, in memory that does not grow with the rows: values are counted in buckets, 128 \
             between any power of two and the next, and the values of a bucket are taken as their mean. With positive values the \
             answer is never above that of `gini` but for rounding, and below it by less than s/512, s the largest share of \
             weight in one bucket: below 0.002 always, and below 0.00004 where no bucket holds more than 2 % of the weight. \
             With negative values among them the bound is s/512 times the mean of absolute values over the mean. Exact where \
             each bucket holds one value, as of small integers. A group takes 48 bytes a bucket, some 60 kB for incomes of a \
             thousand to a million. The same for any order and split of rows. Rows with a NULL or with weight 0 are left out; \
             without rows, or with a mean of zero or less, the answer is NULL. NaN, infinite values and negative weights are \
             errors; DISTINCT with weights is one too, as it needs the rows.",
        example: "> select approx_gini(y, w), approx_gini(y) from (values (1.0, 1.0), (3.0, 2.0)) as t(y, w);\n\
                  0.19047619047619047, 0.25",
    },
};

/// Of the means of buckets and their weights.
fn gini(means: &[f64], weights: &[f64]) -> Option<f64> {
    mid_rank(means, Some(weights))
}
