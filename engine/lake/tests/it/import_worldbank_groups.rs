//! KNOMAD flows, World Bank migrant stocks and classifications.

use envoi_lake::import::Options;

use crate::shared;
use crate::support::{Fact, Scratch, day, sum};
use crate::workbooks::{V, sheet, sheets};
use V::{E, N, T};

fn value(s: &Scratch, table: &str, indicator: &str, area: (&str, &str), year: i32) -> Option<f64> {
    s.value(table, &[("indicator", indicator), area, ("period", &format!("{year}-01-01"))], "value")
}

fn notes(s: &Scratch, name: &str, bytes: Vec<u8>) -> String {
    let report = s.import_bytes(name, bytes).unwrap();
    report.files[0].notes.join("\n")
}

#[test]
fn knomad_flows_as_published() {
    let Some(data) = shared("data/knomad") else { return };
    let s = Scratch::new();
    let report = s.import(&[data]).unwrap();
    s.check_whole();
    let billions = |code, year| {
        let dollars = value(&s, "aggregate_observation", "KNOMAD.INFLOW", ("aggregate_code", code), year).unwrap();
        (dollars / 1e8).round() / 10.0
    };
    assert_eq!([2021, 2022, 2023].map(|y| billions("LMY", y)), [598.9, 644.8, 669.3]);
    assert_eq!([2000, 2022, 2023].map(|y| billions("WLD", y)), [120.3, 835.6, 860.3]);
    let flows = s.rows("observation");
    let inflow: Vec<&Fact> = flows.iter().filter(|r| r["indicator"] == "KNOMAD.INFLOW").collect();
    assert!(inflow.iter().all(|r| r["unit"] == "current US dollars" && r["vintage"] == "2023-12-01"));
    assert!(
        inflow.iter().all(|r| (r["period"] == "2023-01-01") == r.contains_key("obs_status")),
        "2023 is an estimate"
    );
    let mexico = value(&s, "observation", "KNOMAD.INFLOW", ("iso3", "MEX"), 2023).unwrap();
    assert!((mexico / 1e9 - 67.0).abs() < 1.0, "{mexico}");
    let share = value(&s, "observation", "KNOMAD.INFLOW.GDP", ("iso3", "AFG"), 2023).unwrap();
    assert!((share - 2.0079).abs() < 1e-3, "{share}");
    assert!(flows.iter().any(|r| r["indicator"] == "KNOMAD.OUTFLOW" && r["vintage"] == "2023-06-01"));
    // Pairs, and totals that count what is no economy.
    let keys = [("origin_iso3", "MEX"), ("destination_iso3", "USA"), ("year", "2017")];
    assert_eq!(s.value("migrant_stock", &keys, "stock_persons"), Some(11_573_680.0));
    assert_eq!(sum(&s.rows("migrant_stock"), "stock_persons"), 252_635_660.0);
    let origins: Vec<Fact> = s.rows("migrant_stock_total").into_iter().filter(|r| r["role"] == "origin").collect();
    assert_eq!(origins.len(), 214);
    let world = [("indicator", "WB.MIGRANT_STOCK.DESTINATION"), ("aggregate_code", "WLD")];
    assert_eq!(s.value("aggregate_observation", &world, "value"), Some(266_143_792.0));
    // The matrix agrees with its own totals, or it would not be here.
    let total = value(&s, "aggregate_observation", "KNOMAD.BRM", ("aggregate_code", "WLD"), 2021).unwrap();
    assert!((total / 1e6 - 781_075.71).abs() < 0.01, "{total}");
    let all: String = report.files.iter().flat_map(|f| f.notes.clone()).collect::<Vec<_>>().join("\n");
    for words in ["without Venezuela", "exactly 0", "% of GDP in 2023", "13508132 more", "status E"] {
        assert!(all.contains(words), "`{words}` is not in {all}");
    }
}

#[test]
fn classification_as_published() {
    let Some(data) = shared("data/country") else { return };
    let s = Scratch::new();
    let report = s.import(&[data.join("worldbank_CLASS.xlsx")]).unwrap();
    let rows = s.rows("country_group");
    let of = |kind: &str| {
        rows.iter().filter(|r| r["source_id"] == "worldbank.classification" && r["group_kind"] == kind).count()
    };
    // With Taiwan, which the World Development Indicators leave out; Venezuela has no income group.
    assert_eq!((of("region"), of("income")), (218, 217));
    assert!(rows.iter().any(|r| r["iso3"] == "XKX"
        && r["group_code"] == "UMC"
        && r.get("valid_from").is_some_and(|d| d == "2022-07-01")));
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("of 2022-07-01") && notes.contains("VEN"), "{notes}");
}

const NOTE: &str = "Date: May 2022";

