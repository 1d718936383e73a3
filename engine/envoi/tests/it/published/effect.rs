//! Mexico's survey of 2012 by `transfer_effect`, beside what R computed figure by figure.

use super::{cells, data, folder};
use crate::lakes::{blocking, rows, sample_lake, session};

/// What the effect has of a figure: measure, with or without, and how near its error has to be.
fn asked(subset: &str, statistic: &str, params: &str) -> Option<(&'static str, usize, f64)> {
    let place = usize::from(subset == "pc_without");
    let known = ["pc", "pc_without", "household weight"].contains(&subset);
    Some(match (statistic, params) {
        _ if !known => return None,
        ("mean", "w=factor_viv*tot_resid") => ("mean", place, 1e-9),
        ("mean", "receives remittances") => ("receiving_households", 0, 1e-9),
        ("fgt", "alpha=0,line=3000") => ("headcount", place, 1e-9),
        ("fgt", "alpha=1,line=3000") => ("gap", place, 1e-9),
        ("fgt", "alpha=2,line=3000") => ("severity", place, 1e-9),
        ("gini_midrank", _) => ("gini", place, 1e-9),
        _ => return None,
    })
}

#[test]
fn a_survey_in_one_pass() {
    let Some(folder) = folder() else { return };
    let setup = data::tables(&folder).into_iter().filter(|s| s.starts_with("create table enigh as"));
    let setup: Vec<String> = setup.collect();
    assert_eq!(setup.len(), 1);
    let found = blocking(async move {
        let session = session(sample_lake(), &[]).await;
        for statement in setup {
            rows(&session, &statement).await;
        }
        rows(
            &session,
            "select e['measure'], e['with'], e['without'], e['se_with'], e['se_without'] from (select unnest(transfer_effect(\
             total, remittances, tot_resid, 3000, factor_viv, tot_resid, est_dis, upm)) as e from enigh)",
        )
        .await
    });
    let text = std::fs::read_to_string(folder.join("expected_enigh2012.csv")).unwrap();
    let mut compared = 0;
    for line in text.lines().skip(1).map(cells) {
        let [_, subset, statistic, params, estimate, se, _] = line.as_slice() else { panic!("{line:?}") };
        let Some((measure, place, tolerance)) = asked(subset, statistic, params) else { continue };
        let row = found.iter().find(|row| row[0] == measure).unwrap();
        for (is, should) in [(&row[1 + place], estimate), (&row[3 + place], se)] {
            let Ok(should) = should.parse::<f64>() else { continue };
            let is: f64 = is.parse().unwrap();
            assert!((is / should - 1.0).abs() < tolerance, "{line:?}: {is}");
            compared += 1;
        }
    }
    assert!(compared >= 18, "only {compared} figures were compared");
}
