//! The tests in the marts' TOML, on every lake there is.

use std::path::Path;

use crate::lakes::{blocking, publishers_lake, rows, sample_lake, session};

fn check(lake: &'static Path) {
    blocking(async move {
        let session = session(lake, &[]).await;
        for mart in envoi::library::marts().unwrap() {
            assert!(!mart.meta.test.is_empty(), "mart {} has no tests", mart.name);
            assert!(
                mart.meta.test.iter().any(|t| t.unique == mart.meta.key),
                "mart {} does not test that its key is unique",
                mart.name
            );
            for test in &mart.meta.test {
                let sql = format!("{} limit 3", test.violations(&format!("mart.{}", mart.name)));
                let violations = rows(&session, &sql).await;
                assert!(violations.is_empty(), "mart {}: {test:?} is violated by {violations:?}", mart.name);
            }
        }
    });
}

#[test]
fn hold_on_the_sample() {
    check(sample_lake());
}

#[test]
fn hold_on_the_publishers_files() {
    if let Some(lake) = publishers_lake() {
        check(lake);
    }
}
