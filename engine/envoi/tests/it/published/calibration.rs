//! Totals and weights of calibrated samples, as R survey has them.

use super::questions::parameter;
use super::{Compared, data, folder};
use crate::lakes::{blocking, rows, sample_lake, session};

/// Population of the schools by type, the margin of all figures.
const TYPES: &str = "(select * from (values ('stype', 'E', 4421), ('stype', 'H', 755), ('stype', 'M', 1018)) as m (margin, category, total))";

/// The call that makes the weights of a figure.
fn call(statistic: &str, params: &str) -> Option<String> {
    let both = TYPES
        .replace("('stype', 'M', 1018)", "('stype', 'M', 1018), ('sch.wide', 'No', 1072), ('sch.wide', 'Yes', 5122)");
    let scores = "(select 'api99', 3914069)";
    Some(match (statistic, params) {
        ("poststratified_total", _) | (_, "poststratified") => format!("rake(apiclus1, pw, {TYPES})"),
        ("raked_total", _) | (_, "raked") => format!("rake(apiclus1, pw, {both})"),
        ("calibrated_total", p) if p.contains("linear") => format!("calibrate(apiclus1, pw, {scores}, {TYPES})"),
        (_, "linear calibrated") => format!("calibrate(apiclus1, pw, {scores}, {TYPES}, 'linear')"),
        ("calibrated_total", p) if p.contains("raking") => {
            format!("calibrate(apiclus1, pw, {scores}, {TYPES}, method => 'raking')")
        }
        _ => return None,
    })
}

#[test]
fn calibrated_weights() {
    let Some(folder) = folder() else { return };
    let mut asked = Vec::new();
    for (_, expected) in data::expected(&folder) {
        let Some(call) = call(&expected.statistic, &expected.params) else { continue };
        let value = match expected.statistic.as_str() {
            "weight_sum_squares" => "sum(weight_calibrated * weight_calibrated)".to_owned(),
            _ => format!("sum(weight_calibrated * {})", expected.params.split(',').next().unwrap()),
        };
        // A parameter `by` is the margin that every call has.
        assert!(parameter(&expected.params, "by").is_none_or(|by| by.starts_with("stype")));
        let what = format!("{} {} {}", expected.dataset, expected.statistic, expected.params);
        asked.push((what, expected.estimate.unwrap(), format!("select {value} from {call}")));
    }
    let setup = data::tables(&folder);
    let compared = blocking(async move {
        let session = session(sample_lake(), &[]).await;
        for statement in setup.into_iter().filter(|s| s.contains("table apiclus1")) {
            rows(&session, &statement).await;
        }
        let mut compared = Vec::new();
        for (what, expected, sql) in asked {
            let ours = rows(&session, &sql).await.concat().concat();
            compared.push(Compared { what, expected, ours, tolerance: 1e-9 });
        }
        compared
    });
    for c in &compared {
        println!("{:>24} {:>24} {:9.1e}  {}", c.expected, c.ours, c.off(), c.what);
    }
    assert!(compared.len() >= 7, "only {} figures were compared", compared.len());
    assert!(compared.iter().all(Compared::agrees));
}