/// A table of flows: header on a row of its own, invented figures.
fn flows<'a>(corner: &'a str, header: &[V<'a>], body: &[Vec<V<'a>>], date: &'a str) -> Vec<u8> {
    let mut rows = vec![vec![], [T(corner)].into_iter().chain(header.iter().copied()).collect()];
    rows.extend_from_slice(body);
    rows.extend([vec![], vec![T("Note: All numbers are in current (nominal) US $, 2019 included.")], vec![T(date)]]);
    sheet("Sheet1", &rows)
}

const CORNER: &str = "Migrant remittance inflows (US$ million)";

fn body(world: f64) -> Vec<Vec<V<'static>>> {
    vec![
        vec![T("Mexico "), N(1.0), N(2.0), T(" "), N(0.5)],
        vec![T("Zimbabwe (using CB data for 2021 & 2022)"), N(0.0), E, N(4.0), N(1.5)],
        vec![T("World"), N(1.0), N(2.0), N(world), N(0.9)],
    ]
}

#[test]
fn other_editions_of_flows() {
    let s = Scratch::new();
    let header = [N(1980.0), T("2021"), T("2022f"), T("Remittances as a share of GDP in 2021 (%)")];
    let notes = notes(&s, "flows.xlsx", flows(CORNER, &header, &body(4.0), NOTE));
    let inflow = |iso3, year| value(&s, "observation", "KNOMAD.INFLOW", ("iso3", iso3), year);
    assert_eq!((inflow("MEX", 1980), inflow("MEX", 2022), inflow("ZWE", 2022)), (Some(1e6), None, Some(4e6)));
    assert_eq!((inflow("ZWE", 1980), inflow("ZWE", 2021)), (Some(0.0), None), "zero is kept, missing is absent");
    let share = |iso3| value(&s, "observation", "KNOMAD.INFLOW.GDP", ("iso3", iso3), 2021);
    assert_eq!(share("ZWE"), Some(1.5));
    let rows = s.rows("observation");
    assert!(rows.iter().all(|r| r["vintage"] == "2022-05-01"));
    assert!(rows.iter().filter(|r| r["period"] == "2022-01-01").all(|r| r["obs_status"] == "F"));
    assert!(notes.contains("3 of 3 published world totals"), "{notes}");
    assert_eq!(s.rows("indicator").len(), 2);
    let out = "Migrant remittance outflows (US$ billion)";
    s.import_bytes("out.xlsx", flows(out, &header, &body(4.0), "please cite: KNOMAD, June 2023")).unwrap();
    assert_eq!(value(&s, "observation", "KNOMAD.OUTFLOW", ("iso3", "MEX"), 2021), Some(2e9));
}

#[test]
fn flows_that_are_wrong_are_refused() {
    let s = Scratch::new();
    let header = [N(1980.0), T("2021"), T("2022e"), T("% of GDP in 2021")];
    let refuse = |corner, header: &[V<'_>], body: &[Vec<V<'_>>], date, words: &[&str]| {
        drop(s.refuses("f.xlsx", flows(corner, header, body, date), words));
    };
    refuse("Remittance inflows", &header, &body(4.0), NOTE, &["does not say in which unit", "us$ million"]);
    refuse(CORNER, &[N(1980.0), T("2021"), T("growth")], &body(4.0), NOTE, &["`growth`", "row 2", "neither a year"]);
    refuse(CORNER, &header, &body(5.0), NOTE, &["`2022e`", "published total 5", "changed or lost"]);
    refuse(CORNER, &header, &body(4.0), "no date", &["--vintage"]);
    refuse(CORNER, &header, &[], NOTE, &["no rows", "cut off"]);
    refuse(CORNER, &[T("a"), T("b")], &body(4.0), NOTE, &["knomad.flows", "no years across"]);
    let mut wrong = body(4.0);
    wrong[0][0] = T("Mexcio");
    refuse(CORNER, &header, &wrong, NOTE, &["row 3", "Mexcio", "Mexico"]);
    wrong[0][0] = T("Zimbabwe");
    refuse(CORNER, &header, &wrong, NOTE, &["row 4", "duplicate key", "ZWE"]);
    let mut wrong = body(4.0);
    wrong[0][2] = T("2,5");
    refuse(CORNER, &header, &wrong, NOTE, &["row 3", "column `2021`", "`2,5` is not a number"]);
}

