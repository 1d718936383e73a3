//! Files cut at many places: refused, or, where a text ends at a line end, a whole prefix of the rows.

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture_bytes};
use crate::workbooks::{Matrix, stocks_2020};

#[test]
fn workbooks_are_never_half_read() {
    for (name, whole) in [("matrix.xlsx", Matrix::default().book()), ("stock.xlsx", stocks_2020().book())] {
        let s = Scratch::new();
        for cut in (1..whole.len()).step_by(61).chain([whole.len() - 1]) {
            s.refuses(name, &whole[..cut], &[name]);
        }
        assert!(!s.root().exists());
    }
}

#[test]
fn text_is_never_cut_silently() {
    for (file, table) in [(WDI_REMITTANCES, "observation"), (DAC2A, "aid_flow")] {
        let whole = fixture_bytes(file);
        let full = {
            let s = Scratch::new();
            s.import_bytes("cut.csv", &whole).unwrap();
            s.rows(table)
        };
        let s = Scratch::new();
        for cut in 1..whole.len() {
            // Between the two bytes of a line end the last line is whole already.
            if whole[cut - 1] == b'\n' || whole[cut - 1] == b'\r' {
                continue;
            }
            s.refuses("cut.csv", &whole[..cut], &["cut.csv"]);
        }
        assert!(!s.root().exists());
        for cut in (1..whole.len()).filter(|c| whole[c - 1] == b'\n').step_by(2) {
            let s = Scratch::new();
            if s.import_bytes("cut.csv", &whole[..cut]).is_ok() {
                assert!(s.rows(table).iter().all(|row| full.contains(row)), "{cut}");
            }
        }
    }
}
