//! Tables of our own, of the classes that statistical offices publish.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type};
use envoi_lake::read::Limits;
use envoi_lake::table::{ColumnKind, Table, read_sheet, read_table};
use proptest::prelude::*;
use rust_xlsxwriter as out;

fn read(text: &str) -> Table {
    read_table(text.as_bytes(), "t.csv", &Limits::default()).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    read_table(bytes, "t.csv", &Limits::default()).unwrap_err().to_string()
}

/// `value` or `value flag:x`, `-` for none.
fn column(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).unwrap_or_else(|| panic!("no column {name} in {:?}", names(table)));
    let show = |(value, flag): (&Option<String>, &Option<String>)| {
        let value = value.as_deref().unwrap_or("-");
        flag.as_ref().map_or(value.to_owned(), |f| format!("{value} flag:{f}"))
    };
    column.values.iter().zip(&column.flags).map(show).collect()
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|c| c.name.as_str()).collect()
}

fn warned(table: &Table, code: &str) -> bool {
    table.warnings.iter().any(|w| w.code == code)
}

#[test]
fn numbers_of_a_file() {
    // (column of values, what they are)
    let cases = [
        ("v\n1,5\n2,25\n", ';', vec!["1.5", "2.25"]),
        ("v\n1.234,5\n12.345\n", ';', vec!["1234.5", "12345"]),
        ("v\n1,234\n2,345,678\n", ';', vec!["1234", "2345678"]),
        ("v\n1 234\n56 789 012\n", ';', vec!["1234", "56789012"]),
        ("v\n12,34,567\n1,00,000\n", ';', vec!["1234567", "100000"]),
        ("v\n(5)\n−6\n7-\n", ';', vec!["-5", "-6", "-7"]),
        ("v\n10%\n12.5 %\n", ';', vec!["10 flag:%", "12.5 flag:%"]),
        ("v\n5\n..\n6p\n7 (e)\nn.a.\n", ';', vec!["5", "- flag:..", "6 flag:p", "7 flag:e", "- flag:n.a."]),
        ("v\n5\n<5\nsuppressed\n9†\n", ';', vec!["5", "- flag:<5", "- flag:suppressed", "9 flag:†"]),
        ("v\n१२३\n৪৫\n", ';', vec!["123", "45"]),
        ("v\n1e3\n2.5E-2\n", ';', vec!["1000", "0.025"]),
        ("v\n007\n012\n", ';', vec!["007", "012"]),
    ];
    for (values, delimiter, expected) in cases {
        let text: String = values.lines().map(|l| format!("k{delimiter}{l}\n")).collect();
        assert_eq!(column(&read(&text), "v"), expected, "{values}");
    }
    assert_eq!(read("k;v\na;1,5\nb;2,5\n").decimal, ',');
    assert!(warned(&read("k;v\na;1,234\nb;2,345\n"), "ambiguous-separator"));
}

#[test]
fn codes_are_not_numbers_or_missing() {
    let table = read("iso2,code,name\nNA,007,Namibia\nNO,010,Norway\nNE,562,Niger\n");
    assert_eq!(column(&table, "iso2"), ["NA", "NO", "NE"]);
    assert_eq!(column(&table, "code"), ["007", "010", "562"]);
    let table = read("name,comment\nKenya,NA\nUganda,a long remark\nChad,another remark\n");
    assert_eq!(column(&table, "comment")[0], "- flag:NA");
    assert_eq!(column(&read("geo,v\nNA,1\nNO,2\n"), "geo"), ["NA", "NO"]);
}

#[test]
fn headers() {
    let two = read(",Inflows,,Outflows,\nCountry,2000,2001,2000,2001\nIndia,1,2,3,4\n");
    assert_eq!(names(&two), ["Country", "Inflows/2000", "Inflows/2001", "Outflows/2000", "Outflows/2001"]);
    let code = read("Country,Code,Inflows,,\n,,2000,2001,2002\nIndia,IND,1,2,3\n");
    assert_eq!(names(&code), ["Country", "Code", "Inflows/2000", "Inflows/2001", "Inflows/2002"]);
    let units = read("country,remittances,share\n,USD million,%\nIndia,1,2\n");
    assert_eq!(names(&units), ["country", "remittances/USD million", "share/%"]);
    let titled = read("Table 1: Stock of migrants;;\nThousands of persons;;\n;;\nArea;1990;2000\nAsia;1;2\n");
    assert_eq!((titled.header_row, titled.unit.as_deref(), titled.titles.len()), (4, Some("persons thousand"), 2));
    let same = read("a,A,a,a_2,\n1,2,3,4,5\n");
    assert_eq!(names(&same), ["a", "A_3", "a_4", "a_2", "column_5"]);
    assert!(warned(&same, "duplicate-column"));
    assert_eq!(names(&read("a,,b,\n1,,2,\n3,,4,\n")), ["a", "b"]);
    assert_eq!(read("a;b\n").rows(), 0);
    let preamble = read("Source,World Bank\n\ncountry,value\nKenya,1\n");
    assert_eq!(names(&preamble), ["country", "value"]);
}

