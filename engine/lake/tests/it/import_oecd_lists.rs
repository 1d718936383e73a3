//! Exports of OECD.Stat, deflators, code lists, lists of countries, Stata tables.

use rust_xlsxwriter::Workbook;

use crate::shared;
use crate::support::{Scratch, day};

const STAT: &str = "\"PART\",\"Part\",\"DATATYPE\",\"Amount type\",\"DAC_RECIPIENT\",\"Recipient\",\"TIME\",\"Year\",Value,Flags\n\
    \"1\",\"1 : Part I\",\"A\",\"Current Prices (USD millions)\",\"71\",\"Albania\",\"1988\",\"1988\",5.56,\n\
    \"1\",\"1 : Part I\",\"A\",\"Current Prices (USD millions)\",\"71\",\"Albania\",\"1989\",\"1989\",,\n\
    \"1\",\"1 : Part I\",\"D\",\"Constant Prices (2011 USD millions)\",\"71\",\"Albania\",\"1988\",\"1988\",9.5,E\n\
    \"1\",\"1 : Part I\",\"N\",\"Current Prices (National currency)\",\"71\",\"Albania\",\"1988\",\"1988\",70,\n";

#[test]
fn receipts_by_recipient() {
    let s = Scratch::new();
    let report = s
        .import_bytes("odf.csv", format!("{STAT}\n\"Data extracted on 06 Dec 2013 15:05 UTC (GMT) from OECD.Stat\"\n"));
    // Of the words for national currency only the amount type is known.
    let notes = report.unwrap().files[0].notes.join("\n");
    assert!(notes.contains("2 values of 1 recipients") && notes.contains("1 values in another currency"), "{notes}");
    let value = |indicator: &str| s.value("observation", &[("indicator", indicator), ("iso3", "ALB")], "value");
    assert_eq!((value("ODF.1.V"), value("ODF.1.Q")), (Some(5_560_000.0), Some(9_500_000.0)));
    let rows = s.rows("observation");
    assert!(rows.iter().all(|r| r["vintage"] == "2013-12-06" && r["source_id"] == "oecd.stat"), "{rows:?}");
    let constant = rows.iter().find(|r| r["indicator"] == "ODF.1.Q").unwrap();
    assert_eq!((constant["unit"].as_str(), constant["obs_status"].as_str()), ("US dollars at prices of 2011", "E"));
    let refuses = |from: &str, to: &str, words: &[&str]| drop(s.refuses("odf.csv", STAT.replacen(from, to, 1), words));
    refuses("5.56", "5.5.6", &["row 2", "Value", "`5.5.6`"]);
    refuses("\"71\"", "\"7199\"", &["row 2", "DAC_RECIPIENT", "7199"]);
    refuses("Current Prices", "Nominal Prices", &["row 2", "Amount type", "`Nominal Prices"]);
    refuses("\"1988\",\"1988\"", "\"19x8\",\"1988\"", &["row 2", "TIME", "`19x8`"]);
}

/// As the newer service's series: of two editions the newer one is seen, nothing is there twice.
#[test]
fn aid_of_the_old_service_is_in_the_series_of_the_new_one() {
    let s = Scratch::new();
    let old = "\"RECIPIENT\",\"Recipient\",\"DONOR\",\"Donor\",\"PART\",\"Part\",\"AIDTYPE\",\"Aid type\",\"DATATYPE\",\"Amount type\",\
        \"TIME\",\"Year\",\"Value\",\"Flag Codes\",\"Flags\"\n\
        \"248\",\"Kenya\",\"20001\",\"All Donors, Total\",\"1\",\"1 : Part I\",\"206\",\"ODA: Total Net\",\"A\",\"Current Prices (USD millions)\",\
        \"2005\",\"2005\",759,,\n\
        \"248\",\"Kenya\",\"4\",\"France\",\"1\",\"1 : Part I\",\"206\",\"ODA: Total Net\",\"A\",\"Current Prices (USD millions)\",\
        \"2005\",\"2005\",31,,\n";
    s.import_bytes("old.csv", format!("{old}\"Data extracted on 1 May 2014 from OECD.Stat\"\n")).unwrap();
    let aid = |donor: &str| s.value("aid_flow", &[("donor_code", donor), ("recipient_iso3", "KEN")], "aid_usd");
    assert_eq!((aid("ALLD"), aid("FRA")), (Some(759e6), Some(31e6)));
    let new = "DONOR,RECIPIENT,MEASURE,FLOW_TYPE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT\n\
        ALLD,KEN,206,D,V,2005,760,USD,6\n";
    s.import_bytes("new.csv", new).unwrap();
    assert_eq!((aid("ALLD"), aid("FRA"), s.rows("aid_flow").len()), (Some(760e6), Some(31e6), 2));
    let then = s.rows_as_of("aid_flow", Some(day("2015-01-01")));
    assert!(then.iter().any(|r| r["aid_usd"].starts_with("759")), "{then:?}");
}

fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (r, row) in (0..).zip(*rows) {
            for (c, text) in (0..).zip(*row).filter(|(_, text)| !text.is_empty()) {
                match text.parse::<f64>() {
                    Ok(number) => sheet.write_number(r, c, number).unwrap(),
                    Err(_) => sheet.write_string(r, c, *text).unwrap(),
                };
            }
        }
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn deflators() {
    let years = ["", "2008", "2009", "2010", "2011", "2012"];
    let rows: &[&[&str]] = &[
        &["Deflators for Resource Flows from DAC Donors a   (2011 = 100)"],
        &[],
        &years,
        &["France", "98", "95.5", "91", "100", "93"],
        &["Iceland", "0", "0", "0", "100", "96"],
        &["TOTAL DAC ", "92", "91", "95", "100", "98"],
        &["a) Including the effect of exchange rate changes."],
    ];
    let french: &[&[&str]] = &[
        &["Déflateurs pour les apports financiers des pays Membres du CAD a (2011 = 100)"],
        &[],
        &years,
        &["Islande", "0", "0", "0", "100", "96"],
        &["France", "98", "95.5", "91", "100", "93.5"],
    ];
    let s = Scratch::new();
    let report = s.import_bytes("deflators.xlsx", workbook(&[("Deflators", rows), ("Déflateurs", french)])).unwrap();
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("7 deflators of donors, 5 of groups") && notes.contains("index, 2011 = 100"), "{notes}");
    assert!(notes.contains("3 cells are empty or 0") && notes.contains("differs in 1 deflators"), "{notes}");
    let value = |iso3: &str, period: &str| s.value("observation", &[("iso3", iso3), ("period", period)], "value");
    assert_eq!((value("FRA", "2009-01-01"), value("ISL", "2010-01-01")), (Some(95.5), None));
    assert_eq!(s.rows("aggregate_observation")[0]["aggregate_code"], "DAC");
    let wrong: Vec<&[&str]> = rows
        .iter()
        .map(|r| if r.first() == Some(&"France") { &["Francia del Sur", "9", "9", "9", "9", "9"] } else { *r })
        .collect();
    s.refuses(
        "wrong.xlsx",
        workbook(&[("Deflators", &wrong)]),
        &["wrong.xlsx", "Deflators", "row 4", "Francia del Sur"],
    );
}

#[test]
fn recipients_of_a_year() {
    let rows: &[&[&str]] = &[
        &[
            "Recipient code",
            "Recipient name (EN)",
            "Recipient name (FR)",
            "ISOcode",
            "Region",
            "DAC_IncomeGroup",
            "",
            "note",
        ],
        &[
            "248",
            "Kenya",
            "Kenya",
            "KEN",
            "Eastern Africa",
            "LMICs",
            "",
            "This list is effective for reporting on 2023 flows.",
        ],
        &["288", "Zambia", "Zambie", "ZMB", "Eastern Africa", "LDCs"],
        &[
            "1027",
            "Eastern Africa, regional",
            "Afrique orientale, régional",
            "",
            "Eastern Africa",
            "Part I unallocated by income",
        ],
    ];
    let cover: &[&[&str]] = &[&["Updated March 2024", "Mise à jour mars 2024"]];
    let s = Scratch::new();
    let report = s.import_bytes("codes.xlsx", workbook(&[("web link", cover), ("Recipient", rows)])).unwrap();
    assert_eq!(report.files[0].edition.as_deref(), Some("2023 flows (2024-03-01)"));
    let members = s.rows("country_group");
    let recipients: Vec<_> = members.iter().filter(|r| r["group_kind"] == "dac_recipient").collect();
    assert_eq!(recipients.len(), 2, "the publisher's list takes the place of the one that comes with the program");
    assert!(recipients.iter().all(|r| r["valid_from"] == "2023-01-01"), "{recipients:?}");
    let alias = |text: &str| s.rows("country_alias").into_iter().find(|r| r["provider"] == "dac" && r["alias"] == text);
    assert_eq!(alias("Zambie").unwrap()["iso3"], "ZMB");
    let wrong: Vec<Vec<&str>> =
        rows.iter().map(|r| r.iter().map(|c| if *c == "LDCs" { "LLDCs" } else { *c }).collect()).collect();
    let wrong: Vec<&[&str]> = wrong.iter().map(Vec::as_slice).collect();
    s.refuses("wrong.xlsx", workbook(&[("Recipient", &wrong)]), &["Recipient", "row 3", "DAC_IncomeGroup", "`LLDCs`"]);
}

