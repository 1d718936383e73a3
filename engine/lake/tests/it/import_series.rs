//! Series of central banks.

use crate::shared;
use envoi_lake::import::mapping;

use crate::support::{Scratch, sum};
use crate::workbooks::{V, sheets};

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
    refuses("JAN-2022", "2022-01", &["row 4", "`2022-01` is not a month", "JUL-2005"]);
    refuses("JAN-2022", "JAN-202", &["row 4", "`JAN-202`"]);
    refuses("2.25\n", "2.2", &["row 4", "cut off"]);
    refuses("NOV-2021,1.5\nDEC-2021,\nJAN-2022,2.25\n", "", &["cut off"]);
}

/// Invented figures in the layout of the compiled workbook, with all states of the descriptor
/// that a test needs.
const STATES: [&str; 20] = [
    "AGS", "BC", "BCS", "CAMP", "CDMX", "CHIH", "CHIS", "COAH", "COL", "DGO", "GRO", "GTO", "HGO", "JAL", "MEX",
    "MICH", "MOR", "NAY", "NL", "OAX",
];

/// Quarters down; the first state has `first`, all others 1.
fn states<'a>(header: &[&'a str], first: &[V<'a>], last: V<'a>) -> Vec<Vec<V<'a>>> {
    let mut rows = vec![["Year", "Quarter"].iter().chain(header).map(|t| V::T(t)).collect::<Vec<_>>()];
    for (value, quarter) in first.iter().zip(["Q4", "Q1"]) {
        let mut row = vec![V::N(if quarter == "Q4" { 2003.0 } else { 2004.0 }), V::T(quarter), *value];
        row.resize(header.len() + 1, V::N(1.0));
        row.push(last);
        rows.push(row);
    }
    rows
}

