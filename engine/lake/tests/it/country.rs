//! Which economy a publisher means, against the publishers' own files.
// Clippy takes only functions marked `#[test]` for tests, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader, open_workbook_auto};
use envoi_lake::country::{Concordance, Match, Provider};
use envoi_lake::{Class, Place};

use Provider::{Any, Knomad, Oecd, UnDesa, WorldBank};

fn table() -> &'static Concordance {
    Concordance::embedded().unwrap()
}

/// The code an economy got, `group` for an aggregate, `-` for nothing.
fn say(provider: Provider, text: &str) -> String {
    match table().lookup(provider, text) {
        Some(Match::Economy(iso3)) => iso3.to_string(),
        Some(Match::Aggregate { .. }) => "group".to_owned(),
        None => "-".to_owned(),
    }
}

#[track_caller]
fn all_say(pairs: &[(&str, &str)]) {
    for (text, want) in pairs {
        for provider in [Any, WorldBank, Knomad, UnDesa, Oecd] {
            assert_eq!(say(provider, text), *want, "{text} for {provider:?}");
        }
    }
}

/// A file of the shared inputs. They do not ship with the project; without them the test
/// says so and passes.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("NOTICE: ../shared/data/{name} is not here, its names were NOT checked");
    None
}

/// Cells of a sheet, as text, by row.
fn sheet(path: &Path, index: usize) -> Vec<Vec<String>> {
    let mut book = open_workbook_auto(path).unwrap();
    let range = book.worksheet_range_at(index).unwrap().unwrap();
    let text = |c: &Data| match c {
        Data::Float(f) => format!("{f}"),
        Data::Int(i) => format!("{i}"),
        Data::String(s) => s.clone(),
        _ => String::new(),
    };
    range.rows().map(|r| r.iter().map(text).collect()).collect()
}

/// Every text must be known to the provider; returns how many economies and how many groups.
#[track_caller]
fn known(provider: Provider, texts: impl IntoIterator<Item = String>) -> (usize, usize) {
    let mut economies = BTreeSet::new();
    let mut groups = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for text in texts {
        match table().lookup(provider, &text) {
            Some(Match::Economy(iso3)) => {
                economies.insert(iso3);
            }
            Some(Match::Aggregate { code, .. }) => {
                groups.insert(code);
            }
            None => {
                unknown.insert(text);
            }
        }
    }
    assert!(unknown.is_empty(), "{provider:?} does not know {unknown:?}");
    (economies.len(), groups.len())
}

#[test]
fn pairs_that_must_not_be_confused() {
    all_say(&[
        ("Niger", "NER"),
        ("Nigeria", "NGA"),
        ("Guinea", "GIN"),
        ("Guinea-Bissau", "GNB"),
        ("Equatorial Guinea", "GNQ"),
        ("Papua New Guinea", "PNG"),
        ("Dominica", "DMA"),
        ("Dominican Republic", "DOM"),
        ("Congo, Dem. Rep.", "COD"),
        ("Congo, Rep.", "COG"),
        ("Congo", "COG"),
        ("Democratic Republic of the Congo", "COD"),
        ("Congo (Kinshasa)", "COD"),
        ("Zaire", "COD"),
        ("Korea, Rep.", "KOR"),
        ("Korea, Dem. People's Rep.", "PRK"),
        ("Dem. People's Republic of Korea", "PRK"),
        ("South Korea", "KOR"),
        ("North Korea", "PRK"),
        ("Samoa", "WSM"),
        ("American Samoa", "ASM"),
        ("Sudan", "SDN"),
        ("South Sudan", "SSD"),
        ("South Africa", "ZAF"),
        ("Southern Africa", "group"),
        ("Central African Republic", "CAF"),
        ("Georgia", "GEO"),
        ("South Georgia and the South Sandwich Islands", "SGS"),
        ("Ireland", "IRL"),
        ("Northern Ireland", "-"),
        ("Mauritania", "MRT"),
        ("Mauritius", "MUS"),
        ("Austria", "AUT"),
        ("Australia", "AUS"),
        ("Slovenia", "SVN"),
        ("Slovak Republic", "SVK"),
        ("Saint Martin (French part)", "MAF"),
        ("Sint Maarten (Dutch part)", "SXM"),
        ("British Virgin Islands", "VGB"),
        ("Virgin Islands (U.S.)", "VIR"),
        ("Taiwan, China", "TWN"),
        ("China", "CHN"),
        ("Republic of China", "TWN"),
        ("People's Republic of China", "CHN"),
        ("French Guiana", "GUF"),
        ("Guyana", "GUY"),
    ]);
}

