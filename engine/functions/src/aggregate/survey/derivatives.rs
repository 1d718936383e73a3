//! That influences are what they should be: derivatives of estimates with the weights of rows.

use super::inequality::{Gini, Index};
use super::parts::Groups;
use super::several::Estimators;
use super::sources::{BySource, Concentration};
use super::spread::{Divergence, Hoover, Kolm, SGini, Zenga};
use super::{Estimator, Linear, Sample};
use crate::aggregate::frame::Rows;

/// A value, a rank or part of it, two texts' worth of group, and a weight.
const ROWS: [[f64; 5]; 9] = [
    [0.5, 0.25, 0.0, 1.0, 1.0],
    [1.0, 0.5, 0.0, 2.0, 2.0],
    [2.0, 0.0, 0.0, 1.0, 0.5],
    [2.0, 1.5, 0.0, 1.0, 1.5],
    [3.5, 0.5, 0.0, 2.0, 1.0],
    [4.0, 4.0, 0.0, 2.0, 1.0],
    [5.0, 1.0, 0.0, 1.0, 0.25],
    [8.0, 1.0, 0.0, 3.0, 1.0],
    [13.0, 6.0, 0.0, 3.0, 3.0],
];

fn derivatives(name: &str, estimate: &dyn Fn(&Sample<'_>) -> Vec<Linear>) {
    let column = |place: usize| ROWS.iter().map(|row| row[place]).collect::<Vec<f64>>();
    let columns = [column(0), column(1), column(2), column(3)];
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let weights = column(4);
    let at = |weights: &[f64]| estimate(&Sample::new(&Rows::new(&slices, Some(weights)), |_| true));
    for (part, linear) in at(&weights).iter().enumerate() {
        for (row, z) in linear.influence.iter().enumerate() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[row] += by;
                at(&weights)[part].estimate
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - z).abs() < 1e-7 * (1.0 + z.abs()), "{name} {part}, row {row}: {slope} {z}");
        }
    }
}

/// An estimator as a closure.
type One = dyn Fn(&Sample<'_>) -> Option<Linear>;

#[test]
fn of_one_estimate() {
    let index = |power| Index { function: "index", power, atkinson: false };
    let all: [(&str, Box<One>); 12] = [
        ("gini", Box::new(|s| Gini.linearise(s).unwrap())),
        ("hoover", Box::new(|s| Hoover.linearise(s).unwrap())),
        ("kolm", Box::new(|s| Kolm(0.2).linearise(s).unwrap())),
        ("kolm, far", Box::new(|s| Kolm(3.0).linearise(s).unwrap())),
        ("s_gini 1.5", Box::new(|s| SGini(1.5).linearise(s).unwrap())),
        ("s_gini 4", Box::new(|s| SGini(4.0).linearise(s).unwrap())),
        ("zenga, steps", Box::new(|s| Zenga { lines: false }.linearise(s).unwrap())),
        ("zenga, lines", Box::new(|s| Zenga { lines: true }.linearise(s).unwrap())),
        ("j_divergence", Box::new(|s| Divergence.linearise(s).unwrap())),
        ("concentration", Box::new(|s| Concentration.linearise(s).unwrap())),
        ("ge 0", Box::new(move |s| index(0.0).linearise(s).unwrap())),
        ("ge 1", Box::new(move |s| index(1.0).linearise(s).unwrap())),
    ];
    for (name, estimate) in all {
        derivatives(name, &|sample| vec![estimate(sample).unwrap()]);
    }
}

#[test]
fn of_parts() {
    let all = |estimators: &dyn Fn(&Sample<'_>) -> Vec<Option<Linear>>, name: &str| {
        derivatives(name, &|sample| estimators(sample).into_iter().flatten().collect());
    };
    for alpha in [-1.0, 0.0, 0.5, 1.0, 2.0] {
        let groups = Groups { alpha, subgroup: 2 };
        all(&|s| groups.linearise(s).unwrap().unwrap(), "ge_decomposition");
    }
    let sources = BySource(1);
    assert_eq!(sources.count(), 5);
    all(&|s| sources.linearise(s).unwrap().unwrap(), "gini_by_source");
}
