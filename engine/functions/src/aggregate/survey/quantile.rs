//! `svy_quantile`, and the density that its error and relative lines need.

use datafusion_common::Result;

use super::{
    DOMAIN, Estimator, FPC, LONELY, Linear, METHOD, PSU, REPLICATES, SECTION, SEED, SHAPE, STRATUM, Sample, W, Y,
    design_rule, survey,
};
use crate::aggregate::frame::{Given, Measure, Rows, Text, Total, Work, constant, total};
use crate::aggregate::inequality::Curve;

pub(super) static SVY_QUANTILE: Measure = Measure {
    name: "svy_quantile",
    parameters: &[
        Y,
        constant("p", "Share of the population from 0 to 1."),
        W,
        STRATUM,
        PSU,
        FPC,
        DOMAIN,
        LONELY,
        METHOD,
        REPLICATES,
        SEED,
    ],
    shape: SHAPE,
    work: Work::Rows(|given: &Given| {
        let p = given.required("p", "expected a number from 0 to 1", |p| (0.0..=1.0).contains(&p))?;
        survey(given, Quantile(p))
    }),
    text: Text {
        section: SECTION,
        syntax: "svy_quantile(y, p, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'] [, method => 'jackknife'] [, replicates => 1000] [, seed => 0])",
        description: concat!(
            "Weighted quantile as `quantile` gives it, in the unit of y. Its error takes the density there from a Gaussian kernel \
             with the bandwidth sd/W^0.2, W the sum of weights, as R convey does.",
            design_rule!()
        ),
        example: "> select s['estimate'] from (select svy_quantile(y, 0.5, w) as s from (values (1.0, 1.0), (3.0, 1.0), (4.0, 2.0)) as t(y, w));\n3.0",
    },
};

#[derive(Debug)]
struct Quantile(f64);

impl Estimator for Quantile {
    fn linearise(&self, sample: &Sample<'_>) -> Result<Option<Linear>> {
        let (estimate, influence) = linear(&sample.values, &sample.weights, self.0);
        Ok(Some(Linear { estimate, influence, beyond: None }))
    }
}

/// A quantile of ascending values and the influence of each of them.
pub(super) fn linear(values: &[f64], weights: &[f64], p: f64) -> (f64, Vec<f64>) {
    let columns = [values];
    let curve = Curve::new(&Rows::new(&columns, Some(weights)));
    let quantile = curve.quantile(p);
    let at = density(values, weights, quantile) * curve.weight();
    // All alike: a quantile that no sample moves.
    let influence = |y: &f64| if at > 0.0 { -(f64::from(u8::from(*y <= quantile)) - p) / at } else { 0.0 };
    (quantile, values.iter().map(influence).collect())
}

/// The density at a point; infinite, as 0, if all values are the same.
pub(super) fn density(values: &[f64], weights: &[f64], at: f64) -> f64 {
    densities(values, weights, at).0
}

/// The density at a point, of people and of the amounts they hold, a person; zeros if all values are the same.
pub(super) fn densities(values: &[f64], weights: &[f64], at: f64) -> (f64, f64) {
    densities_of(&[(values, weights)], at)
}

/// Widths of the kernel beyond which it is nothing beside what is nearer.
const FAR: f64 = 12.0;

/// The same of values and their weights in several parts.
pub(super) fn densities_of(parts: &[(&[f64], &[f64])], at: f64) -> (f64, f64) {
    let rows = || parts.iter().flat_map(|(values, weights)| values.iter().zip(*weights));
    let weight = total(rows().map(|(_, w)| *w));
    // Around a value of its own the mean is small, however far that is from zero.
    let amid = parts.iter().find_map(|(values, _)| values.get(values.len() / 2)).copied().unwrap_or(0.0);
    let mean = amid + total(rows().map(|(y, w)| w * (y - amid))) / weight;
    let spread = total(rows().map(|(y, w)| w * (y - mean) * (y - mean))) / weight;
    let width = spread.sqrt() / weight.powf(0.2);
    if width.is_nan() || width <= 0.0 {
        return (0.0, 0.0);
    }
    let (mut people, mut amounts) = (Total::default(), Total::default());
    for (y, w) in rows() {
        let u = (at - y) / width;
        if u.abs() < FAR {
            let near = w * (-u * u / 2.0).exp();
            people.add(near);
            amounts.add(near * y);
        }
    }
    let whole = weight * width * (2.0 * std::f64::consts::PI).sqrt();
    (people.value() / whole, amounts.value() / whole)
}
