use super::{Constraints, Distance, Fit, Fitted, Refusal, Sample};

/// Numbers that are always the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

/// A household: weight, categories, variables.
type Household = (Option<f64>, Vec<&'static str>, Vec<f64>);

fn fitted(
    households: &[Household],
    margins: &[(&str, &str, f64)],
    variables: &[(&str, f64)],
    distance: Distance,
) -> Result<Fitted, Refusal> {
    let margins = margins.iter().map(|(m, c, t)| ((*m).to_owned(), (*c).to_owned(), *t)).collect();
    let variables = variables.iter().map(|(v, t)| ((*v).to_owned(), *t)).collect();
    let constraints = Constraints::new(margins, variables, 1e-10)?;
    let mut sample = Sample::new(&constraints);
    for (weight, categories, numbers) in households {
        let margins = constraints.margins().iter().zip(categories);
        let places: Vec<u32> = margins.map(|(m, c)| m.place(c).unwrap()).collect();
        sample.push(*weight, &places, numbers)?;
    }
    Fit::new(constraints, sample, distance, 1e-10, 100)?.solve()
}

fn check(fitted: &Fitted) {
    for (constraint, _, after, _) in &fitted.constraints {
        let off = (after - constraint.total).abs() / constraint.total.abs().max(1e-300);
        assert!(off < 1e-12, "{constraint}: {after} for {}", constraint.total);
    }
}

/// A margin, a category of it and its total.
type Asked = (&'static str, &'static str, f64);

const REGIONS: [&str; 4] = ["a", "b", "c", "d"];
const SEXES: [&str; 2] = ["f", "m"];

/// Households, and totals that some other weights of theirs have.
fn invented(seed: u64, n: usize) -> (Vec<Household>, Vec<Asked>, f64) {
    let mut random = Random(seed);
    let mut households = Vec::new();
    let (mut regions, mut sexes, mut income) = ([0.0; 4], [0.0; 2], 0.0);
    for _ in 0..n {
        let (region, sex) = (random.below(4), random.below(2));
        let (weight, y) = (1.0 + 99.0 * random.next(), 1000.0 * random.next() - 100.0);
        let other = weight * (0.6 + 0.8 * random.next()) * (1.0 + 0.1 * region as f64);
        regions[region] += other;
        sexes[sex] += other;
        income += other * y;
        households.push((Some(weight), vec![REGIONS[region], SEXES[sex]], vec![y]));
    }
    let margins = REGIONS.iter().zip(regions).map(|(c, t)| ("region", *c, t));
    let margins = margins.chain(SEXES.iter().zip(sexes).map(|(c, t)| ("sex", *c, t)));
    (households, margins.collect(), income)
}

#[test]
fn every_distance_meets_every_total() {
    for seed in 0..20 {
        let (households, margins, income) = invented(seed, 200);
        let logit = Distance::Logit { lower: 0.3, upper: 3.0 };
        for distance in [Distance::Linear, Distance::Raking, logit] {
            let fitted = fitted(&households, &margins, &[("income", income)], distance).unwrap();
            check(&fitted);
            // By hand: the weights themselves, and g = F(x'λ) from the report.
            let lambda: std::collections::HashMap<String, f64> =
                fitted.constraints.iter().map(|(c, _, _, l)| (c.to_string(), *l)).collect();
            let mut sum = 0.0;
            for (row, (weight, categories, y)) in households.iter().enumerate() {
                let g = fitted.g(row).unwrap();
                let u = lambda[&format!("category `{}` of margin `region`", categories[0])]
                    + lambda[&format!("category `{}` of margin `sex`", categories[1])]
                    + lambda["variable `income`"] * y[0];
                let expected = match distance {
                    Distance::Linear => 1.0 + u,
                    Distance::Raking => u.exp(),
                    Distance::Logit { .. } => distance.at(u).g,
                };
                assert!((g - expected).abs() < 1e-12, "{distance:?}");
                assert!(distance == Distance::Linear || g > 0.0);
                sum += weight.unwrap() * g * y[0];
            }
            assert!((sum / income - 1.0).abs() < 1e-10, "{distance:?}");
        }
    }
}

/// Raking by turns to each margin, as Deming and Stephan did.
fn by_turns(households: &[Household], margins: &[(&str, &str, f64)]) -> Vec<f64> {
    let mut weights: Vec<f64> = households.iter().map(|h| h.0.unwrap_or(0.0)).collect();
    for _ in 0..500 {
        for (place, name) in ["region", "sex"].iter().enumerate() {
            for (_, category, total) in margins.iter().filter(|m| m.0 == *name) {
                let of = |h: &Household| h.1[place] == *category;
                let sum: f64 = households.iter().zip(&weights).filter(|(h, _)| of(h)).map(|(_, w)| w).sum();
                for (_, weight) in households.iter().zip(&mut weights).filter(|(h, _)| of(h)) {
                    *weight *= total / sum;
                }
            }
        }
    }
    weights
}

#[test]
fn raking_is_iterative_proportional_fitting() {
    for seed in 0..5 {
        let (households, margins, _) = invented(seed, 60);
        let without: Vec<Household> = households.iter().map(|(w, c, _)| (*w, c.clone(), vec![])).collect();
        let fitted = fitted(&without, &margins, &[], Distance::Raking).unwrap();
        check(&fitted);
        let expected = by_turns(&without, &margins);
        let ours: Vec<f64> = without.iter().enumerate().map(|(row, h)| h.0.unwrap() * fitted.g(row).unwrap()).collect();
        for (ours, expected) in ours.iter().zip(&expected) {
            assert!((ours / expected - 1.0).abs() < 1e-10, "{ours} {expected}");
        }
        let (sum, squares) = ours.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        assert!((fitted.design_effect / (60.0 * squares / (sum * sum)) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn order_does_not_show() {
    let (mut households, margins, _) = invented(7, 300);
    households.iter_mut().for_each(|h| h.2.clear());
    let forward = fitted(&households, &margins, &[], Distance::Raking).unwrap();
    let g: Vec<u64> = (0..300).map(|row| forward.g(row).unwrap().to_bits()).collect();
    households.reverse();
    let backward = fitted(&households, &margins, &[], Distance::Raking).unwrap();
    let turned: Vec<u64> = (0..300).rev().map(|row| backward.g(row).unwrap().to_bits()).collect();
    assert_eq!(g, turned);
}

#[test]
fn rows_without_weight_take_no_part() {
    let households: Vec<Household> = vec![
        (Some(1.0), vec!["a"], vec![]),
        (None, vec!["a"], vec![]),
        (Some(0.0), vec!["b"], vec![]),
        (Some(2.0), vec!["b"], vec![]),
    ];
    let fitted = fitted(&households, &[("r", "a", 4.0), ("r", "b", 1.0)], &[("count", 5.0)], Distance::Raking).unwrap();
    check(&fitted);
    let g: Vec<Option<f64>> = (0..5).map(|row| fitted.g(row)).collect();
    assert!((g[0].unwrap() - 4.0).abs() < 1e-13 && (g[3].unwrap() - 0.5).abs() < 1e-15, "{g:?}");
    assert_eq!((g[1], g[2], g[4]), (None, None, None));
    // The count follows from the margin and has no multiplier of its own.
    assert_eq!(fitted.constraints.last().unwrap().3, 0.0);
}

#[test]
fn what_is_met_already_is_left_alone() {
    let households: Vec<Household> = vec![(Some(1.0), vec!["a"], vec![]), (Some(2.0), vec!["b"], vec![])];
    let fitted = fitted(&households, &[("r", "a", 1.0), ("r", "b", 2.0)], &[], Distance::Raking).unwrap();
    assert_eq!((fitted.g(0), fitted.g(1), fitted.iterations), (Some(1.0), Some(1.0), 0));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let two = |categories: [[&'static str; 2]; 3]| -> Vec<Household> {
        categories.iter().map(|c| (Some(1.0), c.to_vec(), vec![])).collect()
    };
    let margins = [("region", "a", 10.0), ("region", "b", 10.0), ("sex", "f", 5.0), ("sex", "m", 15.0)];
    let says =
        |households: &[Household], margins: &[(&str, &str, f64)], variables: &[(&str, f64)], distance, part: &str| {
            let error = fitted(households, margins, variables, distance).unwrap_err().0;
            assert!(error.contains(part), "{error}");
        };
    // No household of region a is m: f of region a alone has 10 where 5 is asked for.
    let empty = two([["a", "f"], ["b", "f"], ["b", "m"]]);
    says(&empty, &margins, &[], Distance::Raking, "of all totals category `");
    let whole = two([["a", "f"], ["a", "m"], ["b", "m"]]);
    check(&fitted(&whole, &margins, &[], Distance::Raking).unwrap());
    says(
        &whole,
        &margins,
        &[("count", 21.0)],
        Distance::Raking,
        "variable `count` follows from margin `region`, which make it 20",
    );
    let wrong = [("region", "a", 10.0), ("region", "b", 11.0), ("sex", "f", 5.0), ("sex", "m", 15.0)];
    says(&whole, &wrong, &[], Distance::Raking, "the totals of `region` add up to 21, those of `sex` to 20");
    let zero = [("region", "a", 0.0), ("region", "b", 10.0)];
    says(
        &whole,
        &zero,
        &[],
        Distance::Raking,
        "a total of 0 for category `a` of margin `region`, which is 2 in the survey",
    );
    let far = [("region", "a", 20.0), ("region", "b", 1.0)];
    says(
        &whole,
        &far,
        &[],
        Distance::Logit { lower: 0.3, upper: 3.0 },
        "g would have to be 10 in the mean and is between 0.3 and 3",
    );
    says(&whole, &[], &[], Distance::Raking, "has no totals to meet");
    says(&whole, &[("region", "a", -1.0)], &[], Distance::Raking, "a total of -1 for category `a`");
    says(&whole, &[("region", "a", f64::NAN)], &[], Distance::Raking, "a total of NaN");
    says(&whole, &[("region", "a", 1.0), ("region", "a", 2.0)], &[], Distance::Raking, "two totals for category `a`");
    let numbers = |x: [[f64; 2]; 3]| -> Vec<Household> { x.iter().map(|x| (Some(1.0), vec![], x.to_vec())).collect() };
    let twice = numbers([[1.0, 2.0], [2.0, 4.0], [5.0, 10.0]]);
    says(
        &twice,
        &[],
        &[("x", 9.0), ("y", 19.0)],
        Distance::Linear,
        "variable `y` follows from variable `x`, which make it 18, not 19",
    );
    check(&fitted(&twice, &[], &[("x", 9.0), ("y", 18.0)], Distance::Linear).unwrap());
    says(
        &numbers([[0.0, 1.0]; 3]),
        &[],
        &[("x", 9.0), ("y", 4.0)],
        Distance::Linear,
        "variable `x`, to which no household with a weight adds",
    );
    let negative: Vec<Household> = vec![(Some(-1.0), vec!["a"], vec![])];
    says(&negative, &[("region", "a", 1.0)], &[], Distance::Raking, "a weight of -1");
}

#[test]
fn nobody_cannot_be_calibrated() {
    let error = fitted(&[], &[("r", "a", 1.0)], &[], Distance::Raking).unwrap_err().0;
    assert!(error.contains("a total of 1 for category `a` of margin `r`, to which no household"), "{error}");
}

#[test]
fn weights_of_another_scale_are_no_hindrance() {
    for scale in [1e-40, 1e-6, 1e9, 1e60] {
        let (mut households, mut margins, income) = invented(3, 200);
        households.iter_mut().for_each(|h| h.0 = h.0.map(|w| w * scale));
        let fitted_to_all = fitted(&households, &margins, &[("income", income)], Distance::Raking).unwrap();
        check(&fitted_to_all);
        assert!(fitted_to_all.iterations < 20, "{}", fitted_to_all.iterations);
        // 1 + u has few digits left where weights have to become a small part of what they were.
        if scale < 1.0 {
            check(&fitted(&households, &[], &[("count", 1e5), ("income", income)], Distance::Linear).unwrap());
        }
        households.iter_mut().for_each(|h| h.2.clear());
        margins.truncate(4);
        check(&fitted(&households, &margins, &[], Distance::Raking).unwrap());
        check(&fitted(&households, &[], &[("count", 7.0)], Distance::Raking).unwrap());
    }
}
