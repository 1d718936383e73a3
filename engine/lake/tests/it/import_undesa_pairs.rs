//! Migrant stocks: matrices of 2019, the tidied table, tables 2 to 6, and the real files.

use crate::shared;
use crate::support::{Scratch, sum};
use crate::workbooks::{V, sheets};

use V::{E, N, T};

const TITLE: &str = "Table 1. Total migrant stock at mid-year by origin and by major area, region, country or area of destination, 1990-2019";

/// The matrix of 2019: labels in one row, origins in the row below.
fn matrix<'a>(title: &'a str, usa_mex: f64, names_below: bool) -> Vec<Vec<V<'a>>> {
    let mut rows = vec![
        vec![],
        vec![E, E, E, E, T("United Nations")],
        vec![E, E, E, E, T("International migrant stock 2019: By destination and origin")],
        vec![E, E, E, E, T(title)],
        vec![E, E, E, E, T("POP/DB/MIG/Stock/Rev.2019")],
        vec![],
    ];
    let labels = [
        "Year",
        "Sort\r\norder",
        "Major area, region, country or area of destination",
        "Notes",
        "Code",
        "Type of data (a)",
    ];
    let names = ["Total", "Other North", "Other South", "Mexico", "Namibia*"];
    let labels: Vec<V<'_>> = labels.map(T).to_vec();
    if names_below {
        rows.push([labels, vec![T("Country or area of origin")]].concat());
        rows.push([vec![E; 6], names.map(T).to_vec()].concat());
    } else {
        rows.push([labels, names.map(T).to_vec()].concat());
    }
    let total = usa_mex + 30.0;
    let row = |year, name, code, kind, cells: [V<'a>; 5]| {
        [vec![N(year), N(year * 1e3), T(name), E, N(code), kind], cells.to_vec()].concat()
    };
    rows.push(row(2015.0, "WORLD", 900.0, E, [N(total + 7.0), N(10.0), N(15.0), N(usa_mex), N(12.0)]));
    rows.push(row(
        2015.0,
        "United States of America*",
        840.0,
        T("B"),
        [N(total), N(10.0), N(15.0), N(usa_mex), N(5.0)],
    ));
    rows.push(row(2015.0, "Kenya", 404.0, T("I R"), [N(7.0), T(".."), T(".."), T(".."), N(7.0)]));
    rows.push(vec![]);
    rows.push(vec![T("(a) a footnote")]);
    rows
}

#[test]
fn matrices_of_2019_by_sex() {
    for names_below in [true, false] {
        let s = Scratch::new();
        let (both, male, female) = (
            matrix(TITLE, 700.0, names_below),
            matrix("Table 2. Male migrant stock at mid-year by origin and by destination", 400.0, names_below),
            matrix("Table 3. Female migrant stock at mid-year by origin and by destination", 300.0, names_below),
        );
        let book =
            sheets(&[("CONTENTS", &[]), ("Table 1", &both), ("Table 2", &male), ("Table 3", &female), ("ANNEX", &[])]);
        let report = s.import_bytes("pairs.xlsx", book).unwrap();
        s.check_whole();
        assert_eq!(s.rows("migrant_stock").len(), 9, "{report:?}");
        let value = |from, to, sex| {
            let key = [("origin_iso3", from), ("destination_iso3", to), ("sex", sex)];
            s.value("migrant_stock", &key, "stock_persons")
        };
        assert_eq!(value("MEX", "USA", "both"), Some(700.0));
        assert_eq!(value("MEX", "USA", "female"), Some(300.0));
        assert_eq!(value("NAM", "KEN", "male"), Some(7.0));
        assert_eq!(value("MEX", "KEN", "both"), None, "two dots are missing, not zero");
        let imputed = s.rows("migrant_stock").into_iter().find(|r| r["destination_iso3"] == "KEN").unwrap();
        assert_eq!(imputed["obs_status"], "I");
        let other = [("indicator", "UNDESA.STOCK.FROM_OTHER_SOUTH.BOTH"), ("iso3", "USA")];
        assert_eq!(s.value("observation", &other, "value"), Some(15.0));
        let notes = report.files[0].notes.join("\n");
        assert!(notes.contains("3 of 3 published world totals"), "{notes}");
        assert!(notes.contains("say `..`"), "{notes}");
    }
}

