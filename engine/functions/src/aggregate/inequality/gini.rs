//! `gini`: the Gini coefficient with mid-ranks.

use datafusion_common::Result;

use super::{SECTION, near_one, rows_rule};
use crate::aggregate::frame::{Given, Kernel, Measure, Rows, Shape, Sink, Text, Total, Work, flag, number, weight};

pub(super) static GINI: Measure = Measure {
    name: "gini",
    parameters: &[
        number("y", "Income, consumption or any amount; integers, decimals and doubles."),
        weight(),
        flag(
            "corrected",
            "Whether to multiply by n/(n-1), n the number of rows: the correction for small samples with equal weights. NULL for one row.",
        ),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| Ok(Box::new(Gini { corrected: given.flag("corrected") }))),
    text: Text {
        section: SECTION,
        syntax: "gini(y [, w] [, corrected => true])",
        description: concat!(
            "Gini coefficient, a fraction: 0 if all are equal, near 1 if one has all. \
             G = 2 cov(y, F)/mean, where F of a value is the share of weight below it plus half of the share at it, so \
             rows that tie share a rank and the answer does not depend on the order of rows; the same as the area by \
             trapezoids under the Lorenz curve (Lerman and Yitzhaki 1985; Eurostat; R laeken). With negative values it can \
             exceed 1; if the mean is zero or negative it is NULL.",
            rows_rule!()
        ),
        example: "> select gini(y, w), gini(y) from (values (1.0, 1.0), (3.0, 2.0)) as t(y, w);\n\
                  0.19047619047619047, 0.25",
    },
};

#[derive(Debug)]
struct Gini {
    corrected: bool,
}

impl Kernel for Gini {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let n = rows.len() as f64;
        let gini = mid_rank(rows.values(), rows.weights());
        sink.maybe(gini.map(|g| if self.corrected { g * n / (n - 1.0) } else { g }));
        Ok(())
    }
}

/// The Gini coefficient of ascending values; `None` if their mean is not positive.
pub(in crate::aggregate) fn mid_rank(values: &[f64], weights: Option<&[f64]>) -> Option<f64> {
    match weights {
        // Without weights the compiler can leave out their additions.
        None => of(values, |_| 1.0),
        Some(weights) => {
            let largest = weights.iter().copied().fold(0.0, f64::max);
            // Weights of usual size stay as they are.
            let scale = if (1e-100..1e100).contains(&largest) { 1.0 } else { near_one(largest) };
            of(values, |row| weights.get(row).copied().unwrap_or(0.0) * scale)
        }
    }
}

fn of(values: &[f64], weight: impl Fn(usize) -> f64) -> Option<f64> {
    let (least, most) = (values.first()?, values.last()?);
    let scale = near_one(least.abs().max(most.abs()));
    // Ranks add up to zero, so any number may be taken off the values; one amid
    // them leaves little to be lost in rounding.
    let amid = values.get(values.len() / 2)? * scale;
    let mut all = Total::default();
    (0..values.len()).for_each(|row| all.add(weight(row)));
    let all = all.value();
    let (mut below, mut covariance, mut income) = (Total::default(), Total::default(), Total::default());
    let mut rows = values.iter().enumerate().peekable();
    while let Some((row, value)) = rows.next() {
        let mut tied = weight(row);
        while let Some((row, _)) = rows.next_if(|(_, next)| *next == value) {
            tied += weight(row);
        }
        let y = value * scale;
        let rank = 2.0 * below.value() - all + tied;
        covariance.add(tied * (y - amid) * rank);
        income.add(tied * y);
        below.add(tied);
    }
    let income = income.value();
    (income > 0.0).then(|| covariance.value() / (all * income))
}

#[cfg(test)]
mod tests {
    use super::mid_rank;

    fn close(is: Option<f64>, should: f64) {
        assert!((is.unwrap() - should).abs() < 1e-15, "{is:?} is not {should}");
    }

    #[test]
    fn small_distributions() {
        close(mid_rank(&[1.0, 1.0, 1.0], None), 0.0);
        close(mid_rank(&[0.0, 0.0, 0.0, 1.0], None), 0.75);
        close(mid_rank(&[1.0, 3.0], None), 0.25);
        close(mid_rank(&[1.0, 3.0], Some(&[1.0, 2.0])), 4.0 / 21.0);
        close(mid_rank(&[5.0], None), 0.0);
        assert_eq!(mid_rank(&[0.0, 0.0], None), None);
        assert_eq!(mid_rank(&[-2.0, 1.0], None), None);
    }

    #[test]
    fn magnitudes_do_not_matter() {
        let values = [1.0, 2.0, 2.0, 7.0];
        let plain = mid_rank(&values, None);
        for scale in [1e-320, 1e-300, 1e300, 2.5e307] {
            let scaled: Vec<f64> = values.iter().map(|v| v * scale).collect();
            let is = mid_rank(&scaled, Some(&[1e-200; 4])).unwrap();
            let tolerance = if scale < 1e-310 { 1e-3 } else { 1e-15 };
            assert!((is - plain.unwrap()).abs() < tolerance, "{scale}: {is}");
        }
        // Far from zero the spread counts, not the level.
        let far: Vec<f64> = [0.0, 1.0, 2.0, 3.0].map(|v| v + 1e12).to_vec();
        let is = mid_rank(&far, None).unwrap();
        assert!((is / (0.625 / (1e12 + 1.5)) - 1.0).abs() < 1e-12, "{is}");
    }
}
