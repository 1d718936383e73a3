//! Files cut at many places: refused, or, where a text ends at a line end, a whole prefix of the rows.

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture_bytes, fixture_text};
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
        let mut whole_records = 0;
        for cut in 1..whole.len() {
            // Between the two bytes of a line end the last line is whole already.
            if whole[cut - 1] == b'\n' || whole[cut - 1] == b'\r' {
                continue;
            }
            // Only the line end is lost, or with it the comma that ends each line of the World Bank's.
            let rest = whole[cut..].strip_prefix(b",").unwrap_or(&whole[cut..]);
            let lost_nothing = rest.starts_with(b"\r\n");
            if !lost_nothing {
                s.refuses("cut.csv", &whole[..cut], &["cut.csv"]);
                continue;
            }
            let s = Scratch::new();
            match s.import_bytes("cut.csv", &whole[..cut]) {
                Ok(_) => {
                    let rows = s.rows(table);
                    assert!(rows.iter().all(|row| full.contains(row)), "{cut}");
                    whole_records += usize::from(rows.len() == full.len());
                }
                Err(error) => assert!(error.to_string().contains("cut.csv"), "{error}"),
            }
        }
        assert!(whole_records > 0, "{file} without its last line end has all its rows");
        assert!(!s.root().exists());
        for cut in (1..whole.len()).filter(|c| whole[c - 1] == b'\n').step_by(2) {
            let s = Scratch::new();
            if s.import_bytes("cut.csv", &whole[..cut]).is_ok() {
                assert!(s.rows(table).iter().all(|row| full.contains(row)), "{cut}");
            }
        }
    }
}

/// A DAC2A file without quotes whose columns end with `last`.
fn unquoted(last: &str, first_row: &str, second_row: &str) -> String {
    format!(
        "DONOR,RECIPIENT,MEASURE,FLOW_TYPE,UNIT_MEASURE,{last}\n\
         ALLD,KEN,206,D,USD,{first_row}\nALLD,NAM,206,D,USD,{second_row}"
    )
}

#[test]
fn a_last_number_that_may_have_lost_digits_never_passes() {
    let s = Scratch::new();
    let cut = "the last line has no line end";
    let by_value = "UNIT_MULT,PRICE_BASE,TIME_PERIOD,OBS_VALUE";
    for value in ["12.5", "12.", "1", ""] {
        s.refuses("dac.csv", unquoted(by_value, "6,V,2021,3", &format!("6,V,2021,{value}")), &["dac.csv, row 3", cut]);
    }
    let by_power = "PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MULT";
    // 1 may be what is left of 12, and nothing what is left of 6.
    for power in ["1", ""] {
        s.refuses("dac.csv", unquoted(by_power, "V,2021,3,6", &format!("V,2021,12,{power}")), &["dac.csv, row 3", cut]);
    }
    let by_year = "UNIT_MULT,PRICE_BASE,OBS_VALUE,TIME_PERIOD";
    s.refuses("dac.csv", unquoted(by_year, "6,V,3,2021", "6,V,12,202"), &[cut]);
    for (last, first, second) in [
        (by_power, "V,2021,3,6", "V,2021,12,6"),
        (by_year, "6,V,3,2021", "6,V,12,2021"),
        ("UNIT_MULT,TIME_PERIOD,OBS_VALUE,PRICE_BASE", "6,2021,3,V", "6,2021,12,V"),
    ] {
        let s = Scratch::new();
        s.import_bytes("dac.csv", unquoted(last, first, second)).unwrap();
        assert_eq!(s.value("aid_flow", &[("recipient_iso3", "NAM")], "aid_usd"), Some(12e6), "{last}");
    }
}

#[test]
fn words_that_end_in_a_quote_may_go_on() {
    let s = Scratch::new();
    let wdi = fixture_text(WDI_REMITTANCES);
    // `"a ""b"""` cut after the first of two quotes reads as `a `.
    let text = wdi.replacen("\"2024\",\r\n", "\"2024\",\"Note\"\r\n", 1).replace(",\r\n\"", ",\"\"\r\n\"");
    let cut = text.rfind(",\r\n").unwrap();
    s.refuses("wdi.csv", format!("{},\"as \"", &text[..cut]), &["wdi.csv"]);
}

/// The fixture with its rows in a whole download's order, from Aruba to Zimbabwe.
fn whole_download() -> String {
    let wdi = fixture_text(WDI_REMITTANCES);
    let (head, body) = wdi.split_at(wdi.find("\"Kenya\"").unwrap());
    let kenya = body.lines().next().unwrap();
    let row = |name: &str, code: &str| kenya.replace("\"Kenya\",\"KEN\"", &format!("\"{name}\",\"{code}\"")) + "\r\n";
    let rows = [("Aruba", "ABW"), ("Kenya", "KEN"), ("Zambia", "ZMB"), ("Zimbabwe", "ZWE")];
    head.to_owned() + &rows.map(|(name, code)| row(name, code)).concat()
}

fn warnings(report: &envoi_lake::import::Report) -> Vec<&str> {
    report.files.iter().flat_map(|f| &f.notes).filter(|n| n.starts_with("warning")).map(String::as_str).collect()
}

#[test]
fn a_file_cut_at_a_line_end_is_imported_with_a_warning() {
    let whole = whole_download();
    let lines: Vec<&str> = whole.split_inclusive("\r\n").collect();
    let report = Scratch::new().import_bytes("wdi.csv", &whole).unwrap();
    assert_eq!(warnings(&report), Vec::<&str>::new());
    let report = Scratch::new().import_bytes("wdi.csv", lines[..lines.len() - 1].concat()).unwrap();
    let told = warnings(&report);
    assert!(told.len() == 1 && told[0].contains("ends with `ZMB` at row 8, not with `ZWE`"), "{told:?}");
    // A selection that does not look like a beginning is nobody's business.
    let selection = [&lines[..5], &lines[6..8]].concat().concat();
    assert_eq!(warnings(&Scratch::new().import_bytes("wdi.csv", selection).unwrap()), Vec::<&str>::new());
}

#[test]
fn metadata_beside_the_file_say_what_it_lacks() {
    let s = Scratch::new();
    s.put("API_X_101.csv", fixture_text(WDI_REMITTANCES));
    let country = "worldbank/Metadata_Country_API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";
    let listed = fixture_text(country);
    s.put("Metadata_Country_X_101.csv", &listed);
    assert_eq!(warnings(&s.import(&[s.inbox()]).unwrap()), Vec::<&str>::new());
    let s = Scratch::new();
    let wdi = fixture_text(WDI_REMITTANCES);
    s.put("API_X_101.csv", &wdi[..wdi.find("\"Syrian").unwrap()]);
    s.put("Metadata_Country_X_101.csv", &listed);
    let report = s.import(&[s.inbox()]).unwrap();
    let told = warnings(&report);
    assert!(told.len() == 1 && told[0].contains("cut off after row 8 (`XKX`)"), "{told:?}");
}
