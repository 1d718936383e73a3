//! Remittance Prices Worldwide, firm by firm: workbooks of two sheets with invented figures.

use envoi_lake::import::Options;

use crate::shared;
use crate::support::{Fact, Scratch, day, sum};
use crate::workbooks::{V, sheets};

const EARLY: &str = "Dataset (up to Q1 2016)";
const LATE: &str = "Dataset (from Q2 2016)";

/// Headers of the publisher, less those of regions and income groups.
const EARLY_HEADER: &str = "id|period|source_code|source_name|destination_code|destination_name|firm|firm_type|product|sending location|speed actual|cc1 lcu amount|cc1 denomination amount|cc1 lcu code|cc1 lcu fee|cc1 lcu fx rate|cc1 fx margin|cc1 total cost %|cc2 lcu amount|cc2 denomination amount|cc2 lcu code|cc2 lcu fee|cc2 lcu fx rate|cc2 fx margin|cc2 total cost %|inter lcu bank fx|transparent|note1|note2|coverage|pick-up method|date|corridor";
const LATE_HEADER: &str = "id|period|source_code|source_name|destination_code|destination_name|firm|firm_type|payment instrument|access point|speed actual|cc1 lcu amount|cc1 denomination amount|cc1 lcu code|cc1 lcu fee|cc1 lcu fx rate|cc1 fx margin|cc1 total cost %|cc2 lcu amount|cc2 denomination amount|cc2 lcu code|cc2 lcu fee|cc2 lcu fx rate|cc2 fx margin|cc2 total cost %|inter lcu bank fx|transparent|Standard Note|note2|receiving network coverage|pickup location|pickup method|date|corridor";

/// Invented services; text where the publisher has text, `'8` for a number written as text.
const EARLY_ROWS: &[&str] = &[
    "11|2011_1Q|TZA|Tanzania|KEN|Kenya|Agile Cash|Money Transfer Operator|Cash to cash|Not available|Same day|1000|200|TZS|50|0.5|1.5|6.5|2500|500|TZS|100|0.5|1.5|5.5|0.51|yes|||Nationwide||24/Jan/2011|TZAKEN",
    "12|2011_1Q|TZA|Tanzania|KSV|Kosovo|Quiet Bank|Bank|N/A|at Branch|N/A|1000|200|TZS|50|1|0|5|0|500|TZS|100|1|0||1|no|not disclosed|||Bank Account|24/Jan/2011|TZAKSV",
];
const LATE_ROWS: &[&str] = &[
    "21|2016_2Q|USA|United States|MEX|Mexico|Agile  Cash |Money Transfer Operator|Cash|Agent|Same day|200|200|USD|4|18|-0.5|1.5|500|500|USD|5|18|-0.5|0.5|18.1|yes|||High||Cash|01/May/2016|USAMEX",
    "'22|2016_2Q|USA|United States|MEX|Mexico|Agile Cash|Money Transfer Operator|Cash|Agent|Same day|'200|'200|USD|'8|18|'2|'6|'500|'500|USD|'10|18|'2|'4|18.1|Yes|||low||Cash|01/May/2016|USAMEX",
    "23|2016_2Q|USA|United States|NAM|Namibia|Agile Cash|Money Transfer Operator|Cash|Agent|Same day|200||USD||18|3||500|500|USD|||||18.1|yes|||low|Agent|Cash|01/May/2016|USANAM",
];

fn cells(line: &str) -> Vec<V<'_>> {
    line.split('|')
        .map(|text| match (text.strip_prefix('\''), text.parse::<f64>()) {
            (Some(text), _) => V::T(text),
            (None, Ok(number)) => V::N(number),
            (None, Err(_)) if text.is_empty() => V::E,
            (None, Err(_)) => V::T(text),
        })
        .collect()
}

