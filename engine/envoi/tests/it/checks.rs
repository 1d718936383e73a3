//! The checks of `sql/checks`, over the sample and over the publishers' files.

use std::path::Path;

use chrono::NaiveDate;
use envoi::Session;
use envoi::library::checks;

use crate::lakes::{blocking, editions_lake, publishers_lake, rows, sample_lake, session};

async fn findings(session: &Session, name: &str, since: &str) -> Vec<Vec<String>> {
    let since: NaiveDate = since.parse().unwrap();
    let check = checks().unwrap().iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no check `{name}`"));
    rows(session, &check.sql(since)).await
}

/// The text of the findings of one economy and year.
fn of<'a>(findings: &'a [Vec<String>], indicator: &str, iso3: &str, year: &str) -> Vec<&'a str> {
    let found = findings.iter().filter(|f| f[1] == indicator && f[2] == iso3 && f[3] == year);
    found.map(|f| f[6].as_str()).collect()
}

#[test]
fn every_check_gives_the_same_columns() {
    let lakes: Vec<&Path> =
        [Some(sample_lake()), Some(editions_lake()), publishers_lake()].into_iter().flatten().collect();
    for lake in lakes {
        blocking(async move {
            let session = session(lake, &[]).await;
            for check in checks().unwrap() {
                let sql = check.sql("2024-01-01".parse().unwrap());
                let answer = session.run(&sql).await.unwrap_or_else(|e| panic!("{}: {e}", check.name));
                let columns: Vec<String> = answer
                    .schema
                    .fields()
                    .iter()
                    .map(|f| format!("{} {}", f.name(), f.data_type().to_string().replace("Utf8View", "Utf8")))
                    .collect();
                let expected = [
                    "table_name Utf8",
                    "indicator Utf8",
                    "iso3 Utf8",
                    "year Int32",
                    "value Float64",
                    "expected Float64",
                    "finding Utf8",
                ];
                assert_eq!(columns, expected, "{}", check.name);
                answer.collect().await.unwrap_or_else(|e| panic!("{}: {e}", check.name));
                for table in &check.meta.tables {
                    assert!(sql.contains(table.as_str()), "{} does not read {table}", check.name);
                }
            }
        });
    }
}

#[test]
fn invented_editions() {
    blocking(async {
        let session = session(editions_lake(), &[]).await;
        // South Sudan's first figure is of 2019 and Sudan's income tripled in 2022: 1.5e9 of 5.1e8 is below three times.
        assert!(findings(&session, "break_in_series", "2022-12-31").await.is_empty());
        // Nothing changed by a tenth; a figure that was withdrawn is no revision.
        assert!(findings(&session, "revision", "2022-12-31").await.is_empty());
        assert!(findings(&session, "revision", "1990-01-01").await.is_empty());
    });
}

#[test]
fn what_is_known_of_the_publishers_files() {
    let Some(lake) = publishers_lake() else { return };
    blocking(async move {
        let session = session(lake, &[]).await;
        let since = "2024-10-07";

        let partial = findings(&session, "partial_year", since).await;
        let remittances = partial.iter().find(|f| f[1] == "BX.TRF.PWKR.CD.DT").unwrap();
        assert_eq!(remittances[3..6], ["2024", "106.0", "201.0"]);

        // 4,311 of the 4,335 country-years that both have agree within 0.1 %.
        assert_eq!(findings(&session, "mirror_oda", since).await.len(), 24);

        let zeros = findings(&session, "zero_run", since).await;
        assert_eq!(of(&zeros, "BX.TRF.PWKR.CD.DT", "SYR", "2023").len(), 1, "{zeros:?}");

        let negative = findings(&session, "negative_oda", since).await;
        assert!(!of(&negative, "DT.ODA.ALLD.CD", "CHN", "2023").is_empty());

        let territory = findings(&session, "territory", since).await;
        assert!(territory.iter().any(|f| f[2] == "MNE" && f[6].starts_with("years before its first day, 2006-06-03")));

        let coverage = findings(&session, "coverage", since).await;
        let low = coverage.iter().filter(|f| f[1] == "BX.TRF.PWKR.CD.DT" && f[3] == "2023" && f[6].starts_with("LIC"));
        assert_eq!(low.count(), 1);

        let regions = findings(&session, "region_label", since).await;
        assert!(regions.iter().any(|f| f[2] == "PAK" && f[6] == "was in SAS, is now in MEA"), "{regions:?}");

        let inflow = findings(&session, "mirror_inflow", since).await;
        assert!(of(&inflow, "BX.TRF.PWKR.CD.DT", "CHN", "2021")[0].ends_with("above the recorded inflow"));
        assert!(!findings(&session, "mirror_stock", since).await.is_empty());
        findings(&session, "break_in_series", since).await;
    });
}
