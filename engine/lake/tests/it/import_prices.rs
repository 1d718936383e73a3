//! Prices and rates: Remittance Prices Worldwide by corridor, reference rates of the ECB.

use envoi_lake::import::Options;

use crate::shared;
use crate::support::{Scratch, day, sum};

// Invented figures in the publishers' layouts.
const CORRIDORS: &str = "\u{feff}Sending Countries Name,Sending Countries Code,Series Name,Series Code,Receiving Countries  Name,Receiving Countries  Code,2019Q4 [YR2019Q4],2020Q1 [YR2020Q1]\n\
    United States,USA,Average Total Cost,ATCR.CORR,Mexico,MEX,5.5,4\n\
    United States,USA,Average Total Cost,ATCR.CORR,Namibia,NAM,..,6.5\n\
    Kenya,KEN,Average Total Cost,ATCR.CORR,Kosovo,KSV,-1,..\n\
    ,,,,,,,\n,,,,,,,\n\
    Data from database: Remittance Prices Worldwide (Corridors),,,,,,,\n\
    Last Updated: 03/04/2020,,,,,,,\n";
const RATES: &str = "Date,USD,JPY,BGN,CZK,DKK,GBP,HUF,PLN,SEK,CHF,\n\
    2023-12-29,1.25,150,N/A,25,7.5,0.875,400,4.5,11,0.95,\n\
    2023-12-28,1.6,160,N/A,25,7.5,0.875,400,4.5,11,0.95,\n";

#[test]
fn corridor_averages() {
    let s = Scratch::new();
    let report = s.import_bytes("corridors.csv", CORRIDORS).unwrap();
    s.check_whole();
    let rows = s.rows("corridor_price");
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|r| r["vintage"] == "2020-03-04" && r["amount_usd"] == "200.0"), "{rows:?}");
    assert!(rows.iter().all(|r| !r.contains_key("provider") && !r.contains_key("fee_pct")));
    let cost = |keys: &[(&str, &str)]| s.value("corridor_price", keys, "cost_pct");
    assert_eq!(cost(&[("receiver_iso3", "MEX"), ("period", "2019-10-01")]), Some(5.5));
    assert_eq!(cost(&[("receiver_iso3", "NAM")]), Some(6.5));
    assert_eq!(cost(&[("receiver_iso3", "XKX")]), Some(-1.0));
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("month first") && notes.contains("mean of 2 corridors 5.2500"), "{notes}");
}

#[test]
fn what_is_wrong_with_corridors_is_named() {
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        drop(s.refuses("rpw.csv", CORRIDORS.replacen(from, to, 1), words));
    };
    refuses("5.5", "5,5", &["rpw.csv", "row 2"]);
    refuses("6.5", "x", &["rpw.csv", "row 3", "2020Q1", "`x` is not a number"]);
    refuses("KSV", "KSW", &["row 4", "unknown country `KSW`"]);
    refuses("NAM", "WLD", &["row 3", "aggregate"]);
    refuses("ATCR.CORR", "OTHER", &["row 2", "`OTHER`", "ATCR.CORR"]);
    refuses("Mexico,MEX", "Namibia,NAM", &["duplicate key", "row 2"]);
    refuses("03/04/2020", "13/14/2020", &["`13/14/2020`", "--vintage"]);
    refuses("03/04/2020,,,,,,,\n", "03/04/202", &["`03/04/202`"]);
    refuses("Last Updated: 03/04/2020,,,,,,,\n", "", &["cut off", "--vintage"]);
    refuses("2019Q4 [YR2019Q4],2020Q1 [YR2020Q1]", "2019,2020", &["worldbank.rpw", "quarter"]);
}

#[test]
fn rates_are_crossed_by_way_of_the_euro() {
    let s = Scratch::new();
    s.import_bytes("any.csv", RATES).unwrap();
    s.check_whole();
    let rate = |currency: &str, on: &str| s.value("fx_rate", &[("currency", currency), ("day", on)], "per_usd");
    assert_eq!(rate("USD", "2023-12-29"), Some(1.0));
    assert_eq!(rate("EUR", "2023-12-29"), Some(0.8));
    assert_eq!(rate("JPY", "2023-12-29"), Some(120.0));
    assert_eq!(rate("JPY", "2023-12-28"), Some(100.0));
    assert_eq!(rate("BGN", "2023-12-29"), None, "missing is absent");
    assert!(s.rows("fx_rate").iter().all(|r| r["vintage"] == "2023-12-29"));
}

