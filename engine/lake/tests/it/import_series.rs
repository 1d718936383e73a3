//! Series of central banks.

use crate::shared;
use crate::support::{Scratch, sum};

// Invented figures in the publisher's layout.
const MONTHS: &str = "Date,Workers Remittances (Million USD)\nNOV-2021,1.5\nDEC-2021,\nJAN-2022,2.25\n";

#[test]
fn months_of_one_country() {
    let s = Scratch::new();
    let report = s.import_bytes("any.csv", MONTHS).unwrap();
    s.check_whole();
    let value = |day: &str| s.value("observation", &[("iso3", "PAK"), ("frequency", "M"), ("period", day)], "value");
    assert_eq!(value("2021-11-01"), Some(1.5e6));
    assert_eq!(value("2021-12-01"), None, "missing is absent");
    assert_eq!(value("2022-01-01"), Some(2.25e6));
    assert!(s.rows("observation").iter().all(|r| r["vintage"] == "2022-01-31" && r["unit"] == "US$"));
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("2 values of 3 periods") && notes.contains("states no edition"), "{notes}");
}

#[test]
fn what_is_wrong_with_a_series_is_named() {
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        drop(s.refuses("sbp.csv", MONTHS.replacen(from, to, 1), words));
    };
    refuses("1.5", "1x5", &["sbp.csv", "row 2", "Workers Remittances", "`1x5` is not a number"]);
    refuses("1.5", "1,005.5", &["row 2", "has 3 cells, the header 2"]);
    refuses("JAN-2022", "NOV-2021", &["duplicate key", "row 2"]);
    refuses("JAN-2022", "2022-01", &["row 4", "`2022-01` is not a period", "JUL-2005"]);
    refuses("JAN-2022", "JAN-202", &["row 4", "`JAN-202`"]);
    refuses("2.25\n", "2.2", &["row 4", "cut off"]);
    refuses("NOV-2021,1.5\nDEC-2021,\nJAN-2022,2.25\n", "", &["cut off"]);
}

#[test]
fn the_publishers_file() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    s.import(&[data.join("sbp_pakistan/workers_remittances_monthly.csv")]).unwrap();
    s.check_whole();
    let mut rows = s.rows("observation");
    assert_eq!(rows.len(), 254);
    rows.retain(|r| r["period"].starts_with("2023"));
    assert_eq!(format!("{:.2}", sum(&rows, "value") / 1e6), "26350.36");
}
