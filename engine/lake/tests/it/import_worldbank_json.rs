//! World Development Indicators as pages of the API. Invented figures.

use envoi_lake::import::Options;

use crate::support::{Scratch, day, sum};

const REMITTANCES: (&str, &str) = ("BX.TRF.PWKR.CD.DT", "Personal remittances, received (current US$)");

/// A record; `value` is JSON.
fn record(
    indicator: (&str, &str),
    id: &str,
    country: &str,
    iso3: &str,
    date: &str,
    value: &str,
    status: &str,
) -> String {
    format!(
        r#"{{"indicator":{{"id":"{}","value":"{}"}},"country":{{"id":"{id}","value":"{country}"}},"countryiso3code":"{iso3}","date":"{date}","value":{value},"unit":"","obs_status":"{status}","decimal":0}}"#,
        indicator.0, indicator.1
    )
}

fn page(page: u64, pages: u64, total: usize, records: &[String]) -> String {
    format!(
        r#"[{{"page":{page},"pages":{pages},"per_page":"50","total":{total},"sourceid":"2","lastupdated":"2025-07-01"}},[{}]]"#,
        records.join(",")
    )
}

fn records(indicator: (&str, &str)) -> Vec<String> {
    vec![
        record(indicator, "ZH", "Africa Eastern and Southern", "AFE", "2023", "1000.5", ""),
        record(indicator, "XD", "High income", "", "2023", "2000", ""),
        record(indicator, "MX", "Mexico", "MEX", "2023", "63319190000", ""),
        record(indicator, "MX", "Mexico", "MEX", "2022", "\"61103670000\"", "E"),
        record(indicator, "NA", "Namibia", "NAM", "2023", "null", ""),
        record(indicator, "XK", "Kosovo", "XKX", "2023", "0", "F"),
    ]
}

fn put(s: &Scratch, name: &str, text: &str) -> std::path::PathBuf {
    s.put(name, text)
}

#[test]
fn pages_are_one_edition() {
    let s = Scratch::new();
    let all = records(REMITTANCES);
    // The order of the files does not matter, nor a byte-order mark, nor blanks.
    let paths = [
        put(&s, "b.json", &page(1, 2, 6, &all[..4])),
        put(&s, "a.json", &format!("\u{feff} {}", page(2, 2, 6, &all[4..]).replace("[{\"page\"", "[ { \"page\""))),
    ];
    let report = s.import(&paths).unwrap();
    s.check_whole();
    assert!(
        format!("{report:?}").contains("3 values of economies, 2 of aggregates kept apart, from 2 pages"),
        "{report:?}"
    );
    assert!(format!("{report:?}").contains("page 2 of 2, read together with `b.json`"), "{report:?}");
    let rows = s.rows("observation");
    assert_eq!((rows.len(), sum(&rows, "value")), (3, 63_319_190_000.0 + 61_103_670_000.0));
    assert!(rows.iter().all(|r| r["vintage"] == "2025-07-01" && r["unit"] == "current US dollars"));
    let status = |iso3: &str, period: &str| {
        let row = rows.iter().find(|r| r["iso3"] == iso3 && r["period"] == period).unwrap();
        row.get("obs_status").cloned()
    };
    assert_eq!(status("MEX", "2022-01-01").as_deref(), Some("E"));
    assert_eq!(status("XKX", "2023-01-01").as_deref(), Some("F"));
    assert_eq!(status("MEX", "2023-01-01"), None);
    assert_eq!(s.rows("aggregate_observation").len(), 2);
    assert_eq!(s.rows("indicator").len(), 1);
    assert!(!s.import(&paths).unwrap().changed);
}