fn table<'a>(header: &'a str, rows: &[&'a str]) -> Vec<Vec<V<'a>>> {
    std::iter::once(header).chain(rows.iter().copied()).map(cells).collect()
}

/// The workbook, with prose beside the data as the publisher has it.
fn book(early: &[Vec<V<'_>>], late: &[Vec<V<'_>>]) -> Vec<u8> {
    let legend = table("Column|Meaning", &["firm|who sends", "cc1 total cost %|of US$ 200"]);
    sheets(&[("Legend", &legend), (EARLY, early), (LATE, late)])
}

fn publishers() -> Vec<u8> {
    book(&table(EARLY_HEADER, EARLY_ROWS), &table(LATE_HEADER, LATE_ROWS))
}

/// The workbook with something else in its late sheet.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = [&[LATE_HEADER], LATE_ROWS].concat().join("\n");
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let lines: Vec<&str> = text.split('\n').collect();
    book(&table(EARLY_HEADER, EARLY_ROWS), &lines.iter().map(|l| cells(l)).collect::<Vec<_>>())
}

fn find<'a>(rows: &'a [Fact], keys: &[(&str, &str)]) -> &'a Fact {
    let mut found = rows.iter().filter(|r| keys.iter().all(|(k, v)| r.get(*k).map(String::as_str) == Some(*v)));
    let first = found.next().unwrap_or_else(|| panic!("{keys:?} in {rows:#?}"));
    assert!(found.next().is_none(), "{keys:?}");
    first
}