#[test]
fn notes_and_ragged_records() {
    let noted = read(
        "country,2000\nKenya,1\nSource: IMF, World Bank, national sources\n* Preliminary.\n1/ Including Zanzibar.\n",
    );
    assert_eq!(noted.notes, ["Source: IMF, World Bank, national sources", "* Preliminary.", "1/ Including Zanzibar."]);
    assert_eq!(noted.rows(), 1);
    let padded = read("country;2000;2001\nKenya;1;2\nMonaco;;\n;;\nNote: a;;\n");
    assert_eq!((padded.rows(), padded.notes.len()), (2, 1));
    assert!(refused(b"a,b,c\n1,2,3\n4,5\n6,7,8\n").contains("row 3: the header has 3 cells, but line 3 has 2 cells"));
    // A decimal comma in a file of one column; the first number is no header.
    assert!(refused(b"v\n1,5\n2,5\n").contains("row 2: the header has 1 cell, but line 2 has 2 cells"));
    assert!(warned(&read("1,2\n3,4\n"), "header-looks-like-data"));
    // A file cut in mid-record is ragged, not a table with a note.
    assert!(refused(b"country,1990,2000\nKenya,1,2\nUgan").contains("line 3 has 1 cell"));
    assert!(refused(b"a,b\n1,2\n\"3,4\n5,6\n").contains("row 3: a quote"));
}

#[test]
fn periods_and_dates() {
    let mixed = read("k,t\n1,2003\n2,2003Q4\n3,Dec-03\n4,31/12/2003\n5,FY2003\n");
    assert_eq!(column(&mixed, "t"), ["2003", "2003-Q4", "2003-12", "2003-12-31", "FY2003"]);
    let batch = mixed.to_record_batch().unwrap();
    let fields: Vec<_> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(fields, ["k", "t", "t_text", "t_start", "t_end", "t_grain"]);
    assert_eq!(batch["t_text"].as_string::<i32>().value(2), "Dec-03");
    assert_eq!(batch["t_start"].as_primitive::<Date32Type>().value(1), 12_326);
    assert!(batch["t_end"].is_null(4));
    let settled = read("d\n01/02/2003\n31/12/2003\n");
    assert_eq!(
        (column(&settled, "d"), settled.column("d").unwrap().kind),
        (vec!["2003-02-01".into(), "2003-12-31".into()], ColumnKind::Date)
    );
    let us = read("d\n01/02/2003\n12/31/2003\n");
    assert_eq!(column(&us, "d")[0], "2003-01-02");
    let unsure = read("d\n01/02/2003\n03/04/2003\n");
    assert!(warned(&unsure, "ambiguous-date"));
    assert_eq!(column(&unsure, "d"), ["01/02/2003", "03/04/2003"]);
    assert_eq!(column(&read("t\n2003-04\n2003-05\n2009-10\n"), "t"), ["2003-04", "2003-05", "2009-10"]);
    assert_eq!(column(&read("t\n2003-04\n2009-10\n1999-00\n"), "t"), ["FY2003/04", "FY2009/10", "FY1999/00"]);
    assert_eq!(read("year,v\n1990,1\n2000,2\n").column("year").unwrap().kind, ColumnKind::Integer);
}