#[test]
fn what_is_wrong_in_a_matrix_is_named() {
    let s = Scratch::new();
    let changed = |change: &dyn Fn(&mut Vec<Vec<V<'static>>>)| {
        let mut rows = matrix(TITLE, 700.0, true);
        change(&mut rows);
        sheets(&[("Table 1", &rows)])
    };
    let refuses = |bytes: Vec<u8>, words: &[&str]| drop(s.refuses("pairs.xlsx", bytes, words));
    refuses(changed(&|r| r[9][9] = T("7O0")), &["Table 1", "row 10", "column `Mexico`", "`7O0` is not a number"]);
    refuses(changed(&|r| r[7][9] = T("Mexiko City")), &["row 8", "unknown country `Mexiko City`"]);
    refuses(changed(&|r| r[9][0] = T("20I5")), &["row 10", "Year", "`20I5` is not a year"]);
    refuses(changed(&|r| r[10][4] = N(840.0)), &["row 11", "duplicate key", "USA", "row 10"]);
    refuses(changed(&|r| r[9][9] = N(-7.0)), &["row 10", "Mexico", "negative"]);
    refuses(changed(&|r| r[8][6] = N(9000.0)), &["row 9", "9000", "world total"]);
    refuses(changed(&|r| r[3][4] = T("Table 1. By origin")), &["Table 1", "does not say whose stock"]);
    refuses(changed(&|r| r.truncate(8)), &["no rows", "cut off"]);
    refuses(sheets(&[("Blatt 1", &matrix(TITLE, 700.0, true))]), &["Blatt 1", "Table 1"]);
    assert!(!s.root().exists());
}

fn table(number: &str, title: &str, blocks: &[&str], years: &[&str], row: &[f64]) -> Vec<Vec<V<'static>>> {
    let text = |t: &str| T(String::leak(t.to_owned()));
    let mut head = vec![E; 5];
    for block in blocks {
        head.push(text(block));
        head.extend(vec![E; years.len() - 1]);
    }
    let labels = ["Index", "Region, development group, country or area", "Notes", "Location code", "Type of data"];
    let years: Vec<V<'_>> =
        years.iter().map(|y| y.parse().map_or_else(|_| text(y), N)).cycle().take(years.len() * blocks.len()).collect();
    vec![
        vec![E, E, E, E, T("International Migrant Stock 2020: Destination")],
        vec![E, E, E, E, text(&format!("{number}: {title}"))],
        vec![E, E, E, E, T("POP/DB/MIG/Stock/Rev.2020")],
        head,
        [labels.map(T).to_vec(), years].concat(),
        [vec![N(1.0), T("WORLD"), E, N(900.0), E], row.iter().map(|v| N(*v)).collect()].concat(),
        [vec![N(2.0), T("  Namibia"), E, N(516.0), T("I")], row.iter().map(|v| N(*v)).collect()].concat(),
    ]
}

#[test]
fn other_tables_are_observations() {
    let s = Scratch::new();
    let years = &["2015", "2020"];
    let stock = table(
        "Table 1",
        "International migrant stock at mid-year",
        &["International migrant stock at mid-year, both sexes combined"],
        years,
        &[60.0, 66.0],
    );
    let population = table(
        "Table 2",
        "Total population at mid-year (thousands)",
        &["Total population at mid-year, males (thousands)"],
        years,
        &[2.5, 3.0],
    );
    let rate = table(
        "Table 5",
        "Annual rate of change of the migrant stock",
        &["Annual rate of change of the migrant stock, females"],
        &["2010-2015", "2015-2020"],
        &[-1.5, 2.0],
    );
    let refugees = table(
        "Table 6",
        "Estimated refugee stock",
        &[
            "Refugee and asylum seekers at mid-year, both sexes combined",
            "Refugee and asylum seekers as a percentage of the international migrant stock",
        ],
        years,
        &[6.0, 7.0, 10.0, 11.0],
    );
    s.import_bytes(
        "stock.xlsx",
        sheets(&[
            ("Table 1", &stock),
            ("Table 2", &population),
            ("Table 5", &rate),
            ("Table 6", &refugees),
            ("Notes", &[]),
        ]),
    )
    .unwrap();
    s.check_whole();
    let value = |indicator, period| {
        let key = [("indicator", indicator), ("period", period), ("iso3", "NAM")];
        s.value("observation", &key, "value")
    };
    assert_eq!(value("UNDESA.POPULATION.MALE", "2020-01-01"), Some(3000.0), "thousands are persons");
    assert_eq!(value("UNDESA.STOCK.RATE.FEMALE", "2010-01-01"), Some(-1.5));
    assert_eq!(value("UNDESA.REFUGEES.BOTH", "2015-01-01"), Some(6.0));
    assert_eq!(value("UNDESA.REFUGEES.SHARE.BOTH", "2020-01-01"), Some(11.0));
    assert_eq!(s.rows("migrant_stock_total").len(), 2);
    assert!(s.rows("observation").iter().all(|r| r["obs_status"] == "I"));
    assert!(s.rows("indicator").iter().any(|r| r["unit"] == "persons" && r["indicator"] == "UNDESA.POPULATION.MALE"));
}

