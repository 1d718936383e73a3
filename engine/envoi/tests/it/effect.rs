//! `transfer_effect` beside the measures it is made of: every scale, measure and error, asked for one by one.

use std::fmt::Write as _;

use envoi::Session;

use crate::lakes::{blocking, rows, sample_lake, session};

/// Invented households, and how the effect is asked for.
struct Case {
    name: &'static str,
    households: Households,
    /// The line, as an expression.
    line: &'static str,
    /// Arguments that the other measures take too.
    design: &'static str,
    /// Share captured, as an expression.
    captured: &'static str,
    cells: bool,
    counterfactual: bool,
}

/// What the households are like.
#[derive(Clone, Copy)]
struct Households {
    count: u64,
    /// Of 100 households those that receive.
    receive: u64,
    /// Incomes are multiples of this.
    grain: f64,
    strata: u64,
    /// Whether incomes go below remittances.
    poor: bool,
}

const USUAL: Households = Households { count: 160, receive: 30, grain: 0.01, strata: 4, poor: false };

const CASES: [Case; 18] = [
    Case::new("a design", USUAL, "stratum => h, psu => c"),
    Case::new("texts as names", USUAL, "stratum => 'stratum ' || h, psu => 'a unit with a long name ' || c"),
    Case::new("households as units", USUAL, "stratum => h"),
    Case::new("nothing of a design", USUAL, "psu => null"),
    Case::new("finite strata", USUAL, "stratum => h, psu => c, fpc => 9 + h"),
    Case::new("households of finite strata", USUAL, "stratum => h, fpc => 400"),
    Case::new(
        "ties, zeros, negative incomes",
        Households { grain: 50.0, poor: true, ..USUAL },
        "stratum => h, psu => c",
    ),
    Case::new(
        "lonely units adjusted",
        Households { strata: 90, ..USUAL },
        "stratum => h, psu => c % 2, lonely_psu => 'adjust'",
    ),
    Case::new(
        "lonely units certain",
        Households { strata: 90, ..USUAL },
        "stratum => h, psu => c % 2, lonely_psu => 'certainty'",
    ),
    Case { line: "z", cells: true, ..Case::new("a line each, cells", USUAL, "stratum => h, psu => c") },
    Case {
        line: "relative(0.6, 'median')",
        cells: true,
        ..Case::new("a share of the median", USUAL, "stratum => h, psu => c")
    },
    Case {
        line: "relative(0.5, 'mean')",
        captured: "2.5",
        ..Case::new("a share of the mean", USUAL, "stratum => h, psu => c")
    },
    Case { captured: "1", cells: true, ..Case::new("all captured", USUAL, "stratum => h, psu => c") },
    Case { counterfactual: true, cells: true, ..Case::new("a counterfactual", USUAL, "stratum => h, psu => c") },
    Case::new("all receive", Households { receive: 100, ..USUAL }, "stratum => h, psu => c"),
    Case::new("few receive", Households { receive: 3, ..USUAL }, "stratum => h, psu => c"),
    Case {
        captured: "null",
        ..Case::new("nobody receives", Households { receive: 0, ..USUAL }, "stratum => h, psu => c")
    },
    Case::new("two households", Households { count: 2, receive: 50, ..USUAL }, "psu => null"),
];

impl Case {
    const fn new(name: &'static str, households: Households, design: &'static str) -> Self {
        Self { name, households, line: "300", design, captured: "0.6", cells: false, counterfactual: false }
    }

    /// The table `t`, and over it `d` with the incomes and weights of every scale.
    fn tables(&self, seed: u64) -> [String; 2] {
        let Self { captured, cells, counterfactual, .. } = self;
        let cell = if *cells { "coalesce(cell, 'none')" } else { "'all'" };
        let without = if *counterfactual { "coalesce(cf, x - r)" } else { "x - r" };
        let scales = format!(
            "create table d as with \
             m as (select *, cast({captured} as double) as k, sum(w * r) over (partition by {cell}) / sum(w) over (partition by {cell}) as m, \
             sum(w * r) over () as total from t), \
             v as (select *, total / sum(w * (r - m) * (r - m)) over () * (r - m) as v from m) \
             select *, x / s as y_survey, ({without}) / s as y0, ({without}) / s + r / s / k as y_amount, x / s as y_weight, \
             ({without}) / s + r / s / sqrt(k) as y_both, 1.0 as g_survey, 1.0 as g_amount, 1 + (1 / k - 1) * v as g_weight, \
             1 + (1 / sqrt(k) - 1) * v as g_both from v"
        );
        [format!("create table t as {}", self.households.table(seed)), scales]
    }