const COUNTRIES: [&str; 21] = [
    "AFG", "ALB", "DZA", "AND", "AGO", "ARG", "ARM", "AUS", "AUT", "AZE", "BHS", "BHR", "BGD", "BRB", "BLR", "BEL",
    "BLZ", "BEN", "BTN", "BOL", "NAM",
];

#[test]
fn lists_of_countries_become_aliases() {
    let s = Scratch::new();
    let mut text = String::from("numcode,name,code\n");
    for (n, code) in (1..).zip(COUNTRIES) {
        text += &format!("{n},Land {n},{code}\n");
    }
    let names: String = COUNTRIES.map(|code| format!("\"{code}\": [\"pays {code}\", \"même\"]")).join(",");
    let alias = |provider: &str, text: &str| {
        s.rows("country_alias")
            .into_iter()
            .find(|r| r["provider"] == provider && r["alias"] == text)
            .map(|r| r["iso3"].clone())
    };
    s.import_bytes("codes.csv", text + "999,Atlantis,ATL\n").unwrap();
    assert_eq!(alias("un_m49", "Land 21").as_deref(), Some("NAM"));
    assert_eq!(alias("un_m49", "Atlantis"), None);
    let report = s.import_bytes("fr.json", format!("{{\"locale\": \"fr\", \"countries\": {{{names}}}}}")).unwrap();
    assert_eq!(alias("iso_fr", "pays BOL").as_deref(), Some("BOL"));
    assert_eq!(alias("iso_fr", "même"), None, "a name of two economies is the name of neither");
    assert!(report.files[0].notes.iter().any(|n| n.contains("left out: même")), "{report:?}");
    let tuples: String = COUNTRIES.map(|code| format!("[\"{}\", \"{code}\", \"000\", \"\"]", &code[..2])).join(",");
    s.import_bytes("codes.json", format!("[{tuples}]")).unwrap();
    assert_eq!(alias("iso_codes", "NAM").as_deref(), Some("NAM"));
}

#[test]
fn every_file_of_the_publishers_is_known() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    let report = s.import(&[data]).unwrap();
    let strangers: Vec<&str> = report.files.iter().filter(|f| f.source_id.is_none()).map(|f| f.file.as_str()).collect();
    assert_eq!(strangers, ["README.md"]);
    let groups = s.rows("country_group");
    let count =
        |code: &str| groups.iter().filter(|r| r["group_kind"] == "dac_recipient" && r["group_code"] == code).count();
    assert_eq!(["LDC", "OLIC", "LMIC", "UMIC"].map(count), [46, 2, 38, 56]);
    let value = |indicator: &str, iso3: &str, period: &str| {
        s.value("observation", &[("indicator", indicator), ("iso3", iso3), ("period", period)], "value")
    };
    assert_eq!(value("ODF.1.V", "ALB", "1988-01-01"), Some(5_560_000.0));
    assert_eq!(value("DAC.DEFLATOR", "FRA", "2011-01-01"), Some(100.0));
    assert_eq!(value("DAC.DEFLATOR", "KOR", "1964-01-01"), None, "0 is no deflator");
    let alias = |provider: &str, text: &str| {
        s.rows("country_alias")
            .into_iter()
            .find(|r| r["provider"] == provider && r["alias"] == text)
            .map(|r| r["iso3"].clone())
    };
    assert_eq!(alias("iso_ar", "ألبانيا").as_deref(), Some("ALB"));
    assert_eq!(alias("ocha", "NA").as_deref(), Some("NAM"), "Namibia, not missing");
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let deflators: &[&[&str]] = &[
        &["Deflators for Resource Flows from DAC Donors (2011 = 100)"],
        &["", "2008", "2009", "2010", "2011", "2012"],
        &["France", "98", "95.5", "91", "100", "93"],
    ];
    let recipients: &[&[&str]] = &[
        &["Recipient code", "Recipient name (EN)", "Recipient name (FR)", "ISOcode", "Region", "DAC_IncomeGroup"],
        &["248", "Kenya", "Kenya", "KEN", "Eastern Africa", "LMICs"],
    ];
    let names: String = COUNTRIES.map(|code| format!("\"{code}\": \"pays {code}\"")).join(",");
    let codes: String = COUNTRIES.map(|code| format!("1,Land,{code}\n")).concat();
    vec![
        STAT.as_bytes().to_vec(),
        workbook(&[("Deflators", deflators)]),
        workbook(&[("Recipient", recipients)]),
        format!("{{\"locale\": \"fr\", \"countries\": {{{names}}}}}").into_bytes(),
        format!("numcode,name,code\n{codes}").into_bytes(),
    ]
}