#[test]
fn both_sheets_and_both_amounts() {
    let s = Scratch::new();
    let report = s.import_bytes("any.xlsx", publishers()).unwrap();
    s.check_whole();
    let rows = s.rows("corridor_price");
    assert_eq!(rows.len(), 9, "{rows:#?}");
    assert!(rows.iter().all(|r| r["vintage"] == "2016-06-30" && r["source_id"] == "worldbank.rpw_firms"));
    let one = find(&rows, &[("sender_iso3", "TZA"), ("receiver_iso3", "KEN"), ("amount_usd", "200.0")]);
    assert_eq!((one["period"].as_str(), one["provider"].as_str()), ("2011-01-01", "Agile Cash"));
    assert_eq!((one["product"].as_str(), one["service"].as_str()), ("Cash to cash", "Same day"));
    assert_eq!(
        (one["fee_pct"].as_str(), one["fx_margin_pct"].as_str(), one["cost_pct"].as_str()),
        ("5.0", "1.5", "6.5")
    );
    assert_eq!((one["transparent"].as_str(), one.get("qualifies")), ("true", None));
    let quiet = find(&rows, &[("receiver_iso3", "XKX"), ("amount_usd", "200.0")]);
    assert_eq!((quiet.get("fx_margin_pct"), quiet["transparent"].as_str()), (None, "false"));
    assert_eq!(
        (quiet["cost_pct"].as_str(), quiet.get("product"), quiet["service"].as_str()),
        ("5.0", None, "at Branch; Bank Account")
    );
    let unsent = find(&rows, &[("receiver_iso3", "XKX"), ("amount_usd", "500.0")]);
    assert_eq!((unsent.get("fee_pct"), unsent.get("cost_pct")), (None, None), "a fee on no amount is no percentage");
    // Two services of one firm and product that only the id tells apart; blanks in the name do not.
    let cheap = find(&rows, &[("service", "Agent; Same day; Cash; id 21"), ("amount_usd", "200.0")]);
    assert_eq!((cheap["fx_margin_pct"].as_str(), cheap["cost_pct"].as_str()), ("-0.5", "1.5"));
    let dear = find(&rows, &[("service", "Agent; Same day; Cash; id 22"), ("amount_usd", "500.0")]);
    assert_eq!((dear["fee_pct"].as_str(), dear["transparent"].as_str()), ("2.0", "true"));
    // No price at all of 500, a margin without cost of 200, the amount of which is blank.
    let namibia: Vec<_> = rows.iter().filter(|r| r["receiver_iso3"] == "NAM").collect();
    assert_eq!(namibia.len(), 1);
    assert_eq!((namibia[0]["amount_usd"].as_str(), namibia[0].get("cost_pct")), ("200.0", None));
    let notes = report.files[0].notes.join("\n");
    for said in [
        "5 services in 2 quarters",
        "US$ 200 3.7500 percent, over 2 transparent services",
        "2 services are alike",
        "1 services are not transparent",
        "10 numbers are written as text",
        "`cc1`: 1 amounts are blank, taken as US$ 200",
        "1 fees stand beside no amount sent",
        "states no edition",
        "1 blocks of an amount hold no price",
        "within 0.02 points in 7 of 7 prices",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    assert_eq!(s.rows("worldbank_rpw_firms_dataset_from_q2_2016").len(), 3, "staged as it is");
    assert_eq!(s.rows("worldbank_rpw_firms_dataset_up_to_q1_2016")[0]["sending_location"], "Not available");
}

#[test]
fn other_editions() {
    let s = Scratch::new();
    // Sheets of other names, a title above, a column the next edition drops or adds, prose below.
    let early = table(EARLY_HEADER, EARLY_ROWS);
    let mut late = table(LATE_HEADER, LATE_ROWS);
    late.insert(0, cells("Remittance Prices Worldwide"));
    late.push(cells("Source: invented"));
    let book = sheets(&[("Old", &early), ("Data 2016-2030", &late), ("Notes", &table("a|b", &[]))]);
    let report = s.import_bytes("a.xlsx", book).unwrap();
    assert_eq!(s.rows("corridor_price").len(), 9);
    assert!(report.files[0].notes.join("\n").contains("1 rows of prose"), "{report:?}");
    // One sheet only, as a CSV with names in capitals and no id, and a day of its own.
    let csv = [
        EARLY_HEADER.to_uppercase(),
        EARLY_ROWS[0].to_owned(),
        EARLY_ROWS[0].replace("|50|", "|60|").replace("6.5", "7.5"),
    ];
    let csv: Vec<String> = csv.iter().map(|l| l.split_once('|').unwrap().1.replace('|', ",") + ",\n").collect();
    let options = Options { vintage: Some(day("2011-12-31")), ..Options::default() };
    let path = s.put("b.csv", csv.concat() + &csv[1]);
    let report = s.import_with(&[path], &options).unwrap();
    let rows = s.rows_as_of("corridor_price", Some(day("2012-01-01")));
    assert_eq!(rows.len(), 4, "{rows:#?}");
    find(&rows, &[("service", "Same day; no. 2"), ("cost_pct", "7.5")]);
    assert!(report.files[0].notes.join("\n").contains("1 rows repeat another"), "{report:?}");
}

#[test]
fn a_service_entered_twice_is_kept_once() {
    let s = Scratch::new();
    let twice: Vec<&str> = LATE_ROWS.iter().chain(&LATE_ROWS[..1]).copied().collect();
    let report = s.import_bytes("a.xlsx", book(&table(EARLY_HEADER, EARLY_ROWS), &table(LATE_HEADER, &twice))).unwrap();
    assert_eq!(s.rows("corridor_price").len(), 9);
    assert!(report.files[0].notes.join("\n").contains("1 rows repeat another"), "{report:?}");
}

#[test]
fn what_is_wrong_is_named() {
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        let words = [&["rpw.xlsx"], words].concat();
        drop(s.refuses("rpw.xlsx", changed(from, to), &words));
    };
    refuses("|-0.5|1.5|", "|-0.5|1x5|", &[LATE, "row 2", "cc1 total cost %", "`1x5` is not a number"]);
    refuses(
        "2016_2Q|USA|United States|NAM",
        "2016|USA|United States|NAM",
        &["row 4", "period", "`2016` is not a quarter", "2011_1Q"],
    );
    refuses(
        "USA|United States|NAM|Namibia",
        "USA|United States|NAX|Namibia",
        &["row 4", "destination_code", "unknown country `NAX`", "Namibia"],
    );
    refuses("USA|United States|NAM", "WLD|World|NAM", &["row 4", "source_code", "aggregate"]);
    refuses("18.1|yes|||low", "18.1|maybe|||low", &["row 4", "transparent", "`maybe` is neither yes nor no"]);
    refuses("NAM|Namibia|Agile Cash", "NAM|Namibia|", &["row 4", "firm", "has no firm"]);
    refuses("|500|500|USD|5|", "|500|200|USD|5|", &["row 2", "two prices of sending US$ 200"]);
    refuses("|200|200|USD|4|", "|200|-200|USD|4|", &["row 2", "`-200` is no amount"]);
    // The same id and service with other prices: one of the two is wrong.
    refuses("'22|", "21|", &["row 3", "duplicate key", "id 21", "row 2", "other prices"]);
    let lacks = |from: &str, to: &str, words: &[&str]| {
        let words = [&["looks like `worldbank.rpw_firms`", LATE], words].concat();
        refuses(from, to, &words);
    };
    lacks("|period|", "|quarter|", &["`period`"]);
    lacks("cc1 total cost %", "cc1 cost", &["`cc1 total cost %`"]);
    lacks("note2", "firm", &["column `firm` stands twice"]);
    let whole = publishers();
    s.refuses("rpw.xlsx", &whole[..whole.len() / 2], &["rpw.xlsx"]);
    s.refuses("rpw.xlsx", book(&table(EARLY_HEADER, &[]), &table(LATE_HEADER, &[])), &["cut off"]);
}

