//! International migrant stock: layouts of several editions, totals, residual origins.

use crate::support::{Scratch, sum};
use crate::workbooks::{Stocks, V, stocks_2020, stocks_2024_pairs};

#[test]
fn by_destination() {
    let s = Scratch::new();
    s.import_bytes("stock.xlsx", stocks_2020().book()).unwrap();
    s.check_whole();
    let rows = s.rows("migrant_stock_total");
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|r| r["role"] == "destination" && r["vintage"] == "2020-12-31"));
    let value = |iso3, year, sex| {
        s.value("migrant_stock_total", &[("iso3", iso3), ("year", year), ("sex", sex)], "stock_persons")
    };
    assert_eq!(value("NAM", "2020", "both"), Some(66.0));
    assert_eq!(value("NAM", "2015", "male"), Some(30.0));
    assert_eq!(value("USA", "2020", "female"), Some(22.0));
    assert_eq!(s.rows("aggregate_observation").len(), 12, "world and a region");
}

#[test]
fn by_origin_with_residual_origins() {
    let s = Scratch::new();
    let mut rows = stocks_2020().rows;
    rows[3][1] = V::T("Other");
    rows[3][3] = V::N(2003.0);
    rows[3][4] = V::E;
    let labels = [
        "Index",
        "Region, development group, country or area of origin",
        "Notes",
        "Location code of origin",
        "Type of data",
    ];
    let stocks = Stocks {
        title: "International Migrant Stock 2024: Origin",
        subtitle: "Table 1: International migrant stock at mid-year by sex and by region, country or area of origin, for all areas of destination",
        mark: "POP/DB/MIG/Stock/Rev.2024",
        labels: &labels,
        rows,
        ..stocks_2020()
    };
    s.import_bytes("stock.xlsx", stocks.book()).unwrap();
    let rows = s.rows("migrant_stock_total");
    assert_eq!(rows.len(), 6, "the residual is nobody's");
    assert!(rows.iter().all(|r| r["role"] == "origin" && r["iso3"] == "NAM" && r["vintage"] == "2024-12-31"));
}

#[test]
fn layout_of_2019_with_plain_code() {
    let s = Scratch::new();
    let labels =
        ["Sort\norder", "Major area, region, country or area of destination", "Notes", "Code", "Type of data (a)"];
    let stocks = Stocks {
        title: "International migrant stock 2019",
        subtitle: "Table 1. Total migrant stock at mid-year by sex and by major area, region, country or area of destination, 1990-2019",
        mark: "POP/DB/MIG/Stock/Rev.2019",
        labels: &labels,
        years: &[2015, 2019],
        ..stocks_2020()
    };
    s.import_bytes("stock.xlsx", stocks.book()).unwrap();
    let rows = s.rows("migrant_stock_total");
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|r| r["vintage"] == "2019-12-31" && r["role"] == "destination"));
}

#[test]
fn by_destination_and_origin() {
    let s = Scratch::new();
    s.import_bytes("pairs.xlsx", stocks_2024_pairs().book()).unwrap();
    s.check_whole();
    let rows = s.rows("migrant_stock");
    assert_eq!(rows.len(), 9, "three pairs by three sexes, no group, no residual");
    let both: Vec<_> = rows.into_iter().filter(|r| r["sex"] == "both").collect();
    assert_eq!(sum(&both, "stock_persons"), 800.0);
    let key = [("origin_iso3", "MEX"), ("destination_iso3", "USA"), ("sex", "both")];
    assert_eq!(s.value("migrant_stock", &key, "stock_persons"), Some(700.0));
}

#[test]
fn what_is_wrong_is_named() {
    let s = Scratch::new();
    let changed = |row: usize, column: usize, value| {
        let mut stocks = stocks_2020();
        stocks.rows[row][column] = value;
        stocks.book()
    };
    let refuses = |bytes: Vec<u8>, words: &[&str]| drop(s.refuses("stock.xlsx", bytes, words));
    refuses(changed(0, 6, V::N(111.0)), &["sheet `Table 1`", "row 12", "2020 both", "111", "110"]);
    refuses(changed(2, 5, V::T("x")), &["row 14", "2015 both", "`x` is not a number"]);
    refuses(changed(2, 5, V::N(-60.0)), &["row 14", "negative"]);
    refuses(changed(3, 3, V::N(516.0)), &["duplicate key", "NAM", "row 15", "row 14"]);
    let mut stocks = stocks_2020();
    stocks.rows[3][3] = V::N(899.0);
    stocks.rows[3][1] = V::T("Untied States of America");
    refuses(stocks.book(), &["stock.xlsx", "row 15", "Untied States of America", "USA"]);
    refuses(Stocks { sheet: "Sheet1", ..stocks_2020() }.book(), &["Sheet1", "Table 1"]);
    let mut pairs = stocks_2024_pairs();
    pairs.rows[0][7] = V::N(2000.0);
    refuses(pairs.book(), &["row 12", "2024 both", "2000", "1000"]);
    assert!(!s.root().exists());
}