#[test]
fn warnings_about_rows() {
    let regions =
        read("Country Name,2000,2001\nLow income,1,2\nKenya,3,4\nArab World,1,2\nEuro area,1,2\nSouth Africa,1,2\n");
    assert_eq!(regions.is_aggregate, [true, false, true, true, false]);
    assert_eq!(regions.to_record_batch().unwrap()["is_aggregate"].as_boolean().true_count(), 3);
    assert!(!warned(
        &read("country,v\nSouth Africa,1\nCentral African Republic,2\nAmerican Samoa,3\n"),
        "aggregate-rows"
    ));
    let twice = read("country,year,v\nNepal,2001,1\nNepal,2002,1\nNepal,2001,2\n");
    assert_eq!(twice.warnings.iter().find(|w| w.code == "duplicate-key").unwrap().lines, [2, 4]);
    assert!(!warned(&read("country,year,v\nNepal,2001,1\nNepal,2002,1\n"), "duplicate-key"));
    assert!(warned(&read("país,v\nEspaÃ±a,1\n"), "mojibake"));
    let hostile = read("country,v\nNo\u{202e}rway,1\nx\u{1b}[31m,2\n");
    assert!(warned(&hostile, "control-characters"));
    assert_eq!(column(&hostile, "country")[0], "No\u{202e}rway");
}

#[test]
fn exact_types() {
    let table = read("k,i,f,d,x\na,9007199254740993,0.1,12345678901234567890.12,1\nb,2,1.25,0.5,..\n");
    let batch = table.to_record_batch().unwrap();
    let types: Vec<_> = batch.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
    assert_eq!(types[1].1, DataType::Int64);
    assert_eq!(types[2].1, DataType::Float64);
    assert_eq!(types[3].1, DataType::Decimal128(22, 2));
    assert_eq!(types[5].0, "x_flag");
    assert_eq!(batch["i"].as_primitive::<Int64Type>().value(0), 9_007_199_254_740_993);
    assert_eq!(batch["d"].as_primitive::<Decimal128Type>().value(1), 50);
    let wide = format!("k,v\na,{}.5\nb,1\n", "9".repeat(50));
    assert_eq!(read(&wide).to_record_batch().unwrap()["v"].data_type(), &DataType::Decimal256(51, 1));
}

#[test]
fn long_form() {
    let table =
        read("country,Inflows,,Outflows,\n,2000,2001,2000,2001\nIndia,1,2p,3,9007199254740993\nWorld,5,6,..,0.5\n");
    assert_eq!((table.years(), table.long_rows()), (vec![2000, 2001], 8));
    let long = table.to_long_record_batch().unwrap().unwrap();
    let fields: Vec<_> = long.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(fields, ["country", "is_aggregate", "series", "year", "value", "value_flag"]);
    assert_eq!(long["series"].as_string::<i32>().value(3), "Outflows");
    assert_eq!(long["value"].data_type(), &DataType::Decimal128(17, 1), "no float may round it");
    assert!(read("a,b\n1,2\n").to_long_record_batch().unwrap().is_none());
}

/// A notes sheet, a data sheet with a title, merged names in rows and columns, a hidden sheet.
fn workbook() -> Vec<u8> {
    let mut book = out::Workbook::new();
    let plain = out::Format::new();
    book.add_worksheet().set_name("Notes").unwrap().write(0, 0, "About").unwrap();
    let sheet = book.add_worksheet().set_name("Flows").unwrap();
    sheet.write(0, 1, "Table 1. Flows").unwrap();
    sheet.write(1, 1, "(US$ million)").unwrap();
    sheet.merge_range(3, 1, 4, 1, "Region", &plain).unwrap();
    sheet.merge_range(3, 2, 4, 2, "Country", &plain).unwrap();
    sheet.merge_range(3, 3, 3, 4, "Inflows", &plain).unwrap();
    sheet.write(4, 3, 2000).unwrap();
    sheet.write(4, 4, "2001e").unwrap();
    sheet.merge_range(5, 1, 6, 1, "East", &plain).unwrap();
    for (row, country) in [(5, "Kenya"), (6, "Uganda"), (7, "Chad")] {
        sheet.write(row, 2, country).unwrap();
        sheet.write(row, 3, 0.1).unwrap();
        sheet.write(row, 4, if row == 7 { ".." } else { "1 234 p" }).unwrap();
    }
    sheet.write(7, 1, "West").unwrap();
    sheet.write(9, 1, "Source: central banks.").unwrap();
    sheet.set_row_hidden(6).unwrap();
    book.add_worksheet().set_name("Old").unwrap().set_hidden(true).write(0, 0, "x").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn workbooks() {
    let table = read_table(&workbook(), "w.xlsx", &Limits::default()).unwrap();
    assert_eq!(names(&table), ["Region", "Country", "Inflows/2000", "Inflows/2001e"]);
    assert_eq!((table.sheet.as_deref(), table.header_row, table.header_rows), (Some("Flows"), 4, 2));
    assert_eq!(
        (table.unit.as_deref(), &table.notes[..]),
        (Some("USD million"), &["Source: central banks.".to_owned()][..])
    );
    assert_eq!(column(&table, "Region"), ["East", "East", "West"]);
    assert_eq!(column(&table, "Inflows/2001e"), ["1234 flag:p", "1234 flag:p", "- flag:.."]);
    assert_eq!(table.years(), [2000, 2001]);
    assert!(warned(&table, "hidden-row") && warned(&table, "hidden-sheet") && warned(&table, "other-sheets"));
    assert_eq!(read_sheet(&workbook(), "w.xlsx", "Old", &Limits::default()).unwrap().columns.len(), 1);
    assert!(read_sheet(&workbook(), "w.xlsx", "None", &Limits::default()).is_err());
}

#[test]
fn refusals_say_what_the_file_is() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n \n", "the file is empty"),
        (b",,,\n,,\n", "holds no table"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"%PDF-1.7", "a PDF"),
        (b"PAR1abc", "Parquet"),
        (b"{\"a\":1}", "JSON"),
        (b"\x00\x01\x02\x03\x04\x05", "binary data"),
    ];
    for (bytes, words) in cases {
        let message = refused(bytes);
        assert!(message.contains(words) && message.starts_with("t.csv") && !message.ends_with('.'), "{message}");
    }
}

