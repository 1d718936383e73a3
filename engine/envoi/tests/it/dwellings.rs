//! ENIGH 2012 by dwelling, as R survey, convey and IC2 have it, through a mapping of the user's own.

use std::path::Path;
use std::sync::Arc;

use envoi::lake::{Lake, import};

use crate::lakes::{blocking, rows, session};

/// The mapping that ships, of which the key is the dwelling's.
fn mapping() -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/surveys/mex_enigh_2012.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let turned = text
        .replace("key = [\"folioviv\", \"foliohog\"]", "key = [\"folioviv\"]")
        .replace("mex_enigh_2012", "mex_enigh_2012_dwelling")
        .replace("inegi.enigh_2012", "inegi.enigh_2012_dwelling");
    assert_ne!(text, turned);
    turned
}

#[test]
fn the_national_effect_is_that_of_r() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("\n*** NOT TESTED: ../shared/data is absent, so dwellings of ENIGH 2012 were left out ***\n");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(&folder.path().display().to_string()).unwrap();
    let mappings = vec![Arc::new(import::mapping(&mapping(), "dwelling.toml").unwrap())];
    let paths = ["enigh_mexico_2012", "worldbank_wdi"].map(|p| data.join(p)).to_vec();
    let surveys = import::Options { mappings, ..import::Options::default() };
    blocking(async move {
        import::import(&lake, &paths[..1], &surveys, &|_| {}).await.unwrap();
        import::import(&lake, &paths[1..], &import::Options::default(), &|_| {}).await.unwrap();
    });
    // Estimates and errors of expected_enigh2012.csv; convey ranks rows for its Gini, so that its error is compared.
    let expected = [
        ("households_sampled", 8844.0, 0.0),
        ("receiving_household_share_survey", 0.0453700890413995, 1e-9),
        ("receiving_household_share_survey_se", 0.00316727095858795, 1e-9),
        ("headcount_with_survey", 0.219360979186658, 1e-9),
        ("headcount_with_survey_se", 0.00903810141615421, 1e-9),
        ("headcount_without_survey", 0.229288520004748, 1e-9),
        ("gap_with_survey", 0.0793962479635901, 1e-9),
        ("gap_with_survey_se", 0.0045888162693512, 1e-9),
        ("gap_without_survey", 0.0858118097564784, 1e-9),
        ("severity_with_survey", 0.0405144788410364, 1e-9),
        ("severity_without_survey", 0.0455955361582323, 1e-9),
        ("gini_with_survey", 0.516862140857489, 1e-9),
        ("gini_without_survey", 0.521124640303024, 1e-9),
        ("gini_with_survey_se", 0.00994193767356577, 1e-3),
        ("gini_elasticity_survey", -0.00467735923882101, 1e-9),
        ("survey_remittance_lcu / 4", 9026472799.86, 1e-9),
        ("mean_with_survey / 4", 9510.73516118005, 1e-9),
        ("mean_with_survey_se / 4", 277.819480536478, 1e-9),
        ("capture_ratio", 0.114, 3e-3),
    ];
    let columns: Vec<&str> = expected.iter().map(|(column, ..)| *column).collect();
    let sql = format!(
        "select {} from national_income_effect(poverty_line => '3000 MXN a quarter') where iso3 = 'MEX'",
        columns.join(", ")
    );
    let path = folder.path().to_owned();
    let found = blocking(async move { rows(&session(&path, &[]).await, &sql).await });
    assert_eq!(found.len(), 1);
    for ((column, value, tolerance), ours) in expected.iter().zip(&found[0]) {
        let ours: f64 = ours.parse().unwrap_or_else(|_| panic!("{column} is {ours}"));
        assert!((ours / value - 1.0).abs() <= *tolerance, "{column} is {ours}, in R {value}");
    }
}
