//! KNOMAD's series as Data360 offers them. Invented figures.

use envoi_lake::import::Options;

use crate::support::{Scratch, day};

const HEADER: &str = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,INDICATOR,SEX,AGE,URBANISATION,UNIT_MEASURE,COMP_BREAKDOWN_1,TIME_PERIOD,OBS_VALUE,UNIT_MULT,OBS_STATUS,REF_AREA_LABEL,INDICATOR_LABEL,COMP_BREAKDOWN_1_LABEL\n";

fn line(area: (&str, &str), indicator: (&str, &str), other: (&str, &str), year: &str, value: &str) -> String {
    format!(
        "datastructure,WB.DATA360:DS_DATA360(1.3),I,A,{},{},_T,_T,_T,USD_CUR,{},{year},{value},0,A,\"{}\",\"{}\",\"{}\"\n",
        area.0, indicator.0, other.0, area.1, indicator.1, other.1
    )
}

const MRI: (&str, &str) = ("WB_KNOMAD_MRI", "Remittance inflows (US$ million)");
const BRE: (&str, &str) =
    ("WB_KNOMAD_BRE", "Bilateral Remittance Estimates using Migrant Stocks, Host Country Incomes (US$ million)");
const MIG: (&str, &str) = ("WB_KNOMAD_MIG", "Bilateral Estimate of Migrant Stocks");
const MEXICO: (&str, &str) = ("MEX", "Mexico");
const KOSOVO: (&str, &str) = ("XKX", "Kosovo");
const NONE: (&str, &str) = ("_Z", "Not applicable");

fn inflows() -> String {
    let world = ("WLD", "World");
    [
        HEADER.to_owned(),
        line(MEXICO, MRI, NONE, "2022", "61100.5"),
        line(MEXICO, MRI, NONE, "2023", "66200"),
        line(KOSOVO, MRI, NONE, "2023", "0"),
        line(KOSOVO, MRI, NONE, "2022", ""),
        line(world, MRI, NONE, "2023", "857000"),
    ]
    .concat()
}

fn matrix() -> String {
    let to = |code: &'static str, name: &'static str| (code, name);
    [
        HEADER.to_owned(),
        line(("USA", "United States"), BRE, to("WB_KNOMAD_MEX", "Receiving: Mexico"), "2021", "52595.5"),
        line(("USA", "United States"), BRE, to("WB_KNOMAD_WLD", "Receiving: World"), "2021", "200216.09"),
        line(MEXICO, BRE, to("WB_KNOMAD_USA", "Receiving: United States"), "2021", "1844.7"),
    ]
    .concat()
}

/// Files to damage.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![inflows().into_bytes(), matrix().into_bytes()]
}

fn import(s: &Scratch, text: &str) -> String {
    let path = s.put("x.csv", text);
    let dated = Options { vintage: Some(day("2025-06-01")), ..Options::default() };
    format!("{:?}", s.import_with(&[path], &dated).unwrap())
}

#[test]
fn flows() {
    let s = Scratch::new();
    let report = import(&s, &inflows());
    s.check_whole();
    assert!(
        report.contains("WB_KNOMAD_MRI: 3 values of economies, 1 of aggregates kept apart, times 1000000"),
        "{report}"
    );
    assert!(report.contains("1 values are exactly 0"), "{report}");
    let value = |iso3, period| {
        s.value("observation", &[("indicator", "KNOMAD.INFLOW"), ("iso3", iso3), ("period", period)], "value")
    };
    assert_eq!(value("MEX", "2022-01-01"), Some(61_100_500_000.0));
    assert_eq!((value("XKX", "2023-01-01"), value("XKX", "2022-01-01")), (Some(0.0), None));
    let apart = s.rows("aggregate_observation");
    assert_eq!((apart.len(), apart[0]["aggregate_code"].as_str()), (1, "WLD"));
    assert_eq!(s.rows("indicator")[0]["unit"], "current US dollars");
}

#[test]
fn corridors_and_stocks() {
    let s = Scratch::new();
    let report = import(&s, &matrix());
    assert!(report.contains("2 pairs, 1 totals of the publisher left out"), "{report}");
    let sent = |from, to| s.value("corridor_flow", &[("sender_iso3", from), ("receiver_iso3", to)], "remittance_usd");
    assert_eq!((sent("USA", "MEX"), sent("MEX", "USA")), (Some(52_595_500_000.0), Some(1_844_700_000.0)));
    assert!(s.rows("corridor_flow").iter().all(|r| r["year"] == "2021" && r["method"] == "published_matrix"));
    let stock =
        [HEADER.to_owned(), line(MEXICO, MIG, ("WB_KNOMAD_USA", "Destination: United States"), "2021", "11000000")];
    import(&s, &stock.concat());
    let persons = s.value(
        "migrant_stock",
        &[("origin_iso3", "MEX"), ("destination_iso3", "USA"), ("sex", "both")],
        "stock_persons",
    );
    assert_eq!(persons, Some(11_000_000.0));
    s.check_whole();
}

#[test]
fn the_newer_of_a_workbook_and_a_file_is_seen() {
    let s = Scratch::new();
    import(&s, &inflows());
    let later = inflows().replace("66200", "70000");
    let path = s.put("later.csv", later);
    s.import_with(&[path], &Options { vintage: Some(day("2026-06-01")), ..Options::default() }).unwrap();
    let mexico = [("indicator", "KNOMAD.INFLOW"), ("iso3", "MEX"), ("period", "2023-01-01")];
    assert_eq!(s.value("observation", &mexico, "value"), Some(7e10));
}

#[test]
fn what_is_wrong_is_named() {
    let refuses = |text: &str, words: &[&str]| Scratch::new().refuses("x.csv", text, words);
    refuses(
        &inflows().replace("(US$ million)", "(US$)"),
        &["row 2, column `INDICATOR_LABEL`", "does not say `us$ million`"],
    );
    refuses(&inflows().replace("66200", "-1"), &["row 3, column `OBS_VALUE`", "negative"]);
    refuses(&inflows().replace("66200", "n/d"), &["row 3, column `OBS_VALUE`", "`n/d` is not a number"]);
    refuses(&inflows().replace(",2022,61100.5", ",22,61100.5"), &["row 2, column `TIME_PERIOD`", "`22` is no year"]);
    refuses(&inflows().replace("MEX,WB_KNOMAD_MRI,_T", "MEX,WB_KNOMAD_MRI,F"), &["column `SEX`", "`F` is a part"]);
    refuses(
        &inflows().replacen("WB_KNOMAD_MRI,_T,_T,_T,USD_CUR,_Z,2023", "WB_KNOMAD_NEW,_T,_T,_T,USD_CUR,_Z,2023", 1),
        &["`WB_KNOMAD_NEW` is not known"],
    );
    refuses(&inflows().replace("MEX", "MEQ"), &["column `REF_AREA`", "MEQ", "Mexico"]);
    refuses(&inflows().replace(",2022,61100.5", ",2023,61100.5"), &["duplicate key"]);
    refuses(&matrix().replace("WB_KNOMAD_USA", "_Z"), &["column `COMP_BREAKDOWN_1`", "a pair has two"]);
    refuses(&matrix().replace("TIME_PERIOD", "2021"), &["has no column `TIME_PERIOD`", "one observation a line"]);
    refuses(inflows().trim_end(), &["the last line has no line end"]);
    refuses(HEADER, &["x.csv"]);
}