#[test]
fn the_report_is_printable() {
    let table = read("a\u{1b}b,v\nx\u{202e}y,1\nz,..\n\nSource: \u{7}bell\n");
    let report = table.report();
    assert!(report.iter().any(|l| l.starts_with("note: Source:")), "{report:?}");
    assert!(report.iter().any(|l| l.contains("missing mark") && l.contains("lines 3")), "{report:?}");
    assert!(!report.concat().contains(|c: char| c.is_control() || c == '\u{202e}'), "{report:?}");
}

/// Rows, first year and filled cells as counted by other means (`data/README.md`).
#[test]
fn publisher_files_keep_every_cell() {
    let Some(folder) = crate::shared("data") else {
        return;
    };
    let cases = [
        ("worldbank_wdi/API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_38454.csv", 266, 10_042),
        ("worldbank_wdi/API_DT.ODA.ALLD.CD_DS2_en_csv_v2_6030.csv", 266, 11_656),
        ("worldbank_wdi/personal-remittances-paid.xls", 266, 8_987),
        ("worldbank_wdi/remittances-received-percent-gdp.xls", 266, 8_602),
        ("worldbank_wdi/sending-cost-to-country.xls", 266, 956),
        ("worldbank_wdi/sending-cost-from-country.xls", 266, 394),
        ("worldbank_wdi/API_NY.GDP.MKTP.CD_DS2_en_excel_v2_5795872.xls", 266, 13_365),
    ];
    for (file, rows, filled) in cases {
        let table = read_table(&std::fs::read(folder.join(file)).unwrap(), file, &Limits::default()).unwrap();
        let values = table.year_columns().iter().map(|(c, _)| c.values.iter().flatten().count()).sum::<usize>();
        assert_eq!((table.rows(), values, table.years()[0]), (rows, filled, 1960), "{file}");
        assert_eq!(table.is_aggregate.iter().filter(|a| **a).count(), 49, "{file}");
    }
    let rpw = "rpw/36d1ed87-9a2d-41da-8eac-c1c25d45fa65_Data.csv.gz";
    let rpw = read_table(&std::fs::read(folder.join(rpw)).unwrap(), rpw, &Limits::default()).unwrap();
    let values: usize = rpw.columns[6..].iter().map(|c| c.values.iter().flatten().count()).sum();
    assert_eq!((rpw.rows(), values, rpw.notes.len()), (5_328, 10_417, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(table) = read_table(&bytes, "p", &Limits::default()) {
            table.to_record_batch().unwrap();
            table.report();
        }
    }

    #[test]
    fn tables_never_panic(text in "([a-z0-9,;\"\n\r .()%*/'éÃ٣-]|20[0-9]{2}|Q[1-4]|NA|\\.\\.|Source: |[0-9],[0-9]{3}){0,120}") {
        if let Ok(table) = read_table(text.as_bytes(), "p", &Limits::default()) {
            prop_assert_eq!(table.to_record_batch().unwrap().num_rows(), table.rows());
            let long = table.to_long_record_batch().unwrap();
            prop_assert_eq!(long.map_or(0, |b| b.num_rows()), table.long_rows());
            table.report();
        }
    }
}
