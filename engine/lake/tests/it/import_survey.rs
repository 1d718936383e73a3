//! Household surveys through mappings: the documented example, variations of it, ENIGH 2012.

use std::path::Path;
use std::sync::Arc;

use envoi_lake::import::{Options, Report, mapping};

use crate::shared;
use crate::support::{Scratch, fixture, fixture_text, sum};

const MAPPING: &str = "survey/ton_example_2015.toml";
const FILES: [&str; 3] = ["households.csv", "persons.csv", "income.csv"];

fn options(mapping_text: &str) -> Options {
    let mappings = vec![Arc::new(mapping(mapping_text, "ton.toml").unwrap())];
    Options { mappings, ..Options::default() }
}

/// The example with one text of a file, or of the mapping, replaced.
fn with(scratch: &Scratch, changes: &[(&str, &str, &str)]) -> envoi_lake::Result<Report> {
    let changed = |name: &str, text: String| {
        changes.iter().filter(|(file, ..)| *file == name).fold(text, |text, (_, from, to)| {
            assert!(text.contains(from), "{name}: {from}");
            text.replacen(from, to, 1)
        })
    };
    let paths: Vec<_> =
        FILES.iter().map(|f| scratch.put(f, changed(f, fixture_text(&format!("survey/{f}"))))).collect();
    scratch.import_with(&paths, &options(&changed("mapping", fixture_text(MAPPING))))
}

#[test]
fn the_documented_example() {
    let doc = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/surveys.md")).unwrap();
    for file in FILES.iter().chain(&["ton_example_2015.toml"]) {
        let block = format!("{file}\n{}```", fixture_text(&format!("survey/{file}")));
        assert!(doc.contains(&block), "docs/surveys.md: {file} is not as in datasets/fixtures/survey");
    }
    let s = Scratch::new();
    let report = s.import_with(&[fixture("survey")], &options(&fixture_text(MAPPING))).unwrap();
    let notes: Vec<&String> = report.files.iter().flat_map(|f| &f.notes).collect();
    let block = doc.split("The import says what it decided:\n\n```text\n").nth(1).unwrap();
    for line in block.split("\n```").next().unwrap().lines() {
        assert!(notes.iter().any(|n| *n == line), "{line}: {notes:?}");
    }
    let rows = s.rows("household");
    let told: Vec<String> = rows
        .iter()
        .map(|r| {
            let of = |c: &str| r.get(c).map_or("-", String::as_str);
            format!(
                "{} {} {} {} {} {} {}",
                of("household_id"),
                of("psu"),
                of("weight"),
                of("size_persons"),
                of("urban"),
                of("income_total"),
                of("remittance")
            )
        })
        .collect();
    let expected = [
        "1 S1-V01 120.5 3.0 true 17650.0 0.0",
        "2 S1-V01 118.0 2.0 true 4800.0 3600.0",
        "3 S2-V02 150.0 4.0 false 6056.0 0.0",
        "4 S2-V03 150.0 1.0 false 5900.5 5500.5",
        "5 S2-V03 95.5 2.0 false 3680.0 0.0",
    ];
    assert_eq!(told, expected);
    s.check_whole();
}

#[test]
fn a_changed_mapping_replaces_the_survey() {
    let s = Scratch::new();
    with(&s, &[]).unwrap();
    with(&s, &[("mapping", "where = { code = [\"R1\"] }", "where = { code = [\"R*\"] }")]).unwrap();
    let rows = s.rows("household");
    assert_eq!((rows.len(), sum(&rows, "remittance")), (5, 9_300.5));
    s.check_whole();
    let again = with(&s, &[("mapping", "where = { code = [\"R1\"] }", "where = { code = [\"R*\"] }")]).unwrap();
    assert!(!again.changed && format!("{again:?}").contains("with the same rows"), "{again:?}");
}

