//! World Development Indicators: CSV, XLSX, zip, metadata, editions.

use envoi_lake::import::Options;

use crate::support::{Scratch, WDI_ODA, WDI_REMITTANCES, day, fixture, fixture_bytes, fixture_text, sum, zipped};
use crate::workbooks::{V, sheets};

const METADATA: &str = "worldbank/Metadata_Country_API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";
const DEFINITION: &str = "worldbank/Metadata_Indicator_API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv";
const RECEIVED: &str = "BX.TRF.PWKR.CD.DT";

#[test]
fn folder_of_fixtures() {
    let s = Scratch::new();
    let report = s.import(&[fixture("worldbank")]).unwrap();
    assert!(report.changed);
    s.check_whole();
    let rows: Vec<_> = s.rows("observation").into_iter().filter(|r| r["indicator"] == RECEIVED).collect();
    assert_eq!((rows.len(), sum(&rows, "value")), (24, 62_528_500_000.5));
    assert!(rows.iter().all(|r| r["vintage"] == "2025-07-01" && r["unit"] == "current US dollars"));
    assert!(rows.iter().all(|r| !["WLD", "LMY", "INX"].contains(&r["iso3"].as_str())), "an aggregate among economies");
    assert_eq!(s.rows("aggregate_observation").len(), 9);
    let cell =
        |iso3, period| s.value("observation", &[("indicator", RECEIVED), ("iso3", iso3), ("period", period)], "value");
    assert_eq!(cell("NAM", "2021-01-01"), Some(47_500_000.0));
    assert_eq!(cell("NAM", "2020-01-01"), None, "missing is absent");
    assert_eq!(cell("SYR", "2020-01-01"), Some(0.0), "zero is zero");
    assert_eq!(cell("XKX", "2023-01-01"), Some(1.5e9));
    let oda = [("indicator", "DT.ODA.ALLD.CD"), ("iso3", "NAM"), ("period", "2021-01-01")];
    assert_eq!(s.value("observation", &oda, "value"), Some(-2_500_000.25));
    // The newer metadata moved Namibia; the older edition is still there for its day.
    let income = |as_of| {
        let mut rows = s.rows_as_of("country_group", as_of);
        rows.retain(|r| r["iso3"] == "NAM" && r["group_kind"] == "income");
        rows.into_iter().map(|r| r["group_code"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((income(None), income(Some(day("2025-08-01")))), (vec!["UMC".to_owned()], vec!["LMC".to_owned()]));
    let syria = s.rows("country_group").into_iter().find(|r| r["iso3"] == "SYR" && r["group_kind"] == "region");
    assert_eq!(syria.unwrap()["group_code"], "MEA");
    let indicator = s.rows("indicator").into_iter().find(|r| r["indicator"] == RECEIVED).unwrap();
    assert_eq!(indicator["definition"], "What residents receive from abroad, in our own words.");
}

#[test]
fn zip_of_the_api() {
    let s = Scratch::new();
    let bytes = zipped(&[
        ("API_BX_101.csv", &fixture_bytes(WDI_REMITTANCES)),
        ("Metadata_Country_101.csv", &fixture_bytes(METADATA)),
        ("Metadata_Indicator_101.csv", &fixture_bytes(DEFINITION)),
        ("__MACOSX/._API_BX_101.csv", b"\"never closed"),
    ]);
    let report = s.import_bytes("BX.zip", bytes).unwrap();
    assert_eq!(s.rows("observation").len(), 24);
    assert!(report.files.iter().any(|f| f.file == "BX.zip/API_BX_101.csv" && f.rows > 0), "{report:?}");
}

#[test]
fn renamed_files_still_belong_together() {
    let s = Scratch::new();
    s.put("remittances.csv", fixture_bytes(WDI_REMITTANCES));
    s.put("groups.csv", fixture_bytes(METADATA));
    s.put("words.csv", fixture_bytes(DEFINITION));
    s.import(&[s.inbox()]).unwrap();
    let rows = s.rows("country_group");
    assert!(rows.iter().any(|r| r["source_id"] == "worldbank.wdi" && r["vintage"] == "2025-07-01"));
    assert!(s.rows("indicator")[0].contains_key("definition"));
}

#[test]
fn metadata_alone_needs_its_date() {
    let s = Scratch::new();
    s.refuses_with(&[fixture(METADATA)], &Options::default(), &["Metadata_Country", "names no edition", "--vintage"]);
    let options = Options { vintage: Some(day("2025-07-01")), ..Options::default() };
    s.import_with(&[fixture(METADATA)], &options).unwrap();
    assert!(s.rows("country_group").iter().any(|r| r["vintage"] == "2025-07-01"));
}

/// The fixture as the API's workbook.
fn workbook(years_as_text: bool, kenya_2019: f64) -> Vec<u8> {
    let name = "Personal remittances, received (current US$)";
    let year = |text, number| if years_as_text { V::T(text) } else { V::N(number) };
    let row = |country, code, a, b| vec![V::T(country), V::T(code), V::T(name), V::T(RECEIVED), a, b];
    let labels = ["Country Name", "Country Code", "Indicator Name", "Indicator Code"].map(V::T);
    let header = labels.into_iter().chain([year("2019", 2019.0), year("2020", 2020.0)]).collect();
    let data = [
        vec![V::T("Data Source"), V::T("World Development Indicators")],
        vec![V::T("Last Updated Date"), V::T("2025-07-01")],
        vec![],
        header,
        row("Kenya", "KEN", V::N(kenya_2019), V::N(3.1e9)),
        row("World", "WLD", V::N(7e11), V::E),
    ];
    let groups = [
        ["Country Code", "Region", "IncomeGroup"].map(V::T).to_vec(),
        ["KEN", "Sub-Saharan Africa", "Lower middle income"].map(V::T).to_vec(),
        vec![V::T("WLD")],
    ];
    let words = [
        ["INDICATOR_CODE", "INDICATOR_NAME", "SOURCE_NOTE"].map(V::T).to_vec(),
        [RECEIVED, name, "Words."].map(V::T).to_vec(),
    ];
    sheets(&[("Data", &data), ("Metadata - Countries", &groups), ("Metadata - Indicators", &words)])
}

#[test]
fn workbooks_with_years_as_text_or_number() {
    for text in [true, false] {
        let s = Scratch::new();
        s.import_bytes("wdi.xlsx", workbook(text, 2.8e9)).unwrap();
        assert_eq!((s.rows("observation").len(), s.rows("aggregate_observation").len()), (2, 1));
    }
}

/// The same two economies and years as CSV.
fn short_csv(kenya_2019: &str) -> String {
    let name = "\"Personal remittances, received (current US$)\",\"BX.TRF.PWKR.CD.DT\"";
    format!(
        "\"Data Source\",\"World Development Indicators\",\n\n\"Last Updated Date\",\"2025-07-01\",\n\n\
         \"Country Name\",\"Country Code\",\"Indicator Name\",\"Indicator Code\",\"2019\",\"2020\",\n\
         \"Kenya\",\"KEN\",{name},\"{kenya_2019}\",\"3100000000\",\n\"World\",\"WLD\",{name},\"700000000000\",\"\",\n"
    )
}

#[test]
fn csv_and_workbook_of_one_edition_are_one() {
    let s = Scratch::new();
    s.put("a.csv", short_csv("2800000000"));
    s.put("b.xlsx", workbook(true, 2.8e9));
    s.import(&[s.inbox()]).unwrap();
    assert_eq!(s.rows("observation").len(), 2);
    assert_eq!(s.rows("indicator")[0]["definition"], "Words.", "the one that knows more is kept");
    let s = Scratch::new();
    s.put("a.csv", short_csv("2800000001"));
    s.put("b.xlsx", workbook(true, 2.8e9));
    s.refuses_with(&[s.inbox()], &Options::default(), &["b.xlsx", "a.csv", "2025-07-01", RECEIVED]);
}

#[test]
fn many_indicators_in_one_file() {
    let s = Scratch::new();
    let text = fixture_text(WDI_REMITTANCES);
    let (head, _) = text.split_at(text.find("\"Kenya\"").unwrap());
    let body: String = (0..30)
        .map(|i| {
            format!(
                "\"Kenya\",\"KEN\",\"Made up {i} (persons)\",\"XX.MADE.UP.{i:03}\",\"1\",\"2\",\"\",\"\",\"\",\"\",\r\n"
            )
        })
        .collect();
    s.import_bytes("many.csv", format!("{head}{body}")).unwrap();
    assert_eq!((s.rows("observation").len(), s.rows("indicator").len()), (60, 30));
    assert!(s.rows("observation").iter().all(|r| r["unit"] == "persons"));
}

#[test]
fn an_older_edition_after_a_newer_one_stays_behind_it() {
    let s = Scratch::new();
    s.import(&[fixture(WDI_REMITTANCES)]).unwrap();
    let old = fixture_text(WDI_REMITTANCES).replace("2025-07-01", "2023-05-10").replace("47500000", "46000000");
    assert!(s.import_bytes("old.csv", old).unwrap().changed);
    let key = [("iso3", "NAM"), ("period", "2021-01-01")];
    assert_eq!(s.value("observation", &key, "value"), Some(47_500_000.0));
    let then = s.rows_as_of("observation", Some(day("2024-01-01")));
    assert!(then.iter().any(|r| r["value"].parse() == Ok(46_000_000.0)), "{then:?}");
    assert!(s.rows_as_of("observation", Some(day("2020-01-01"))).is_empty());
    let manifest = s.manifest();
    assert_eq!(manifest.sources.iter().filter(|e| e.source_id == "worldbank.wdi").count(), 2);
}

#[test]
fn a_second_import_makes_no_version() {
    let s = Scratch::new();
    let first = s.import(&[fixture("worldbank")]).unwrap();
    let before = s.snapshot();
    let again = s.import(&[fixture("worldbank")]).unwrap();
    assert_eq!((again.changed, again.version), (false, first.version));
    assert!(s.snapshot() == before);
    let renamed = s.import_bytes("another name.csv", fixture_bytes(WDI_ODA)).unwrap();
    assert!(!renamed.changed, "recognised by checksum");
}

/// The bulk archive: no preamble, a phantom column, its own names of metadata columns.
fn bulk(day: Option<(u16, u8, u8)>) -> Vec<u8> {
    use std::io::Write;
    let data = "Country Name,Country Code,Indicator Name,Indicator Code,2022,2023,\n\
        Africa Eastern and Southern,AFE,\"Personal remittances, received (current US$)\",BX.TRF.PWKR.CD.DT,,5,\n\
        Mexico,MEX,\"Personal remittances, received (current US$)\",BX.TRF.PWKR.CD.DT,61103670000,,\n\
        Mexico,MEX,\"Population, total\",SP.POP.TOTL,127504125,128455567,\n";
    let countries = "Country Code,Short Name,Table Name,Region,Income Group,Special Notes\n\
        AFE,Africa Eastern and Southern,,,,\nMEX,Mexico,Mexico,Latin America & Caribbean,Upper middle income,x\n";
    let series = "Series Code,Topic,Indicator Name,Short definition,Long definition,\n\
        BX.TRF.PWKR.CD.DT,t,\"Personal remittances, received (current US$)\",,Transfers of workers.,\n\
        SP.POP.TOTL,t,\"Population, total\",,All residents.,\n";
    let notes = "CountryCode,SeriesCode,Year,DESCRIPTION\nMEX,SP.POP.TOTL,YR2022,estimate\n";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in
        [("WDICSV.csv", data), ("WDICountry.csv", countries), ("WDISeries.csv", series), ("WDIFootNote.csv", notes)]
    {
        let mut options = zip::write::SimpleFileOptions::default();
        if let Some((year, month, day)) = day {
            let time = zip::DateTime::from_date_and_time(year, month, day, 12, 0, 0).unwrap();
            options = options.last_modified_time(time);
        }
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn the_bulk_archive() {
    let s = Scratch::new();
    let path = s.put("WDI_CSV.zip", bulk(Some((2026, 1, 29))));
    let report = s.import(&[path]).unwrap();
    s.check_whole();
    let notes = format!("{report:?}");
    assert!(notes.contains("vintage 2026-01-29 is the day of the newest file in its archive"), "{notes}");
    let rows = s.rows("observation");
    assert_eq!((rows.len(), s.rows("aggregate_observation").len()), (3, 1));
    assert!(rows.iter().all(|r| r["vintage"] == "2026-01-29"));
    let income = s.rows("country_group").into_iter().find(|r| r["iso3"] == "MEX" && r["group_kind"] == "income");
    assert_eq!(income.unwrap()["group_code"], "UMC");
    let indicators = s.rows("indicator");
    assert_eq!(indicators.len(), 2);
    assert!(indicators.iter().any(|r| r["definition"] == "Transfers of workers."));
    // A day that is not known, and one that the user knows better.
    let s = Scratch::new();
    s.refuses("WDI_CSV.zip", bulk(None), &["WDICSV.csv", "--vintage"]);
    let path = s.put("WDI_CSV.zip", bulk(None));
    s.import_with(&[path], &Options { vintage: Some(day("2026-01-30")), ..Options::default() }).unwrap();
    assert!(s.rows("observation").iter().all(|r| r["vintage"] == "2026-01-30"));
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    vec![workbook(true, 1.0), workbook(false, 1.0), short_csv("1").into_bytes(), bulk(None)]
}