/// Invented stocks of two economies and a residual; totals are the sums.
fn stocks(title: &str, corner: &str, name: &str) -> Vec<u8> {
    let rows = [
        vec![T(title)],
        vec![
            if corner.is_empty() { E } else { T(corner) },
            T("Mexico"),
            T("United States"),
            T("Other North"),
            T("World"),
        ],
        vec![T("Mexico"), N(0.0), N(1000.0), N(5.0), N(1005.0)],
        vec![T("United States"), N(70.0), E, N(1.0), N(71.0)],
        vec![T("Other North"), N(2.0), N(3.0), N(0.0), N(5.0)],
        vec![T("World"), N(72.0), N(1003.0), N(6.0), N(1081.0)],
        vec![],
        vec![T("Notes: with 2016 in them")],
    ];
    sheet(name, &rows)
}

#[test]
fn migrant_stocks_of_other_years() {
    let s = Scratch::new();
    let corner = "Destination country (across)  -  Source country (down)";
    let notes = notes(
        &s,
        "m.xlsx",
        stocks("Bilateral Estimates of Migrant Stocks in 2013", corner, "Bilateral_Migration_2013"),
    );
    let pair = |s: &Scratch, from, to| {
        s.value("migrant_stock", &[("origin_iso3", from), ("destination_iso3", to)], "stock_persons")
    };
    assert_eq!(
        (pair(&s, "MEX", "USA"), pair(&s, "USA", "MEX"), pair(&s, "USA", "USA")),
        (Some(1000.0), Some(70.0), None)
    );
    let total = |role| s.value("migrant_stock_total", &[("iso3", "USA"), ("role", role)], "stock_persons");
    assert_eq!((total("origin"), total("destination")), (Some(71.0), Some(1003.0)));
    assert!(s.rows("migrant_stock").iter().all(|r| r["year"] == "2013" && r["vintage"] == "2015-12-01"));
    assert_eq!(s.rows("aggregate_observation").len(), 3);
    for words in ["origins down", "6 of 6 published totals", "11 more"] {
        assert!(notes.contains(words), "{notes}");
    }
    // A corner that says the opposite, and a year of no known edition.
    let t = Scratch::new();
    let corner = "Origin country (across)  -  Destination country (down)";
    t.import_bytes(
        "m.xlsx",
        stocks("Bilateral Estimates of Migrant Stocks in 2024", corner, "Bilateral_Migration_2024"),
    )
    .unwrap();
    assert_eq!(pair(&t, "USA", "MEX"), Some(1000.0));
    assert!(t.rows("migrant_stock").iter().all(|r| r["vintage"] == "2024-12-31"));
}

#[test]
fn migrant_stocks_that_are_wrong_are_refused() {
    let s = Scratch::new();
    let title = "Bilateral Estimates of Migrant Stocks in 2017";
    s.refuses("m.xlsx", stocks(title, "", "Sheet1"), &["worldbank.migrant_stock", "`Sheet1`", "Bilateral_Migration*"]);
    let mut rows = vec![vec![T(title)], vec![E, T("Mexico"), T("Namibai")], vec![T("Mexico"), N(0.0), N(1.0)]];
    s.refuses("m.xlsx", sheet("Bilateral_Migration", &rows), &["row 2", "Namibai", "Namibia"]);
    rows[1][2] = T("Namibia");
    s.refuses("m.xlsx", sheet("Bilateral_Migration", &rows), &["no row `World`", "cut off"]);
    rows.push(vec![T("World"), N(0.0), N(1.0)]);
    rows[2][1] = N(-4.0);
    s.refuses("m.xlsx", sheet("Bilateral_Migration", &rows), &["row 3", "column `Mexico`", "negative"]);
}

/// The list of a fiscal year, invented but for the labels.
fn class(sheet_name: &str, region: &str, words: &str) -> Vec<u8> {
    let list = [
        vec![T("World Bank list of economies")],
        vec![],
        vec![T("Economy"), T("Code"), T("X"), T("Region"), T("Income group"), T("Lending category")],
        vec![T("x"), T("x"), T("x"), T("x"), T("x"), T("x")],
        vec![T("Kenya"), T("KEN"), E, T(region), T("Lower middle income"), T("Blend")],
        vec![T("Venezuela, RB"), T("VEN"), E, T("Latin America & Caribbean"), E, T("IBRD")],
        vec![],
        vec![T("World"), T("WLD")],
    ];
    let groups = [
        vec![T("GroupCode"), T("GroupName"), T("CountryCode"), T("CountryName")],
        vec![T("SSF"), T("Sub-Saharan Africa"), T("KEN"), T("Kenya")],
        vec![T("LCN"), T("Latin America & Caribbean"), T("VEN"), T("Venezuela, RB")],
    ];
    sheets(&[(sheet_name, &list), ("Groups", &groups), ("Notes", &[vec![T("Notes")], vec![T(words)]])])
}

const IN_FORCE: &str =
    "Income classifications set on 1 July 2024 remain in effect until 1 July 2025, as the notes say.";