#[test]
fn one_flat_file_is_a_survey_too() {
    let s = Scratch::new();
    let flat = "Survey of nowhere\nHH,FACTOR,Y,REM,N\n7,10.5,1200,100,4\n8,0,900,,2\n";
    let path = s.put("flat.csv", flat);
    let head = fixture_text(MAPPING).split("[settings]").next().unwrap().to_owned();
    let text = format!(
        "{head}[settings]\nsurvey_id = 'flat'\niso3 = 'PHL'\nyear = 2020\ncurrency = 'PHP'\nmonths = 6\n\
        vintage = '2021-01-01'\nhouseholds = 'flat'\n[settings.files.flat]\nkey = ['hh']\n\
        [settings.columns]\nweight = 'factor'\nsize_persons = 'n'\n\
        [settings.amounts]\nincome_total = 'y'\nremittance = {{ amount = 'rem', months = 3, scale = 1000 }}\n"
    );
    let report = s.import_with(&[path], &options(&text)).unwrap();
    assert!(format!("{report:?}").contains("of 1 households the remittances are not known"), "{report:?}");
    let rows = s.rows("household");
    assert_eq!(rows[0]["remittance"], "200000.0");
    assert!(!rows[1].contains_key("remittance") && rows[1]["weight"] == "0.0");
}