    fn effect(&self, method: &str) -> String {
        let Self { line, design, captured, cells, counterfactual, .. } = self;
        let cell = if *cells { ", cell => cell" } else { "" };
        let counterfactual = if *counterfactual { ", counterfactual => cf" } else { "" };
        format!(
            "transfer_effect(x, r, s, {line}, w, n, captured => {captured}, {design}{cell}{counterfactual}{method})"
        )
    }
}

impl Households {
    /// A select of the households as values.
    fn table(self, seed: u64) -> String {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut below = move |bound: u64| (random() * bound as f64) as u64;
        let mut values = String::new();
        for row in 0..self.count {
            let persons = 1 + below(6);
            let grains = |amount: f64| (amount / self.grain).round() * self.grain;
            let income = grains(persons as f64 * (20.0 + below(100_000) as f64 / 100.0));
            let receives = if self.count > 10 { below(100) < self.receive } else { row % 2 == 1 };
            let remittance = if receives { self.grain + grains(10.0 + below(60_000) as f64 / 100.0) } else { 0.0 };
            let total = match below(20) {
                0 if self.poor => 0.0,
                1 if self.poor => -income,
                2 | 3 if self.poor => income,
                _ => income + remittance,
            };
            let (weight, line) = (0.5 + below(900) as f64 / 100.0, 250.0 + below(100) as f64);
            let cell = ["'north'", "'south'", "null"].get(below(3) as usize).copied().unwrap_or("null");
            let counterfactual = if below(5) == 0 { format!("{}", 0.5 * total + 20.0) } else { "null".to_owned() };
            let (stratum, unit) = (below(self.strata), below(6));
            let _ = write!(
                values,
                "{}({total:?}, {remittance:?}, {persons}.0, {line:?}, {weight:?}, {persons}, {stratum}, {unit}, {cell}, \
                 cast({counterfactual} as double))",
                if row == 0 { "" } else { ", " },
            );
        }
        format!("select * from (values {values}) as t(x, r, s, z, w, n, h, c, cell, cf)")
    }
}

/// With, without, difference and their errors, asked for one by one.
fn one_by_one(case: &Case, scale: &str, measure: &str, method: &str) -> String {
    let Case { line, design, .. } = case;
    let (weight, persons) = (format!("w * g_{scale}"), format!("w * n * g_{scale}"));
    let (with, without) = (format!("y_{scale}"), "y0");
    let tail = format!("{design}{method}");
    let calls = match measure {
        "receiving_households" | "receiving_persons" => {
            let w = if measure == "receiving_persons" { persons } else { weight };
            let call = format!("svy_mean(case when r > 0 then 1.0 else 0.0 end, {w}, {tail})");
            return format!("{call} as a");
        }
        "mean" => ["svy_mean(WITH, P, T)", "svy_mean(WITHOUT, P, T)", "svy_mean_difference(WITH, WITHOUT, P, T)"],
        "gini" => ["svy_gini(WITH, P, T)", "svy_gini(WITHOUT, P, T)", "svy_gini_difference(WITH, WITHOUT, P, T)"],
        _ => [
            "svy_fgt(WITH, L, A, P, T)",
            "svy_fgt(WITHOUT, L, A, P, T)",
            "svy_fgt_difference(WITH, WITHOUT, L, A, P, T)",
        ],
    };
    let alpha = ["headcount", "gap", "severity"].iter().position(|m| *m == measure).unwrap_or(0).to_string();
    let call = |call: &str| {
        let call = call.replace("WITHOUT", without).replace("WITH", &with).replace("P,", &format!("{persons},"));
        call.replace("L,", &format!("{line},")).replace("A,", &format!("{alpha},")).replace("T)", &format!("{tail})"))
    };
    let [a, b, c] = calls.map(call);
    format!("{a} as a, {b} as b, {c} as c")
}

fn near(a: &str, b: &str, tolerance: f64) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs())),
        _ => a == b,
    }
}