#[test]
fn a_text_that_is_cut_is_refused() {
    let s = Scratch::new();
    let csv = [EARLY_HEADER, EARLY_ROWS[0], EARLY_ROWS[1]].join("\n").replace('|', ",");
    s.refuses("rpw.csv", csv.trim_end_matches(",TZAKSV").to_owned() + "\n", &["row 3", "has 32 cells, the header 33"]);
    let prices =
        ["id|period|source_code|destination_code|firm|transparent|cc1 total cost %", "1|2011_1Q|TZA|KEN|A|yes|6.5"];
    let prices = prices.join("\n").replace('|', ",");
    s.refuses("rpw.csv", prices.trim_end_matches('5'), &["row 2", "cut off"]);
    s.import_bytes("rpw.csv", prices + "\n").unwrap();
}

#[test]
fn the_publishers_sample() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    let report = s.import(&[data.join("rpw/rpw_firm_level_sample_2011.csv")]).unwrap();
    s.check_whole();
    let rows = s.rows("corridor_price");
    assert_eq!(rows.len(), 42);
    let of = |amount: &str| rows.iter().filter(|r| r["amount_usd"] == amount).cloned().collect::<Vec<_>>();
    assert_eq!(format!("{:.2}", sum(&of("200.0"), "cost_pct")), "267.79");
    assert_eq!(of("500.0").len(), 21);
    let opaque: Vec<_> = rows.iter().filter(|r| r["transparent"] == "false").collect();
    assert_eq!(opaque.len(), 2, "one service");
    assert!(opaque.iter().all(|r| !r.contains_key("fx_margin_pct") && r["provider"] == "Posta Kenya"));
    assert!(rows.iter().any(|r| r.get("fx_margin_pct").is_some_and(|m| m == "-0.41")));
    assert!(rows.iter().all(|r| r["vintage"] == "2011-09-30"), "{report:?}");
}

/// A sheet of the workbook saved as text, without cells that hold a comma.
fn as_text() -> String {
    [EARLY_HEADER, EARLY_ROWS[0], EARLY_ROWS[1]].map(|line| line.replace('|', ",") + "\n").concat()
}

#[test]
fn text_is_never_cut_silently() {
    let whole = as_text();
    let s = Scratch::new();
    for cut in (1..whole.len()).step_by(3).filter(|cut| !matches!(&whole[cut - 1..*cut], "\n")) {
        if &whole[cut..] != "\n" {
            s.refuses("rpw.csv", &whole[..cut], &["rpw.csv"]);
        }
    }
    assert!(!s.root().exists());
}

#[test]
fn damaged_bytes_are_rows_or_an_error() {
    let whole = as_text();
    let s = Scratch::new();
    for at in (0..whole.len()).step_by(29) {
        for byte in [0u8, b',', b'"', b'\n', 0xff] {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = byte;
            let path = s.put("rpw.csv", &bytes);
            // One that is no longer recognised is a plain table, which takes anything with a header.
            drop(s.import_with(&[path], &Options { source: Some("worldbank.rpw_firms".into()), ..Options::default() }));
        }
    }
    if s.root().exists() {
        s.check_whole();
    }
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![as_text().into_bytes(), publishers()]
}