#[test]
fn spellings_of_one_economy() {
    all_say(&[
        ("Côte d'Ivoire", "CIV"),
        ("COTE D’IVOIRE ", "CIV"),
        ("Ivory Coast", "CIV"),
        ("Türkiye", "TUR"),
        ("Turkiye", "TUR"),
        ("Turkey", "TUR"),
        ("Türkiye, Rep. of", "TUR"),
        ("Swaziland", "SWZ"),
        ("Eswatini", "SWZ"),
        ("Czechia", "CZE"),
        ("Czech Republic", "CZE"),
        ("Macedonia, FYR", "MKD"),
        ("North Macedonia", "MKD"),
        ("TFYR Macedonia", "MKD"),
        ("Cape Verde", "CPV"),
        ("Cabo Verde", "CPV"),
        ("Viet Nam", "VNM"),
        ("Vietnam ", "VNM"),
        ("Lao PDR", "LAO"),
        ("Lao People's Democratic Republic", "LAO"),
        ("Bolivia (Plurinational State of)", "BOL"),
        ("Iran, Islamic Rep.", "IRN"),
        ("Micronesia, Fed. Sts.", "FSM"),
        ("Micronesia (Fed. States of)", "FSM"),
        ("St. Lucia", "LCA"),
        ("Saint Lucia", "LCA"),
        ("St. Vincent & the Grenadines", "VCT"),
        ("Timor-Leste", "TLS"),
        ("East Timor", "TLS"),
        ("West Bank and Gaza", "PSE"),
        ("State of Palestine*", "PSE"),
        ("Hong Kong SAR, China", "HKG"),
        ("China, Hong Kong SAR*", "HKG"),
        ("China, Macao SAR", "MAC"),
        ("Netherlands (Kingdom of the)", "NLD"),
        ("   United States of America*", "USA"),
        ("Gambia, The", "GMB"),
        ("Bahamas, The", "BHS"),
        ("Somalia, Fed. Rep.", "SOM"),
        ("Egypt, Arab Rep.", "EGY"),
        ("Venezuela, RB", "VEN"),
        ("Yemen, Rep.", "YEM"),
        ("Yemen, PDR", "YMD"),
        ("Faeroe Islands", "FRO"),
        ("Channel Islands", "CHI"),
        ("USSR (former)", "SUN"),
        ("Serbia and Montenegro", "SCG"),
        ("Netherlands Antilles", "ANT"),
        ("Alemania", "DEU"),
        ("Ливан", "LBN"),
        ("菲律宾", "PHL"),
        ("المكسيك", "MEX"),
    ]);
}

#[test]
fn codes() {
    all_say(&[
        ("NA", "NAM"),
        ("NAM", "NAM"),
        ("N/A", "-"),
        ("n.a.", "-"),
        ("", "-"),
        ("..", "-"),
        ("AND", "AND"),
        ("IS", "ISL"),
        ("XKX", "XKX"),
        ("XKV", "XKX"),
        ("KSV", "XKX"),
        ("UVK", "XKX"),
        ("XK", "XKX"),
        ("Kosovo", "XKX"),
        ("ROM", "ROU"),
        ("ZAR", "COD"),
        ("TMP", "TLS"),
        ("WBG", "PSE"),
        ("ADO", "AND"),
        ("CHI", "CHI"),
        ("TWN", "TWN"),
        ("ZZZ", "-"),
    ]);
    for provider in [Any, WorldBank, Knomad, UnDesa] {
        assert_eq!(say(provider, "004"), "AFG");
        assert_eq!(say(provider, "4"), "AFG");
        assert_eq!(say(provider, "729"), "SDN");
        assert_eq!(say(provider, "736"), "SDN");
    }
    // The same numbers are other countries in the DAC list.
    assert_eq!(say(Oecd, "275"), "NAM");
    assert_eq!(say(UnDesa, "275"), "PSE");
    assert_eq!(say(Oecd, "71"), "ALB");
    assert_eq!(say(Oecd, "516"), "-");
}

#[test]
fn the_provider_settles_short_forms() {
    assert_eq!(say(UnDesa, "Micronesia"), "group");
    assert_eq!(say(Oecd, "Micronesia"), "FSM");
    assert_eq!(say(Oecd, "Korea"), "KOR");
    assert_eq!(say(Any, "Korea"), "-");
    assert_eq!(say(Any, "Virgin Islands"), "-");
}

