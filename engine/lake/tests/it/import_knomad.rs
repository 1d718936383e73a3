//! The bilateral matrix: roles, units, totals, other years.

use envoi_lake::import::Options;

use crate::support::{Scratch, day, sum};
use crate::workbooks::{ACROSS, CORNER_SWAPPED, DOWN, Matrix, V};

fn flow(s: &Scratch, from: &str, to: &str) -> Option<f64> {
    s.value("corridor_flow", &[("sender_iso3", from), ("receiver_iso3", to)], "remittance_usd")
}

#[test]
fn fixture_matrix() {
    let s = Scratch::new();
    s.import_bytes("matrix.xlsx", Matrix::default().book()).unwrap();
    s.check_whole();
    assert_eq!(flow(&s, "USA", "MEX"), Some(52_595_343_000.0));
    assert_eq!(flow(&s, "MEX", "USA"), Some(1_844_684_000.0));
    assert_eq!(flow(&s, "NAM", "KEN"), Some(250_000.0));
    let rows = s.rows("corridor_flow");
    assert_eq!(rows.len(), 6);
    let world = s.rows("aggregate_observation");
    assert_eq!((world.len(), world[0]["aggregate_code"].as_str()), (1, "WLD"));
    assert!((sum(&rows, "remittance_usd") - sum(&world, "value")).abs() < 1.0);
    assert!(rows.iter().all(|r| r["obs_status"] == "E" && r["vintage"] == "2022-12-01" && r["year"] == "2021"));
}

#[test]
fn swapped_roles_are_transposed() {
    let s = Scratch::new();
    s.import_bytes("m.xlsx", Matrix { corner: CORNER_SWAPPED, ..Matrix::default() }.book()).unwrap();
    // Rows are receivers now: the cell of row United States, column Mexico is money from Mexico.
    assert_eq!(flow(&s, "MEX", "USA"), Some(52_595_343_000.0));
    assert_eq!(flow(&s, "USA", "MEX"), Some(1_844_684_000.0));
}

#[test]
fn another_year_and_another_edition() {
    let s = Scratch::new();
    let title = "Bilateral Remittance Estimates for 2018 using Migrant Stocks (millions of US$) (October 2019 Version)";
    let book = Matrix { title, sheet: "BRM 2018", ..Matrix::default() }.book();
    s.import_bytes("m.xlsx", book).unwrap();
    assert!(s.rows("corridor_flow").iter().all(|r| r["year"] == "2018" && r["vintage"] == "2019-10-01"));
    let title = "Bilateral Remittance Estimates for 2024 (millions of US$)";
    let path = s.put("n.xlsx", Matrix { title, ..Matrix::default() }.book());
    s.refuses_with(
        std::slice::from_ref(&path),
        &Options::default(),
        &["n.xlsx", "FINAL BRM 2021", "2024", "--vintage"],
    );
    s.import_with(&[path], &Options { vintage: Some(day("2026-01-01")), ..Options::default() }).unwrap();
    assert_eq!(s.rows("corridor_flow").len(), 12, "both years are current");
}

#[test]
fn what_is_wrong_is_named() {
    let s = Scratch::new();
    let named = |words: &[&str], m: Matrix<'_>| drop(s.refuses("m.xlsx", m.book(), words));
    named(&["m.xlsx", "Flows", "FINAL BRM *"], Matrix { sheet: "Flows", ..Matrix::default() });
    let down = ["Mexico", "Namibai", "United States"];
    named(
        &["sheet `FINAL BRM 2021`, row 4, column `A`: unknown country `Namibai`", "Namibia"],
        Matrix { down: &down, ..Matrix::default() },
    );
    let down = ["Mexico", "Mexico", "United States"];
    named(&["row 4", "duplicate key", "MEX", "row 3"], Matrix { down: &down, ..Matrix::default() });
    let cells: &[&[V<'_>]] = &[&[V::N(1.5), V::T("n/k"), V::N(2.0)], &[V::N(3.0), V::E, V::E], &[V::E, V::E, V::E]];
    named(&["row 3", "column `Mexico`", "`n/k` is not a number"], Matrix { cells, ..Matrix::default() });
    let cells: &[&[V<'_>]] = &[&[V::N(1.5), V::N(-2.0), V::N(2.0)], &[V::N(3.0), V::E, V::E], &[V::E, V::E, V::E]];
    named(&["row 3", "column `Mexico`", "`-2`", "negative"], Matrix { cells, ..Matrix::default() });
    let across = ["Kenya", "Sub-Saharan Africa", "United States"];
    named(&["row 2, column `C`", "Sub-Saharan Africa", "aggregate"], Matrix { across: &across, ..Matrix::default() });
    let across = ["Kenya", "Mexcio", "United States"];
    named(&["row 2, column `C`: unknown country `Mexcio`"], Matrix { across: &across, ..Matrix::default() });
    named(&["names no year"], Matrix { title: "Remittances", sheet: "BRM x", ..Matrix::default() });
    assert!(!s.root().exists());
}

#[test]
fn a_matrix_turned_over_or_moved_is_refused() {
    let s = Scratch::new();
    let m = Matrix::default();
    let rows = m.rows();
    let width = rows.iter().map(Vec::len).max().unwrap();
    let turned: Vec<Vec<V<'_>>> =
        (0..width).map(|i| rows.iter().map(|r| r.get(i).copied().unwrap_or(V::E)).collect()).collect();
    let words =
        ["m.xlsx: looks like `knomad.bilateral_matrix`", "`FINAL BRM 2021`", "B1", "column A", "transposed or moved"];
    s.refuses("m.xlsx", crate::workbooks::sheet(m.sheet, &turned), &words);
    let moved: Vec<Vec<V<'_>>> = rows.iter().map(|r| [V::E].into_iter().chain(r.iter().copied()).collect()).collect();
    s.refuses("m.xlsx", crate::workbooks::sheet(m.sheet, &moved), &["looks like `knomad.bilateral_matrix`", "B2"]);
}

#[test]
fn a_total_that_does_not_agree_is_refused() {
    let s = Scratch::new();
    let m = Matrix::default();
    for (row, column) in [(2, 4), (5, 1), (5, 4)] {
        let mut rows = m.rows();
        rows[row][column] = V::N(7.0);
        let place = format!("row {}", row + 1);
        s.refuses("m.xlsx", crate::workbooks::sheet(m.sheet, &rows), &["published total 7", &place]);
    }
    let mut rows = m.rows();
    rows.truncate(2 + DOWN.len());
    assert_eq!(ACROSS.len(), 3);
    s.refuses("m.xlsx", crate::workbooks::sheet(m.sheet, &rows), &["no row `WORLD`", "cut off"]);
}