#[test]
fn lists_of_other_fiscal_years() {
    let s = Scratch::new();
    let notes = notes(&s, "CLASS.xlsx", class("List of economies", "Sub-Saharan Africa", IN_FORCE));
    let mut rows = s.rows("country_group");
    rows.retain(|r| r["source_id"] == "worldbank.classification");
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|r| r["valid_from"] == "2024-07-01" && r["vintage"] == "2024-07-01" && !r.contains_key("valid_to"))
    );
    assert!(notes.contains("`LMC`") && notes.contains("VEN"), "{notes}");
    s.refuses("c.xlsx", class("Data", "Sub-Saharan Africa", IN_FORCE), &["worldbank.classification", "`Data`"]);
    s.refuses("c.xlsx", class("List of economies", "Atlantis", IN_FORCE), &["row 5", "column `Region`", "Atlantis"]);
    let path = s.put("c.xlsx", class("List of economies", "Sub-Saharan Africa", "nothing"));
    s.refuses_with(std::slice::from_ref(&path), &Options::default(), &["--vintage"]);
    s.import_with(&[path], &Options { vintage: Some(day("2026-02-01")), ..Options::default() }).unwrap();
    assert!(
        s.rows("country_group")
            .iter()
            .any(|r| r.get("valid_from").is_some_and(|d| d == "2025-07-01") && r["iso3"] == "KEN")
    );
}

/// A history of four fiscal years, invented.
fn history(sheet_name: &str, kenya: [&str; 4]) -> Vec<u8> {
    let text = |row: &[&'static str]| row.iter().map(|t| if t.is_empty() { E } else { T(t) }).collect::<Vec<_>>();
    let [a, b, c, d] = kenya;
    let rows = [
        text(&["", "World Bank Analytical Classifications"]),
        text(&["", "Bank's fiscal year:", "FY99", "FY00", "FY01", "FY02"]),
        text(&["", "Data for calendar year :", "1997", "1998", "1999", "2000"]),
        text(&["", "Low income (L)", "<= 785", "<= 760", "<= 755", "<= 755"]),
        vec![T("KEN"), T("Kenya"), T(a), T(b), T(c), T(d)],
        text(&["YUG", "Serbia and Montenegro (former)", "..", "LM*", "LM", "LM"]),
        text(&["YUG", "Yugoslavia (former)", "UM", "..", "", ""]),
        text(&["", "Source: invented, 2002"]),
    ];
    sheets(&[("Notes", &[vec![T("words")]]), (sheet_name, &rows)])
}

#[test]
fn history_of_income_groups() {
    let s = Scratch::new();
    let notes = notes(&s, "OGHIST.xlsx", history("Country Analytical History", ["L", "L", "LM", "L"]));
    let mut rows = s.rows("country_group");
    rows.retain(|r| r["source_id"] == "worldbank.classification");
    let of = |iso3: &str| -> Vec<[String; 3]> {
        let mut found: Vec<_> = rows
            .iter()
            .filter(|r| r["iso3"] == iso3)
            .map(|r| [r["valid_from"].clone(), r["valid_to"].clone(), r["group_code"].clone()])
            .collect();
        found.sort();
        found
    };
    let expected =
        [["1998-07-01", "2000-06-30", "LIC"], ["2000-07-01", "2001-06-30", "LMC"], ["2001-07-01", "2002-06-30", "LIC"]];
    assert_eq!(of("KEN"), expected.map(|r| r.map(str::to_owned)));
    assert_eq!(of("SCG"), [["1999-07-01", "2002-06-30", "LMC"].map(str::to_owned)]);
    assert_eq!(of("YUG"), [["1998-07-01", "1999-06-30", "UMC"].map(str::to_owned)]);
    assert!(rows.iter().all(|r| r["vintage"] == "2001-07-01" && r["group_kind"] == "income"));
    assert!(notes.contains("`LM*`") && notes.contains("SCG"), "{notes}");
    s.refuses("o.xlsx", history("History", ["L"; 4]), &["`History`", "Country Analytical History"]);
    s.refuses(
        "o.xlsx",
        history("Country Analytical History", ["L", "Q", "L", "L"]),
        &["row 5", "column `FY00`", "`Q`", "`L`"],
    );
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let header = [N(1980.0), T("2021"), T("2022f"), T("Remittances as a share of GDP in 2021 (%)")];
    vec![
        flows(CORNER, &header, &body(4.0), NOTE),
        stocks("Bilateral Estimates of Migrant Stocks in 2017", "", "Bilateral_Migration_2017"),
        class("List of economies", "Sub-Saharan Africa", IN_FORCE),
        history("Country Analytical History", ["L", "L", "LM", "L"]),
    ]
}