#[test]
fn aggregates_are_never_economies() {
    all_say(&[
        ("World", "group"),
        ("WORLD", "group"),
        ("WLD", "group"),
        ("Low-and Middle-Income Countries", "group"),
        ("Other North", "group"),
        ("Other South", "group"),
        ("Sub-Saharan Africa", "group"),
        ("Euro area", "group"),
        ("Bilateral, unallocated", "group"),
        ("Developing countries, unspecified", "group"),
        ("Middle East, North Africa, Afghanistan & Pakistan", "group"),
        ("Less developed regions, excluding China", "group"),
        ("INX", "group"),
        ("AFE", "group"),
    ]);
    for code in ["F4_X", "DPGC", "DPGC_X", "A_X", "E", "F9_X", "4EU001", "ALLD", "998", "298"] {
        assert_eq!(say(Oecd, code), "group", "{code}");
    }
    for code in ["900", "0900", "1834", "2003", "5501"] {
        assert_eq!(say(UnDesa, code), "group", "{code}");
    }
    let world = table().lookup(WorldBank, "wld").unwrap();
    assert_eq!(world, Match::Aggregate { code: "WLD".into(), name: "World".into() });
}

#[test]
fn remarks_go_only_when_they_do_not_matter() {
    all_say(&[
        ("Zimbabwe (using CB data for 2021 & 2022)", "ZWE"),
        ("Iran, Islamic Rep. (Brief 36 data)", "IRN"),
        ("Portugal (revising old numbers with BOP estimates)", "PRT"),
        ("Morocco [3]", "MAR"),
        ("Korea (North)", "PRK"),
        ("Korea (estimate)", "-"),
        ("Congo (estimate)", "-"),
        ("Cyprus (northern part)", "-"),
        ("France (Réunion)", "-"),
        ("Utopia (estimate)", "-"),
    ]);
}

#[test]
fn an_unknown_name_says_what_is_near_and_what_to_do() {
    let place = Place::file("knomad_bilateral.xlsx").row(412);
    let error = table().resolve(Knomad, "Cote dIvorie", place).unwrap_err();
    assert_eq!(error.class(), Class::Data);
    assert_eq!(
        error.to_string(),
        "knomad_bilateral.xlsx, row 412: unknown country `Cote dIvorie`; nearest is `Côte d'Ivoire` (CIV); \
         add an alias in datasets/country/alias_knomad.csv"
    );
    assert_eq!(table().nearest("Phillipines", 1)[0].1.as_str(), "PHL");
    assert!(table().nearest("qqqqqqqqqq", 3).is_empty());
    let long = "Niger".repeat(100_000);
    assert!(table().resolve(Any, &long, Place::file("x.csv")).unwrap_err().to_string().len() < 400);
}

#[test]
fn every_alias_is_found_and_every_country_has_its_codes() {
    for alias in table().aliases().unwrap() {
        let provider =
            [WorldBank, Knomad, UnDesa, Oecd].into_iter().find(|p| p.name() == alias.provider).unwrap_or(Any);
        assert_eq!(say(provider, &alias.alias), alias.iso3.as_str(), "{alias:?}");
    }
    let countries = table().countries().unwrap();
    for row in countries.iter().filter(|c| c.valid_to.is_none()) {
        let texts = [Some(row.iso3.to_string()), row.iso2.clone(), row.m49.clone(), Some(row.names[0].clone())];
        for text in texts.into_iter().flatten() {
            assert_eq!(say(Any, &text), row.iso3.as_str(), "{text}");
        }
    }
    let open: BTreeSet<_> = countries.iter().filter(|c| c.valid_to.is_none()).map(|c| c.iso3).collect();
    assert_eq!(open.len(), countries.iter().filter(|c| c.valid_to.is_none()).count(), "one current row per economy");
    assert!(countries.iter().any(|c| c.iso2.as_deref() == Some("NA") && c.iso3.as_str() == "NAM"));
}