#[test]
fn regions_go_to_staging_and_their_sum_to_the_country() {
    let s = Scratch::new();
    let mexico = states(&STATES, &[V::N(2.5), V::E], V::N(1.0));
    let codes: Vec<String> = (b'A'..=b'T').map(|c| format!("{}X", char::from(c))).collect();
    let names: Vec<String> = codes.iter().map(|c| format!("Name of {c}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).chain(["Total"]).collect();
    let america = states(&codes, &[V::N(0.5), V::N(0.25)], V::N(19.5));
    let list: Vec<Vec<V<'_>>> = names.iter().zip(&codes).map(|(name, code)| vec![V::T(name), V::T(code)]).collect();
    let book = sheets(&[("MEX", &mexico), ("USA", &america), ("StatesN", &list)]);
    let report = s.import_bytes("any.xlsx", book).unwrap();
    s.check_whole();
    let value = |indicator: &str, day: &str| {
        let keys = [("indicator", indicator), ("iso3", "MEX"), ("frequency", "Q"), ("period", day)];
        s.value("observation", &keys, "value")
    };
    assert_eq!(value("BANXICO.REMITTANCES.USD", "2003-10-01"), Some(21.5e6));
    assert_eq!(
        value("BANXICO.REMITTANCES.USD", "2004-01-01"),
        None,
        "a state has no value, so the sum is none of the country"
    );
    assert_eq!(value("BANXICO.REMITTANCES.FROM_USA.USD", "2004-01-01"), Some(19.5e6), "the total as published");
    let rows = s.rows("banxico_remittances_by_mexican_state");
    assert_eq!(rows.len(), 39);
    let one = rows.iter().find(|r| r["region_code"] == "AGS").unwrap();
    assert_eq!((one["region_name"].as_str(), one["value"].as_str()), ("Aguascalientes", "2500000.0"));
    assert_eq!(s.rows("banxico_remittances_by_us_state")[0]["region_name"], "Name of AX");
    let notes = report.files[0].notes.join("\n");
    for said in [
        "has no total of the country; it is the sum of 20 regions",
        "1 periods in which a region",
        "total as published; the regions sum to it within 0.2500",
        "read as US$ times 1000000",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
}

#[test]
fn what_is_wrong_with_regions_is_named() {
    let s = Scratch::new();
    let refuses = |sheet: &str, header: &[&str], first: V<'_>, words: &[&str]| {
        let table = states(header, &[first], V::N(1.0));
        drop(s.refuses("mx.xlsx", sheets(&[(sheet, &table)]), words));
    };
    refuses("MEX", &STATES, V::T("1,5"), &["sheet `MEX`", "row 2", "`AGS`", "`1,5` is not a number"]);
    refuses("Estados", &STATES, V::N(1.0), &["looks like `banxico.remittances`", "`Estados`", "`MEX`"]);
    let with = |code| STATES.iter().copied().chain([code]).collect::<Vec<_>>();
    refuses("MEX", &with("ZZZ"), V::N(1.0), &["sheet `MEX`", "unknown region `ZZZ`"]);
    refuses("MEX", &with("BC"), V::N(1.0), &["region `BC` has two columns"]);
    let mut table = states(&STATES, &[V::N(1.0), V::N(2.0)], V::N(1.0));
    table[2][1] = V::T("Q5");
    s.refuses(
        "mx.xlsx",
        sheets(&[("MEX", &table)]),
        &["sheet `MEX`", "row 3", "`2004 Q5` is not a quarter", "2003 Q1"],
    );
    table[2] = table[1].clone();
    s.refuses("mx.xlsx", sheets(&[("MEX", &table)]), &["sheet `MEX`", "row 3", "duplicate key", "row 2"]);
}

#[test]
fn a_descriptor_of_the_users_is_checked() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/sources");
    let read = |name: &str| std::fs::read_to_string(sources.join(name)).unwrap();
    mapping(&read("banxico_remittances.toml"), "banxico.toml").unwrap();
    let text = read("sbp_remittances.toml");
    let bank = mapping(&text, "bank.toml").unwrap();
    assert_eq!(bank.mapping.as_deref(), Some("bank.toml"));
    assert_eq!((bank.id.as_str(), bank.importer.as_deref()), ("sbp.remittances", Some("central_bank.series")));
    let refuses = |from: &str, to: &str, words: &[&str]| {
        assert!(text.contains(from), "{from}");
        let message = mapping(&text.replacen(from, to, 1), "bank.toml").unwrap_err().to_string();
        assert!(message.starts_with("bank.toml: ") && !message.contains('\n'), "{message}");
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
    };
    refuses("id = ", "id ", &["no mapping", "line 1"]);
    refuses("central_bank.series", "ecb.fx", &["`ecb.fx`", "`central_bank.series`"]);
    refuses("central_bank.series", "ecb", &["no importer `ecb`", "`central_bank.series`"]);
    refuses("importer = \"central_bank.series\"\n", "", &["names no importer", "central_bank.series"]);
    refuses("sbp.remittances", "oecd.dac2a", &["`oecd.dac2a`", "another kind"]);
    refuses("iso3 = \"PAK\"", "iso3 = \"Pakistan\"", &["`Pakistan` is no code"]);
    refuses("frequency = \"M\"", "frequency = \"W\"", &["settings", "`W`"]);
    refuses("scale = 1e6", "scale = 0.0", &["scale 0", "SBP.REMITTANCES.USD"]);
    refuses("example = \"JUL-2005\"", "example = \"2005-07\"", &["`2005-07`", "`%b-%Y`"]);
    refuses("unit = \"US$\"\n", "", &["unit"]);
    let (head, _) = text.split_once("[[settings.series]]").unwrap();
    assert!(mapping(head, "bank.toml").unwrap_err().to_string().contains("names no series"));
}

#[test]
fn states_of_mexico_and_of_the_united_states() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    let report = s.import(&[data.join("banxico/DataBanxico.xlsx")]).unwrap();
    s.check_whole();
    let rows = s.rows("observation");
    let of = |indicator: &str, year: &str| {
        let fits = |r: &&crate::support::Fact| r["indicator"] == indicator && r["period"].starts_with(year);
        let rows: Vec<_> = rows.iter().filter(fits).cloned().collect();
        (rows.len(), format!("{:.4}", sum(&rows, "value") / 1e6))
    };
    assert_eq!(of("BANXICO.REMITTANCES.USD", "2022"), (4, "58509.6998".to_owned()));
    assert_eq!(of("BANXICO.REMITTANCES.USD", "2003"), (4, "15138.6859".to_owned()));
    assert_eq!(of("BANXICO.REMITTANCES.FROM_USA.USD", "2022"), (4, "54658.0868".to_owned()));
    assert_eq!(rows.len(), 81 + 41, "{report:?}");
    assert_eq!(s.rows("banxico_remittances_by_mexican_state").len(), 81 * 32);
    let states = s.rows("banxico_remittances_by_us_state");
    assert_eq!(states.len(), 41 * 52);
    assert!(states.iter().any(|r| r["region_name"] == "Puerto Rico"));
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

#[test]
fn a_series_is_never_cut_silently() {
    let s = Scratch::new();
    for cut in (1..MONTHS.len() - 1).filter(|cut| &MONTHS[cut - 1..*cut] != "\n") {
        s.refuses("sbp.csv", &MONTHS[..cut], &["sbp.csv"]);
    }
    assert!(!s.root().exists());
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mexico = states(&STATES, &[V::N(2.5), V::E], V::N(1.0));
    vec![MONTHS.as_bytes().to_vec(), sheets(&[("MEX", &mexico)])]
}
