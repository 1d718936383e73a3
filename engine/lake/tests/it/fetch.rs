//! Fetching from a publisher that behaves: forms, editions, pages, what did not change, and the import.

use envoi_lake::fetch::{Request, State};
use envoi_lake::import::{Options, import};

use crate::fetch_support::{Desk, bytes_of, rates, request, states};
use crate::server::{Reply, Server};
use crate::support::{DAC2A, Scratch, WDI_ODA, WDI_REMITTANCES, fixture_bytes, fixture_text, run, zipped};

const ECB: &str = "www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip";

#[test]
fn an_indicator_for_each_value_comes_into_the_lake() {
    let server = Server::new(|asked, _| {
        let name = if asked.at.contains("BX.TRF") { WDI_REMITTANCES } else { WDI_ODA };
        Reply::ok(zipped(&[("API.csv", &fixture_bytes(name)), ("read me.txt", b"prose, of nobody")]))
    });
    let (desk, s) = (Desk::new(&server), Scratch::new());
    let fetched =
        desk.fetch("worldbank.wdi", None, &["indicator=BX.TRF.PWKR.CD.DT", "indicator=DT.ODA.ALLD.CD"]).unwrap();
    assert_eq!(states(&fetched), [State::New; 2]);
    let at = |code: &str| format!("api.worldbank.org/v2/en/indicator/{code}?downloadformat=csv");
    assert_eq!(server.addresses(), [at("BX.TRF.PWKR.CD.DT"), at("DT.ODA.ALLD.CD")]);
    let asked = &server.asked()[0];
    assert!(asked.header("user-agent").unwrap().starts_with("envoi/"), "{asked:?}");
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert!(asked.header("cookie").is_none() && asked.header("authorization").is_none(), "{asked:?}");
    let paths: Vec<_> = fetched.iter().map(|f| f.path.clone()).collect();
    let options = Options { expected: Some("worldbank.wdi".to_owned()), ..Options::default() };
    let report = run(import(&s.lake, &paths, &options, &|_| {})).unwrap();
    assert_eq!((report.version, s.rows("observation").len()), (1, 24 + 18), "both in one version");
}

#[test]
fn what_is_not_of_the_dataset_is_not_kept_as_a_table_of_nobody() {
    let s = Scratch::new();
    let path = s.put("dac2a.csv", "a,b\n1,2\n");
    let expected = |id: &str| Options { expected: Some(id.to_owned()), ..Options::default() };
    s.refuses_with(&[path], &expected("oecd.dac2a"), &["dac2a.csv: is not recognised as `oecd.dac2a`"]);
    let path = s.put("dac2a.csv", fixture_text(DAC2A));
    s.refuses_with(&[path], &expected("ecb.fx"), &["is of `oecd.dac2a`, not of `ecb.fx`"]);
}

#[test]
fn unchanged_at_the_publisher() {
    let body = rates(40);
    let server = Server::new(move |asked, _| {
        Reply::file(asked, "\"v1\"", &body).with("last-modified", "Fri, 02 Jan 2026 10:00:00 GMT")
    });
    let desk = Desk::new(&server);
    let first = desk.rates().unwrap();
    assert_eq!(desk.names(), ["eurofxref-hist.zip", "eurofxref-hist.zip.fetch", "lock"]);
    let modified = std::fs::metadata(&first[0].path).unwrap().modified().unwrap();
    let modified = chrono::DateTime::<chrono::Utc>::from(modified);
    assert_eq!(modified.to_rfc3339(), "2026-01-02T10:00:00+00:00", "dated as the publisher dates it");
    let second = desk.rates().unwrap();
    assert_eq!((states(&second), &second[0].sha256), (vec![State::Unchanged], &first[0].sha256));
    let asked = server.asked();
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(asked[1].header("if-none-match"), Some("\"v1\""));
    assert_eq!(asked[1].header("if-modified-since"), Some("Fri, 02 Jan 2026 10:00:00 GMT"));
    // In the lake the second brings nothing.
    let s = Scratch::new();
    assert!(s.import(&[first[0].path.clone()]).unwrap().changed);
    assert!(!s.import(&[second[0].path.clone()]).unwrap().changed);
    // What was changed here is fetched anew.
    std::fs::write(&first[0].path, "spoilt").unwrap();
    assert_eq!(states(&desk.rates().unwrap()), [State::New]);
    assert_eq!(server.asked()[2].header("if-none-match"), None);
    // So is all of it when the user says so.
    let again = Request { again: true, ..Request::default() };
    assert_eq!(states(&desk.fetch_with("ecb.fx", &again).unwrap()), [State::New]);
    assert_eq!(server.asked()[3].header("if-none-match"), None);
}