#[test]
fn groups_have_one_current_income_and_region_each() {
    let groups = table().groups().unwrap();
    let current = |kind: &str, iso3: &str| -> Vec<String> {
        let mine = groups.iter().filter(|g| g.group_kind == kind && g.iso3.as_str() == iso3 && g.valid_to.is_none());
        mine.map(|g| g.group_code.clone()).collect()
    };
    for row in groups.iter().filter(|g| g.group_kind == "region") {
        assert_eq!(current("region", row.iso3.as_str()).len(), 1, "{row:?}");
        assert!(current("income", row.iso3.as_str()).len() <= 1, "{row:?}");
    }
    assert!(current("income", "ETH").is_empty() && current("income", "VEN").is_empty());
    assert_eq!(current("region", "AFG"), ["MEA"]);
    assert_eq!(current("region", "PAK"), ["MEA"]);
    assert_eq!(current("income", "IDN"), ["UMC"]);
    let members = |kind: &str| groups.iter().filter(|g| g.group_kind == kind && g.valid_to.is_none()).count();
    assert_eq!((members("ldc"), members("lldc"), members("sids")), (44, 32, 39));
    assert_eq!(table().successors().unwrap().iter().filter(|s| s.old.as_str() == "SUN").count(), 15);
}

#[test]
fn knomad_files() {
    if let Some(path) = shared("knomad/bilateral_remittance_matrix_2021_0.xlsx") {
        let rows = sheet(&path, 0);
        let senders = rows[2..217].iter().map(|r| r[0].clone());
        assert_eq!(known(Knomad, senders), (214, 1));
        assert_eq!(known(Knomad, rows[1][1..].iter().filter(|c| !c.is_empty()).cloned()), (214, 1));
    }
    let flows = [
        ("knomad/inward_remittance_flows_december_2023_1.xlsx", "World"),
        ("knomad/remittance-outflows.xlsx", "Zimbabwe"),
    ];
    for (name, last) in flows {
        let Some(path) = shared(name) else { continue };
        let rows = sheet(&path, 0);
        let start = rows.iter().position(|r| r[0] == "Afghanistan").unwrap();
        let end = rows.iter().rposition(|r| r[0].starts_with(last)).unwrap();
        let (economies, _) = known(Knomad, rows[start..=end].iter().map(|r| r[0].clone()).filter(|t| !t.is_empty()));
        assert!(economies >= 210, "{name}: {economies}");
    }
    if let Some(path) = shared("knomad/WB_Bilateral_Estimates_Migrant_Stocks_2017.xlsx") {
        let rows = sheet(&path, 0);
        let end = rows.iter().rposition(|r| r[0] == "World").unwrap();
        assert_eq!(known(Knomad, rows[2..=end].iter().map(|r| r[0].clone())), (214, 3));
        assert_eq!(known(Knomad, rows[1][1..].iter().filter(|c| !c.is_empty()).cloned()), (214, 3));
    }
}

#[test]
fn undesa_files() {
    if let Some(path) = shared("undesa/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx") {
        let rows = sheet(&path, 1);
        let start = rows.iter().position(|r| r.iter().any(|c| c.trim() == "WORLD")).unwrap();
        let column = rows[start].iter().position(|c| c.trim() == "WORLD").unwrap();
        let data: Vec<_> = rows[start..].iter().filter(|r| !r[column].trim().is_empty()).collect();
        let by_name = known(UnDesa, data.iter().map(|r| r[column].clone()));
        let by_code = known(UnDesa, data.iter().map(|r| r[column + 2].clone()));
        assert_eq!(by_name.0, by_code.0);
        for r in data {
            assert_eq!(say(UnDesa, &r[column]), say(UnDesa, &r[column + 2]), "{} {}", r[column], r[column + 2]);
        }
    }
    if let Some(path) = shared("undesa/UN_MigrantStockByOriginAndDestination_2019_clean.csv.gz") {
        let gz = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
        let mut reader = csv::Reader::from_reader(gz);
        let origins: Vec<String> = reader.headers().unwrap().iter().skip(2).map(str::to_owned).collect();
        assert_eq!(known(UnDesa, origins).0, 232);
        let destinations: BTreeSet<String> = reader.records().map(|r| r.unwrap()[1].to_owned()).collect();
        let (economies, groups) = known(UnDesa, destinations);
        assert_eq!((economies, groups), (232, 5));
    }
}