#[test]
fn what_is_wrong_with_rates_is_named() {
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        drop(s.refuses("fx.csv", RATES.replacen(from, to, 1), words));
    };
    refuses("150", "1x50", &["fx.csv", "row 2", "column `JPY`", "`1x50` is not a number"]);
    refuses("150", "0", &["row 2", "JPY", "above 0"]);
    refuses("2023-12-28", "2023-12-29", &["duplicate key", "row 2"]);
    refuses("2023-12-28", "28 Dec", &["row 3", "`28 Dec` is not a day"]);
    refuses("0.95,\n2023-12-28", "0.95\n2023-12-28", &["row 2", "cut off"]);
    refuses("USD", "AUD", &["ecb.fx", "USD"]);
}

const EXR: &str = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,TITLE\n\
    EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2023-12-29,150,A,\"yen, euro\"\n\
    EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2023-12-26,,H,\n\
    EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2023-12-25,160,A,\n\
    EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2023-12-29,1.25,A,\n\
    EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,2023-12,1.2,A,\n";

#[test]
fn rates_of_the_dataflow() {
    let s = Scratch::new();
    let report = s.import_bytes("any.csv", EXR).unwrap();
    s.check_whole();
    let rate = |currency: &str, on: &str| s.value("fx_rate", &[("currency", currency), ("day", on)], "per_usd");
    assert_eq!((rate("USD", "2023-12-29"), rate("EUR", "2023-12-29")), (Some(1.0), Some(0.8)));
    assert_eq!((rate("JPY", "2023-12-29"), rate("JPY", "2023-12-25")), (Some(120.0), None));
    let rows = s.rows("fx_rate");
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|r| r["vintage"] == "2023-12-29" && r["obs_status"] == "A"), "{rows:?}");
    let notes = report.files[0].notes.join("\n");
    for said in ["1 observations without", "1 observations other", "1 days without a rate of the US dollar"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let refuses = |from: &str, to: &str, words: &[&str]| {
        assert!(EXR.contains(from), "{from}");
        drop(s.refuses("exr.csv", EXR.replace(from, to), words));
    };
    refuses(",150,", ",1x,", &["exr.csv", "row 2", "OBS_VALUE", "`1x` is not a number"]);
    refuses(",150,", ",0,", &["row 2", "above 0"]);
    refuses("2023-12-25", "25 Dec", &["row 4", "TIME_PERIOD", "`25 Dec` is not a day"]);
    refuses("2023-12-25", "2023-12-29", &["duplicate key", "JPY"]);
    refuses("D,USD", "D,GBP", &["ecb.fx", "`USD`"]);
    refuses(",D,", ",M,", &["ecb.fx", "no daily reference rates"]);
    drop(s.refuses("exr.csv", EXR.trim_end().trim_end_matches(','), &["row 6"]));
}

#[test]
fn a_last_number_that_may_have_lost_digits_is_refused() {
    let s = Scratch::new();
    let cut = ["the last line has no line end"];
    // Without the comma that ends its lines, 0.95 may be what is left of 0.951.
    let bare = RATES.replace(",\n", "\n");
    s.refuses("fx.csv", bare.trim_end(), &cut);
    let dated = Options { vintage: Some(day("2020-03-04")), ..Options::default() };
    let path = s.put("rpw.csv", CORRIDORS.split_once("6.5\n").unwrap().0.to_owned() + "6");
    s.refuses_with(&[path], &dated, &cut);
    s.import_bytes("fx.csv", RATES.trim_end()).unwrap();
    s.import_bytes("rpw.csv", CORRIDORS.trim_end()).unwrap();
    assert_eq!(s.rows("corridor_price").len(), 4);
}

#[test]
fn the_publishers_files() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    s.import_with(&[data.join("rpw/36d1ed87-9a2d-41da-8eac-c1c25d45fa65_Data.csv.gz")], &Options::default()).unwrap();
    s.import(&[data.join("ecb_fx")]).unwrap();
    s.check_whole();
    let mut prices = s.rows("corridor_price");
    assert_eq!(prices.len(), 10_417);
    assert!(prices.iter().all(|r| r["vintage"] == day("2020-12-07").to_string()));
    prices.retain(|r| r["period"] == "2020-07-01");
    assert_eq!(prices.len(), 367);
    assert_eq!(format!("{:.4}", sum(&prices, "cost_pct") / 367.0), "7.0007");
    let rates = s.rows("fx_rate");
    // Every filled cell, and the euro on each of the 7,126 days.
    assert_eq!(rates.len(), 7_126 * 42 - 70_464);
    let euro = s.value("fx_rate", &[("currency", "EUR"), ("day", "2023-12-29")], "per_usd").unwrap();
    assert!((1.0 / euro - 1.1050).abs() < 1e-12);
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [CORRIDORS, RATES, EXR].map(|text| text.as_bytes().to_vec()).to_vec()
}
