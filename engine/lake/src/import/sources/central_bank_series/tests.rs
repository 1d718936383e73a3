//! Files of other banks, for which there is a descriptor and no code. Invented figures.

use crate::country::Concordance;
use crate::import::importer::{Context, Imported, Importer, Recognition};
use crate::import::input::collect;
use crate::import::mapping;
use crate::read::Limits;

use super::CentralBankSeries;

const HEAD: &str = "id = 'any.bank'\nimporter = 'central_bank.series'\nprovider = 'Any Bank'\ndataset = 'Remittances'\ndescription = 'd'\nlicence = 'l'\n\
    citation = 'c'\nformats = ['f']\ntables = ['observation', 'indicator']\n";
const SERIES: &str = "[[settings.series]]\nheader = ['Remittances', 'Remesas']\nscale = 1e3\nindicator = 'ANY.R'\n\
    name = 'n'\nunit = 'US$'\ndefinition = 'd'\n";

/// The values that a file gives under some settings, or why it gives none.
fn check(settings: &str, file: &str, expected: Result<&[(&str, f64)], &str>) {
    let text = format!("{HEAD}[settings]\niso3 = 'PHL'\nmissing = ['', '-']\n{settings}\n{SERIES}");
    let found = import(&text, file);
    match (found, expected) {
        (Ok(imported), Ok(expected)) => {
            let rows = imported.rows.into_iter().next().unwrap();
            let batch = rows.finish(&imported.place).unwrap();
            let text = |name: &str, i: usize| {
                arrow::util::display::array_value_to_string(batch.column_by_name(name).unwrap(), i).unwrap()
            };
            let days: Vec<_> = (0..batch.num_rows()).map(|i| text("period", i) + &text("obs_status", i)).collect();
            let values: Vec<f64> = (0..batch.num_rows()).map(|i| text("value", i).parse().unwrap()).collect();
            let found: Vec<(&str, f64)> = days.iter().map(String::as_str).zip(values).collect();
            assert_eq!(found, expected, "{file}");
            assert_eq!(text("frequency", 0), settings.split('\'').nth(1).unwrap());
        }
        (Err(message), Err(part)) => assert!(message.contains(part), "{part}: {message}"),
        (found, expected) => panic!("{file}: {found:?}, expected {expected:?}"),
    }
}

fn import(descriptor: &str, file: &str) -> Result<Imported, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bank.csv");
    std::fs::write(&path, file).unwrap();
    let limits = Limits::default();
    let inputs = collect(&[path], &limits, &|_| false).map_err(|e| e.to_string())?;
    let descriptor = mapping(descriptor, "bank.toml").map_err(|e| e.to_string())?;
    let concordance = Concordance::embedded().unwrap();
    let context = Context { inputs: &inputs, concordance, descriptor: &descriptor, vintage: None, limits: &limits };
    if CentralBankSeries.recognise(&inputs[0], &descriptor).unwrap() != Recognition::Yes {
        return Err("not recognised".to_owned());
    }
    CentralBankSeries.import(&inputs[0], &context).map_err(|e| e.to_string())
}

#[test]
fn months_down_with_marks_and_a_decimal_comma() {
    let settings = "frequency = 'M'\ndecimal = ','\nthousands = '.'\n[settings.period]\ncolumns = ['Mes']\n\
        format = '%b %Y'\nexample = 'Ene 2024'\nmonths = ['Enero', 'Febrero', 'Marzo']\nmarks = { p = 'E' }";
    let file =
        "Banco;;\nMes;Remesas;Otros\nEne 2024;1.234,5;7\nFeb 2024 p;2,5;7\nMarzo 2024;-;7\nNota: p preliminar;;\n";
    check(settings, file, Ok(&[("2024-01-01", 1_234_500.0), ("2024-02-01E", 2_500.0)]));
    check(settings, &file.replace("1.234,5", "1.23,5"), Err("row 3, column `Remesas`: `1.23,5` is not a number"));
    check(settings, &file.replace("1.234,5", "1.5"), Err("`1.5` is not a number as this file"));
    check(settings, &file.replace("Feb 2024 p", "Feb 2024 q"), Err("row 4, column `Mes`: `Feb 2024 q` is not a month"));
    check(settings, &file.replace("Remesas", "Remesa"), Err("not recognised"));
}

#[test]
fn quarters_across() {
    let settings = "frequency = 'Q'\nthousands = ','\n[settings.shape.across]\nseries = 'Item'\n\
        [settings.period]\nformat = '%YQ%q'\nexample = '2024Q1'";
    let file = "Item,Unit,2023Q4,2024Q1,2024Q2\nExports,x,5,5,5\nRemittances,x,\"1,000\",,3\n";
    check(settings, file, Ok(&[("2023-10-01", 1e6), ("2024-04-01", 3e3)]));
    check(settings, &file.replace(",3\n", ",n.a.\n"), Err("row 3, column `2024Q2`: `n.a.` is not a number"));
    check(settings, &file.replace("\"1,000\"", "1"), Ok(&[("2023-10-01", 1e3), ("2024-04-01", 3e3)]));
    check(settings, &file.replace("2024Q1", "2023Q4"), Ok(&[("2023-10-01", 1e6), ("2024-04-01", 3e3)]));
}

#[test]
fn one_value_a_row() {
    let settings = "frequency = 'M'\n[settings.shape.long]\nseries = 'Series'\nvalue = 'Value'\n\
        [settings.period]\ncolumns = ['Year', 'Month']\nformat = '%Y %m'\nexample = '2024 1'";
    let file = "Year,Month,Series,Value\n2024,1,Remittances,1\n2024,1,Exports,5\n2024,2,remittances,2\n";
    check(settings, file, Ok(&[("2024-01-01", 1e3), ("2024-02-01", 2e3)]));
    check(settings, &file.replace("2024,2", "2024,13"), Err("row 4, column `Year`: `2024 13` is not a month"));
}

#[test]
fn years_down() {
    let settings = "frequency = 'A'\n[settings.period]\ncolumns = ['Year']\nformat = '%Y'\nexample = '2024'";
    check(settings, "Year,Remittances\n2023,1\n2024,2\n", Ok(&[("2023-01-01", 1e3), ("2024-01-01", 2e3)]));
    check(settings, "Year,Remittances\n2023,1\n2024,2", Err("cut off"));
}