#[test]
fn answers_for_two_indicators_in_one_folder() {
    let s = Scratch::new();
    let other = ("DT.ODA.ALLD.CD", "Net ODA received (current US$)");
    for (name, indicator) in [("remit", REMITTANCES), ("oda", other)] {
        let all = records(indicator);
        put(&s, &format!("{name}1.json"), &page(1, 2, 6, &all[..3]));
        put(&s, &format!("{name}2.json"), &page(2, 2, 6, &all[3..]));
    }
    s.import(&[s.inbox()]).unwrap();
    assert_eq!((s.rows("observation").len(), s.rows("indicator").len()), (6, 2));
    // Two indicators in one answer.
    let s = Scratch::new();
    let both = [records(REMITTANCES), records(other)].concat();
    put(&s, "1.json", &page(1, 2, 12, &both[..7]));
    put(&s, "2.json", &page(2, 2, 12, &both[7..]));
    s.import(&[s.inbox()]).unwrap();
    assert_eq!((s.rows("observation").len(), s.rows("indicator").len()), (6, 2));
}

#[test]
fn months_and_quarters() {
    let s = Scratch::new();
    let indicator = ("DPANUSSPB", "Exchange rate, new LCU per USD");
    let all = [
        record(indicator, "MX", "Mexico", "MEX", "2020M02", "18.8", ""),
        record(indicator, "MX", "Mexico", "MEX", "2020Q3", "22.1", ""),
    ];
    let text = page(1, 1, 2, &all).replace(r#","lastupdated":"2025-07-01""#, "");
    let path = put(&s, "x.json", &text);
    let message = s.import(std::slice::from_ref(&path)).unwrap_err().to_string();
    assert!(message.contains("x.json: has no `lastupdated`") && message.contains("--vintage"), "{message}");
    s.import_with(&[path], &Options { vintage: Some(day("2025-01-31")), ..Options::default() }).unwrap();
    let mut told: Vec<_> =
        s.rows("observation").iter().map(|r| format!("{} {}", r["period"], r["frequency"])).collect();
    told.sort();
    assert_eq!(told, ["2020-02-01 M", "2020-07-01 Q"]);
}

#[test]
fn what_is_wrong_is_named() {
    let all = records(REMITTANCES);
    let whole = page(1, 1, 6, &all);
    let refuses = |text: &str, words: &[&str]| Scratch::new().refuses("x.json", text, words);
    refuses(&page(1, 2, 12, &all), &["page 2 of 2 is missing", "per_page=12"]);
    refuses(&page(2, 2, 12, &all), &["page 1 of 2 is missing"]);
    refuses(&page(1, 1, 7, &all), &["have 6 records, the API counted 7"]);
    refuses(&whole.replace("63319190000", "\"n/d\""), &["row 3, column `value`", "`n/d` is not a number"]);
    refuses(&whole.replace("\"2022\"", "\"22\""), &["row 4, column `date`", "`22` is no year"]);
    refuses(&whole.replace("\"MEX\"", "\"MEQ\""), &["row 3, column `countryiso3code`", "MEQ"]);
    refuses(&whole.replace("\"2022\"", "\"2023\""), &["duplicate key"]);
    refuses(&whole[..whole.len() - 30], &["no whole answer of the API", "cut off"]);
    refuses(&whole.replace("\"2025-07-01\"", "\"July\""), &["`lastupdated` `July` is no date"]);
    refuses(
        r#"[{"page":1,"pages":1,"per_page":50,"total":1,"lastupdated":"2025-07-01"},[{"id":"MEX"}]]"#,
        &["not those of an indicator"],
    );
    refuses(r#"[{"page":0,"pages":0,"per_page":0,"total":0,"lastupdated":null},null]"#, &["has no record"]);
    let said =
        r#"[{"message":[{"id":"120","key":"Invalid value","value":"The provided parameter value is not valid"}]}]"#;
    refuses(said, &["the API refused the request: 120 Invalid value: The provided parameter value is not valid"]);
    for cut in 30..whole.len() {
        if whole.is_char_boundary(cut) {
            Scratch::new().import_bytes("x.json", &whole[..cut]).unwrap_err();
        }
    }
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let records = records(REMITTANCES);
    vec![page(1, 1, records.len(), &records).into_bytes()]
}