#[test]
fn what_is_wrong_with_data_is_named() {
    let refuses = |changes: &[(&str, &str, &str)], words: &[&str]| {
        let s = Scratch::new();
        let message = with(&s, changes).unwrap_err().to_string();
        let all = words.iter().chain(&["survey `ton_example_2015`", "mapping `ton.toml`"]);
        for word in all {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert!(!message.contains('\n') && !s.root().exists(), "{message}");
    };
    let households = "households.csv";
    refuses(&[(households, ";118;", ";-118;")], &["households.csv, row 3, column `weight`: weight -118 is below 0"]);
    refuses(&[(households, ";118;", ";;")], &["row 3, column `weight`: there is no weight, household 2"]);
    refuses(&[(households, ";118;", ";many;")], &["row 3, column `weight`: `many` is not a number"]);
    refuses(
        &[(households, ";118;", ";1.18;")],
        &["row 3, column `weight`: `1.18` is not a number with decimal sign `,`"],
    );
    refuses(&[(households, "4;VAV", "3;VAV")], &["row 5, column `hhid`: duplicate household 3: row 4 has it"]);
    refuses(&[(households, "4;VAV", ";VAV")], &["row 5, column `hhid`: is blank"]);
    refuses(
        &[(households, "VAV;rural;S2;V03;150", "EUA;rural;S2;V03;150")],
        &["`EUA` is no code of region", "`TBU`, `VAV`"],
    );
    refuses(&[(households, "rural", "peri-urban")], &["row 4, column `area`: `peri-urban` of urban is in neither"]);
    refuses(
        &[("persons.csv", "400.5", "4OO.5")],
        &["persons.csv, row 7, column `wage_month`: `4OO.5` is not a number"],
    );
    refuses(&[("income.csv", "R1,3600", "R1,-3600")], &["remittance -3600 of household 2 is below 0"]);
    refuses(
        &[("income.csv", "hhid,code", "hhid,kind")],
        &["file `income` of the mapping is not among", "lacks `code`"],
    );
    refuses(
        &[("mapping", "code = [\"R1\"]", "code = [\"R9\"]")],
        &["income.csv: remittance: no row with `R9` in column `code`, which has `F1`, `F2`, `P1`, `P2`, `R1`, `R2`"],
    );
    refuses(&[("mapping", "weight = \"weight\"", "weight = \"wgt\"")], &["file `households`", "lacks `wgt`"]);
    refuses(&[("mapping", "visited = [\"yes\"]", "visited = [\"y\"]")], &["has no row with `y` in column `visited`"]);
    refuses(
        &[("mapping", "decimal = \",\"", "decimal = \",\"\ntotals = { weight = 700 }")],
        &["sum of `weight` is 634", "700"],
    );
    refuses(
        &[(
            "mapping",
            "size_persons = { file = \"persons\", count = true }",
            "size_persons = { file = \"persons\", column = \"age\" }",
        )],
        &["persons.csv, row 3, column `age`: `41` of household 1, which has `44` in row 2"],
    );
}

#[test]
fn what_is_wrong_with_a_mapping_is_named() {
    let text = fixture_text(MAPPING);
    let refuses = |from: &str, to: &str, words: &[&str]| {
        assert!(text.contains(from), "{from}");
        let message = mapping(&text.replacen(from, to, 1), "ton.toml").unwrap_err().to_string();
        assert!(message.starts_with("ton.toml: ") && !message.contains('\n'), "{message}");
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
    };
    refuses("iso3 = \"TON\"", "iso3 = \"Tonga\"", &["`Tonga` is no code"]);
    refuses("year = 2015", "year = 15", &["year 15"]);
    refuses("months = 12", "months = 0", &["months 0 is not above 0"]);
    refuses("currency = \"TOP\"", "currency = \"paanga\"", &["`paanga`", "ISO 4217"]);
    refuses("vintage = \"2016-05-01\"", "vintage = \"May\"", &["vintage `May`"]);
    refuses(
        "households = \"households\"",
        "households = \"hh\"",
        &["no file `hh`", "`households`, `income`, `persons`"],
    );
    refuses("stratum = \"stratum\"", "strata = \"stratum\"", &["unknown field `strata`", "`stratum`"]);
    refuses("count = true", "count = false", &["size_persons: names no column"]);
    refuses("yes = [\"urban\"], ", "", &["urban"]);
    refuses("file = \"persons\", amount", "file = \"people\", amount", &["income_total: there is no file `people`"]);
    refuses("[settings.amounts]", "[settings.amount]", &["amount"]);
    refuses("survey_id = \"ton_example_2015\"", "survey_id = \"Ton 2015\"", &["survey_id `Ton 2015`"]);
    refuses("key = [\"hhid\"]\nwhere", "key = []\nwhere", &["key of file `households` has 0 columns"]);
    refuses("id = \"example.tonga_2015\"", "id = \"worldbank.wdi\"", &["`worldbank.wdi`", "another kind"]);
}

#[test]
fn files_of_no_mapping_and_files_twice() {
    let s = Scratch::new();
    let other = s.put("other.csv", "a,b\n1,2\n");
    let message = s.import_with(&[other], &options(&fixture_text(MAPPING))).unwrap_err().to_string();
    assert!(message.contains("other.csv") && message.contains("`example.tonga_2015`"), "{message}");
    let paths: Vec<_> = FILES.iter().map(|f| s.put(f, fixture_text(&format!("survey/{f}")))).collect();
    let again = s.put("households_b.csv", fixture_text("survey/households.csv").replace(";118;", ";119;"));
    let message =
        s.import_with(&[paths, vec![again]].concat(), &options(&fixture_text(MAPPING))).unwrap_err().to_string();
    assert!(message.contains("has the columns of file `households` of the mapping, and so has"), "{message}");
    let message =
        s.import_with(&[fixture("survey/income.csv")], &options(&fixture_text(MAPPING))).unwrap_err().to_string();
    assert!(message.contains("income.csv: file `households` of the mapping is not among"), "{message}");
}

#[test]
fn enigh_2012() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    let report = s.import(&[data.join("enigh_mexico_2012")]).unwrap();
    s.check_whole();
    let notes = format!("{report:?}");
    assert!(notes.contains("8985 households, 507 of them receive remittances; weighted, 4.4831 %"), "{notes}");
    assert!(notes.contains("weighted remittances are 9026472799.86 MXN in 3 months"), "{notes}");
    let rows = s.rows("household");
    assert_eq!(rows.len(), 8985);
    let persons: f64 =
        rows.iter().map(|r| r["weight"].parse::<f64>().unwrap() * r["size_persons"].parse::<f64>().unwrap()).sum();
    assert_eq!(format!("{persons:.0}"), "121275097");
    // Labour and business as the reference defines labour, over the same households.
    let path = data.join("../reference/enigh2012_households.csv");
    let mut reference = csv::Reader::from_path(path).unwrap();
    let (mut labour, mut total) = (0.0, 0.0);
    for row in reference.records() {
        let row = row.unwrap();
        labour += row[6].parse::<f64>().unwrap();
        total += row[9].parse::<f64>().unwrap();
    }
    assert!((sum(&rows, "income_labour") + sum(&rows, "income_farm") - labour).abs() < 1.0);
    assert!((sum(&rows, "income_total") - total).abs() < 1.0);
}