/// Twenty origins, as many as make the table known.
const TIDY: &str = "Year,Dest,Mexico,Namibia,Kenya,Ghana,Togo,Mali,Chad,Niger,Nigeria,Gabon,Peru,Chile,Cuba,Haiti,Fiji,Nepal,Iraq,Jordan,Oman,Qatar\n\
    2015,United States of America,700,5,..,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n\
    2019,United States of America,710,6,..,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n";

#[test]
fn tidied_table() {
    let s = Scratch::new();
    let report = s.import_bytes("pairs.csv", TIDY).unwrap();
    let rows = s.rows("migrant_stock");
    assert_eq!(rows.len(), 36, "a pair of 0 stands for a blank: {report:?}");
    assert!(rows.iter().all(|r| r["vintage"] == "2019-12-31" && r["sex"] == "both"));
    let key = [("origin_iso3", "MEX"), ("destination_iso3", "USA"), ("year", "2019")];
    assert_eq!(s.value("migrant_stock", &key, "stock_persons"), Some(710.0));
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| drop(s.refuses("p.csv", TIDY.replacen(from, to, 1), words));
    refuses("700", "7O0", &["row 2", "column `Mexico`", "`7O0` is not a number"]);
    refuses(
        "2019,United States",
        "2019,Untied States",
        &["row 3", "Dest", "unknown country `Untied States of America`"],
    );
    refuses(",1\n", "\n", &["row 2", "cut off"]);
    refuses("2019,", "2015,", &["row 3", "duplicate key", "row 2"]);
}

#[test]
fn real_files() {
    let Some(data) = shared("data/undesa") else { return };
    let s = Scratch::new();
    let report = s.import(&[data]).unwrap();
    s.check_whole();
    let pairs = s.rows("migrant_stock");
    let of_2019: Vec<_> = pairs.iter().filter(|r| r["year"] == "2019").cloned().collect();
    let destinations: std::collections::BTreeSet<_> = of_2019.iter().map(|r| r["destination_iso3"].clone()).collect();
    assert_eq!((pairs.len(), destinations.len()), (76_431, 231), "{report:?}");
    assert_eq!(sum(&of_2019, "stock_persons"), 260_283_744.0, "pairs of economies, without residual origins");
    let key = [("origin_iso3", "MEX"), ("destination_iso3", "USA"), ("year", "2019")];
    assert_eq!(s.value("migrant_stock", &key, "stock_persons"), Some(11_489_684.0));
    let mut stocks = s.rows("migrant_stock_total");
    stocks.retain(|r| r["year"] == "2020" && r["sex"] == "both");
    assert_eq!((stocks.len(), sum(&stocks, "stock_persons")), (232, 280_598_105.0));
    let observations = s.rows("observation");
    let total = |indicator: &str| {
        let rows: Vec<_> = observations
            .iter()
            .filter(|r| r["indicator"] == indicator && r["period"] == "2020-01-01")
            .cloned()
            .collect();
        sum(&rows, "value")
    };
    // The publisher's world row, in thousands: 7,794,798.729; the economies lack what it rounds.
    assert!(
        (total("UNDESA.POPULATION.BOTH") / 7_794_798_729.0 - 1.0).abs() < 1e-3,
        "{}",
        total("UNDESA.POPULATION.BOTH")
    );
    assert!((total("UNDESA.REFUGEES.BOTH") / 33_807_795.0 - 1.0).abs() < 1e-3, "{}", total("UNDESA.REFUGEES.BOTH"));
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![TIDY.as_bytes().to_vec()]
}