#[test]
fn oecd_files() {
    for name in ["oecd_dac/dac2a_alld_net_oda_current.csv", "oecd_dac/dac2a_alld_measure286_current.csv"] {
        let Some(path) = shared(name) else { continue };
        let mut reader = csv::Reader::from_path(path).unwrap();
        let column = reader.headers().unwrap().iter().position(|h| h == "RECIPIENT").unwrap();
        let codes: BTreeSet<String> = reader.records().map(|r| r.unwrap()[column].to_owned()).collect();
        known(Oecd, codes);
    }
    if let Some(path) = shared("oecd_dac/DAC-CRS-CODES.xlsx") {
        let rows = sheet(&path, 4);
        let (economies, groups) = known(Oecd, rows[1..].iter().flat_map(|r| r[..3].to_vec()));
        assert_eq!(economies, 142);
        assert!(groups >= 25);
        for r in rows[1..].iter().filter(|r| !r[3].is_empty()) {
            assert_eq!(say(Oecd, &r[0]), r[3], "{}", r[1]);
            assert_eq!(say(Oecd, &r[1]), r[3]);
            assert_eq!(say(Oecd, &r[2]), r[3]);
        }
    }
}

#[test]
fn world_bank_files() {
    let Some(folder) = shared("worldbank_wdi") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let rows: Vec<(String, String)> = if name.starts_with("API") && name.ends_with(".csv") {
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).unwrap();
            let records = reader.records().map(Result::unwrap).skip_while(|r| &r[0] != "Country Name").skip(1);
            records.map(|r| (r[0].to_owned(), r[1].to_owned())).collect()
        } else if name.ends_with(".xls") {
            let rows = sheet(&path, 0);
            let head = rows.iter().position(|r| r[0] == "Country Name").unwrap();
            rows[head + 1..].iter().map(|r| (r[0].clone(), r[1].clone())).collect()
        } else {
            continue;
        };
        assert!(rows.len() >= 262, "{name}: {}", rows.len());
        for (label, code) in &rows {
            assert_eq!(say(WorldBank, label), say(WorldBank, code), "{name}: {label} {code}");
        }
        let (economies, groups) = known(WorldBank, rows.into_iter().map(|r| r.1));
        assert!(economies >= 215 && groups >= 45, "{name}: {economies} {groups}");
    }
}

#[test]
fn price_file() {
    let Some(path) = shared("rpw/36d1ed87-9a2d-41da-8eac-c1c25d45fa65_Data.csv.gz") else {
        return;
    };
    let gz = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(gz);
    let records: Vec<_> = reader.records().map(Result::unwrap).filter(|r| r.len() > 5 && !r[1].is_empty()).collect();
    assert!(records.len() >= 5328);
    for r in records {
        assert_eq!(say(WorldBank, &r[0]), say(WorldBank, &r[1]), "{r:?}");
        assert_eq!(say(WorldBank, &r[4]), say(WorldBank, &r[5]), "{r:?}");
        assert_ne!(say(WorldBank, &r[4]), "-");
    }
}

#[test]
fn shipped_sample_and_map_name_economies_of_today() {
    let today: BTreeSet<String> =
        table().countries().unwrap().iter().filter(|c| c.valid_to.is_none()).map(|c| c.iso3.to_string()).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let samples = [("economy_year.csv", 1), ("corridor_2021.csv", 2), ("migrant_stock_2019.csv", 2)];
    let mut used = BTreeSet::new();
    for (name, keys) in samples {
        for record in csv::Reader::from_path(folder.join("sample").join(name)).unwrap().records() {
            used.extend(record.unwrap().iter().take(keys).map(str::to_owned));
        }
    }
    let map = std::fs::read_to_string(folder.join("geometry/world.json")).unwrap();
    assert!(map.len() <= 150_000, "the map goes into every brief");
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    let (width, height) = (map["view_box"][2].as_i64().unwrap(), map["view_box"][3].as_i64().unwrap());
    let mut drawn = BTreeSet::new();
    for entry in map["countries"].as_array().unwrap() {
        let (x, y) = (entry["x"].as_i64().unwrap(), entry["y"].as_i64().unwrap());
        assert!((0..=width).contains(&x) && (0..=height).contains(&y), "{entry}");
        if let Some(d) = entry.get("d") {
            let d = d.as_str().unwrap();
            assert!(d.starts_with('M') && d.bytes().all(|b| b"Mlz- 0123456789".contains(&b)), "{d}");
        }
        assert!(drawn.insert(entry["iso3"].as_str().unwrap().to_owned()), "{entry} twice");
    }
    assert!(drawn.is_subset(&today), "{:?}", drawn.difference(&today));
    assert!(used.is_subset(&drawn), "{:?} cannot be drawn", used.difference(&drawn));
}