/// Compares every row of the effect with the measures it is made of.
async fn compare(session: &Session, case: &Case, seed: u64, method: &str) {
    for table in ["t", "d"] {
        rows(session, &format!("drop table if exists {table}")).await;
    }
    for table in case.tables(seed) {
        rows(session, &table).await;
    }
    let fields = "e['scale'], e['measure'], e['with'], e['without'], e['difference'], e['se_with'], e['se_without'], e['se'], \
                  e['ci_low'], e['ci_high'], e['df'], e['n'], e['g_min'], e['g_max'], e['status']";
    let effect = format!("select {fields} from (select unnest({}) as e from t)", case.effect(method));
    let found = rows(session, &effect).await;
    assert_eq!(found.len(), if case.captured == "null" { 8 } else { 29 }, "{}", case.name);
    let numbers = found.iter().flatten().filter(|cell| cell.parse::<f64>().is_ok()).count();
    assert!(numbers >= 80, "{}: only {numbers} numbers in {found:?}", case.name);
    for row in &found {
        let [scale, measure, numbers @ .., least, most, status] = row.as_slice() else { panic!("{row:?}") };
        if measure == "gini_elasticity" {
            continue;
        }
        assert!(numbers.len() == 10, "{row:?}");
        let g = rows(session, &format!("select min(g_{scale}), max(g_{scale}) from d")).await;
        assert!(near(least, &g[0][0], 1e-10) && near(most, &g[0][1], 1e-10), "{} {scale}: {row:?} {g:?}", case.name);
        if status == "negative calibration weights" {
            assert!(g[0][0].starts_with('-'), "{}: {row:?} {g:?}", case.name);
            continue;
        }
        let alone = one_by_one(case, scale, measure, method);
        let part = |s: &str, field: &str| format!("{s}['{field}']");
        // Without remittances nobody receives any, for certain.
        let (b, b_se, c) = if measure.starts_with("receiving") {
            ("0.0".to_owned(), if numbers[3] == "NULL" { "a['se']" } else { "0.0" }.to_owned(), "a")
        } else {
            (part("b", "estimate"), part("b", "se"), "c")
        };
        let [of_with, of_difference] = ["a", c].map(|s| [part(s, "estimate"), part(s, "se")]);
        let ([with, se_with], [difference, se]) = (of_with, of_difference);
        let rest = ["ci_low", "ci_high", "df", "n"].map(|field| part(c, field));
        let columns = [vec![with, b, difference, se_with, b_se, se], rest.to_vec()].concat();
        let named: Vec<String> = columns.iter().enumerate().map(|(n, c)| format!("{c} as c{n}")).collect();
        let should = rows(session, &format!("select {} from (select {alone} from d)", named.join(", "))).await;
        for ((is, should), what) in numbers.iter().zip(&should[0]).zip(&columns) {
            assert!(near(is, should, 1e-10), "{}, {scale} {measure} {what}: {is} is not {should}\n{row:?}", case.name);
        }
        assert_eq!(status, "NULL", "{}: {row:?}", case.name);
    }
    let elasticity = found.iter().find(|row| row[1] == "gini_elasticity").unwrap();
    let by_source = "gini_by_source(x / s, {remit: r / s, other: x / s - r / s}, w * n)";
    let should = rows(session, &format!("select ({by_source})[1]['elasticity'] from d")).await;
    assert!(near(&elasticity[2], &should[0][0], 1e-10), "{}: {elasticity:?} {should:?}", case.name);
}

fn open() -> impl Future<Output = Session> {
    session(sample_lake(), &[("runtime.threads", "2")])
}

#[test]
fn every_number_is_that_of_its_own_measure() {
    for (seed, case) in (1..).zip(&CASES) {
        blocking(async move { compare(&open().await, case, seed, "").await });
    }
}

#[test]
fn replicates_are_those_of_the_other_measures() {
    let cases = [0, 4, 6, 9, 11, 13, 14].map(|at| &CASES[at]);
    for (seed, case) in (101..).zip(cases) {
        blocking(async move {
            let session = open().await;
            compare(&session, case, seed, ", method => 'bootstrap', replicates => 21, seed => 5").await;
            compare(&session, case, seed, ", method => 'jackknife'").await;
        });
    }
}