#[test]
fn a_publisher_without_conditions() {
    let body = rates(40);
    let server = Server::new(move |_, number| match number {
        // The same mark, and the whole file all the same.
        0 | 1 => Reply::ok(&body).with("etag", "\"v1\""),
        // No mark at all.
        2 | 3 => Reply::ok(rates(41)),
        _ => Reply::ok(rates(42)),
    });
    let desk = Desk::new(&server);
    let seen: Vec<_> = (0..5).map(|_| states(&desk.rates().unwrap())[0]).collect();
    assert_eq!(seen, [State::New, State::Unchanged, State::New, State::Same, State::New]);
    assert_eq!(desk.whole(), ["eurofxref-hist.zip"]);
}

#[test]
fn days_that_are_none() {
    for day in
        ["Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan +99999 00:00:00 GMT", "now"]
    {
        let server = Server::new(move |_, _| Reply::ok(rates(40)).with("last-modified", day));
        let desk = Desk::new(&server);
        let fetched = desk.rates().unwrap();
        let modified = std::fs::metadata(&fetched[0].path).unwrap().modified().unwrap();
        assert!(modified.elapsed().unwrap() < std::time::Duration::from_secs(3600), "{day}");
    }
}

#[test]
fn pages_of_an_answer() {
    let page = |number: u32, edition: &str| {
        let record = |year: u32| {
            format!(
                r#"{{"indicator":{{"id":"SP.POP.TOTL","value":"Population, total"}},"country":{{"id":"MX","value":"Mexico"}},"countryiso3code":"MEX","date":"{year}","value":{year}000,"unit":"","obs_status":"","decimal":0}}"#
            )
        };
        let records = [record(1990 + 2 * number), record(1991 + 2 * number)].join(",");
        format!(r#"[{{"page":{number},"pages":3,"per_page":2,"total":6,"lastupdated":"{edition}"}},[{records}]]"#)
    };
    let server = Server::new(move |asked, number| {
        let wanted: u32 = asked.at.rsplit_once("&page=").unwrap().1.parse().unwrap();
        // A new edition is put in place between the first page and the second.
        Reply::ok(page(wanted, if number == 0 { "2025-07-01" } else { "2026-01-01" }))
    });
    let (desk, s) = (Desk::new(&server), Scratch::new());
    let values = ["indicator=SP.POP.TOTL"];
    let fetched = desk.fetch("worldbank.wdi", Some("json"), &values).unwrap();
    assert_eq!((fetched.len(), server.asked().len()), (3, 2 + 3), "pages of two editions are not mixed");
    let first = "api.worldbank.org/v2/country/all/indicator/SP.POP.TOTL?format=json&per_page=20000&page=1";
    assert_eq!(server.addresses()[0], first);
    assert_eq!(desk.whole(), ["SP.POP.TOTL-1.json", "SP.POP.TOTL-2.json", "SP.POP.TOTL-3.json"]);
    let paths: Vec<_> = fetched.iter().map(|f| f.path.clone()).collect();
    s.import(&paths).unwrap();
    assert_eq!(s.rows("observation").len(), 6);
    // Offline the same pages.
    let offline = Request { offline: true, ..request(Some("json"), &values) };
    assert_eq!(states(&desk.fetch_with("worldbank.wdi", &offline).unwrap()), [State::Kept; 3]);
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn an_edition_that_keeps_changing() {
    let server = Server::new(|_, number| {
        Reply::ok(format!(r#"[{{"page":1,"pages":2,"per_page":2,"total":4,"lastupdated":"{number}"}},[]]"#))
    });
    let desk = Desk::new(&server);
    let message = desk.fetch("worldbank.wdi", Some("json"), &["indicator=SP.POP.TOTL"]).unwrap_err().to_string();
    assert!(message.contains("changed the edition while its pages were fetched"), "{message}");
}

#[test]
fn an_api_that_refuses_with_status_200() {
    let said =
        r#"[{"message":[{"id":"120","key":"Invalid value","value":"The provided parameter value is not valid"}]}]"#;
    let server = Server::new(move |_, _| Reply::ok(said));
    let desk = Desk::new(&server);
    let message = desk.fetch("worldbank.wdi", Some("json"), &["indicator=NO.SUCH"]).unwrap_err().to_string();
    assert!(
        message.contains("something else than data: `[{\"message\"") && message.contains("Invalid value"),
        "{message}"
    );
    assert_eq!(desk.whole(), Vec::<String>::new());
    let message = desk.fetch("worldbank.wdi", None, &["indicator=NO.SUCH"]).unwrap_err().to_string();
    assert!(
        message.contains("answered with JSON (`[{\"message\"") && message.contains("instead of a zip archive"),
        "{message}"
    );
}

#[test]
fn the_newest_version_of_a_dataflow() {
    let server = Server::new(|asked, _| match asked.at.contains("/dataflow/") {
        true => Reply::ok(
            r#"<?xml version="1.0"?><message:Structure xmlns:message="m" xmlns:structure="s"><message:Structures><structure:Dataflows>
                <structure:Dataflow id="DSD_DAC2@DF_DAC2A" agencyID="OECD.DCD.FSD" version="1.9"/>
                <structure:Dataflow id="DSD_DAC2@DF_DAC2A" agencyID="OECD.DCD.FSD" version="1.10"/>
                <structure:Dataflow id="DSD_DAC1@DF_DAC1" agencyID="OECD.DCD.FSD" version="2.0"/>
                </structure:Dataflows></message:Structures></message:Structure>"#,
        ),
        false => Reply::ok(fixture_bytes(DAC2A)),
    });
    let (desk, s) = (Desk::new(&server), Scratch::new());
    let fetched = desk.fetch("oecd.dac2a", None, &["recipient=MEX+PHL"]).unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].at, "sdmx.oecd.org/public/rest/dataflow/OECD.DCD.FSD/DSD_DAC2@DF_DAC2A/");
    assert_eq!(asked[0].header("accept"), Some("application/vnd.sdmx.structure+xml; version=2.1"));
    assert_eq!(
        asked[1].at,
        "sdmx.oecd.org/public/rest/data/OECD.DCD.FSD,DSD_DAC2@DF_DAC2A,1.10/ALLD.MEX%2BPHL.206.USD.V?startPeriod=1960&dimensionAtObservation=AllDimensions&format=csvfile"
    );
    assert_eq!(desk.whole(), ["dac2a-1.10-ALLD.MEX+PHL.206.V-1960.csv"]);
    assert!(s.import(&[fetched[0].path.clone()]).unwrap().changed);
    assert_eq!(s.rows("aid_flow").len(), 5);
}

#[test]
fn the_newest_file_of_a_catalogue() {
    let book = crate::workbooks::sheets(&[]);
    let server = Server::new(move |asked, _| match asked.at.as_str() {
        "ddh-openapi.worldbank.org/datasets/0037898" => Reply::ok(
            r#"{"dataset_unique_id":"0037898","Resources":[
                {"name":"old","url":"https://datacatalogfiles.worldbank.org/ddh-published/0037898/DR0095523/rpw_dataset_2011_2024_q4.xlsx"},
                {"name":"new","distribution":{"url":"https://datacatalogfiles.worldbank.org/ddh-published/0037898/DR0095524/rpw_dataset_2011_2025_q3.xlsx"}},
                {"name":"other","url":"https://evil.example/ddh-published/0037898/DR1/rpw_dataset_2011_2099_q4.xlsx"}]}"#,
        ),
        _ => Reply::ok(&book),
    });
    let desk = Desk::new(&server);
    let fetched = desk.fetch("worldbank.rpw_firms", None, &[]).unwrap();
    let newest = "datacatalogfiles.worldbank.org/ddh-published/0037898/DR0095524/rpw_dataset_2011_2025_q3.xlsx";
    assert_eq!(server.addresses()[1], newest);
    assert_eq!(desk.whole(), ["rpw_dataset_2011_2025_q3.xlsx"]);
    // Offline the newest of what is here is taken.
    let offline = Request { offline: true, ..Request::default() };
    let kept = desk.fetch_with("worldbank.rpw_firms", &offline).unwrap();
    assert_eq!((states(&kept), &kept[0].path), (vec![State::Kept], &fetched[0].path));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn offline_without_a_download() {
    let server = Server::new(|_, _| Reply::status(500));
    let desk = Desk::new(&server);
    let offline = Request { offline: true, ..Request::default() };
    for id in ["ecb.fx", "worldbank.rpw_firms", "worldbank.wdi"] {
        let message = desk.fetch_with(id, &offline).unwrap_err().to_string();
        assert!(
            message.contains("was not fetched before") && message.contains("download it by hand from https://"),
            "{message}"
        );
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_publisher_that_wants_another_agent() {
    let book = crate::workbooks::sheets(&[]);
    let server = Server::new(move |asked, _| {
        let browser = asked.header("user-agent").is_some_and(|a| a.starts_with("Mozilla/5.0 (compatible; envoi/"));
        if browser { Reply::ok(&book) } else { Reply::status(403) }
    });
    let desk = Desk::new(&server);
    assert_eq!(desk.fetch("undesa.migrant_stock", None, &["edition=2020"]).unwrap().len(), 2);
    assert!(server.addresses()[0].ends_with("/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx"));
    let desk = Desk::new(&server);
    let told = desk.refuses(&[ECB, "answered 403 Forbidden", "it refuses this program, or this network"]);
    assert!(told.contains("download it by hand from https://www.ecb.europa.eu/stats/policy"), "{told}");
    assert_eq!(desk.waits(), [0; 0], "what is forbidden stays so");
}

#[test]
fn the_checksum_that_the_user_knows() {
    let body = rates(40);
    let server = Server::new(move |asked, _| Reply::file(asked, "\"v1\"", &body));
    let desk = Desk::new(&server);
    let found = desk.rates().unwrap()[0].sha256.clone();
    std::fs::remove_dir_all(desk.downloads()).unwrap();
    let with = |sha256: &str| Request { sha256: Some(sha256.to_owned()), ..Request::default() };
    assert_eq!(states(&desk.fetch_with("ecb.fx", &with(&found.to_uppercase())).unwrap()), [State::New]);
    let asked = server.asked().len();
    assert_eq!(states(&desk.fetch_with("ecb.fx", &with(&found)).unwrap()), [State::Unchanged]);
    assert_eq!(server.asked().len(), asked, "what is known to be right need not be asked for");
    let other = "0".repeat(64);
    let message = desk.fetch_with("ecb.fx", &with(&other)).unwrap_err().to_string();
    assert!(message.contains(&format!("has checksum {found}, not {other}")), "{message}");
    std::fs::remove_dir_all(desk.downloads()).unwrap();
    let message = desk.fetch_with("ecb.fx", &with(&other)).unwrap_err().to_string();
    assert!(message.contains(&format!("has checksum {found}, not {other}")), "{message}");
    assert_eq!(desk.names(), ["lock"], "a file of another checksum is not kept");
    for (id, sha256, words) in
        [("ecb.fx", "abc", "is no SHA-256"), ("worldbank.wdi", &other, "a checksum is of one file")]
    {
        let message = desk.fetch_with(id, &with(sha256)).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_dataset_without_an_address() {
    let server = Server::new(|_, _| Reply::status(500));
    let message = Desk::new(&server).fetch("sbp.remittances", None, &[]).unwrap_err().to_string();
    assert!(message.contains("has no public address") && message.contains("by hand from https://"), "{message}");
}

#[test]
fn bytes_are_those_that_were_sent() {
    let body = rates(3000);
    let sent = body.clone();
    let server = Server::new(move |_, _| Reply::ok(&sent).unmeasured());
    let desk = Desk::new(&server);
    assert_eq!(bytes_of(&desk.rates().unwrap()[0].path), body);
}
