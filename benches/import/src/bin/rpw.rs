//! The firm-level workbook of Remittance Prices Worldwide: 300,000 services of 90 columns over two sheets.
//!
//! ```text
//! cargo run --release -p envoi-bench-import --bin rpw [RUNS]
//! ```
//! The figures are invented; names of columns, kinds of cells (numbers, shared texts, numbers
//! as text in 2024, formulas) and their share are those of the publisher's file.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at the first thing that is not as it should be"
)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use envoi_bench_import::{import_here, measure, median};
use zip::write::{SimpleFileOptions, ZipWriter};

const COLUMNS: usize = 90;
const EARLY: Sheet =
    Sheet { name: "Dataset (up to Q1 2016)", first: 2011 * 4, last: 2016 * 4, rows: 60_000, late: false };
const LATE: Sheet =
    Sheet { name: "Dataset (from Q2 2016)", first: 2016 * 4 + 1, last: 2025 * 4 + 2, rows: 240_000, late: true };

/// A sheet; quarters are counted from the year 0.
struct Sheet {
    name: &'static str,
    first: u64,
    last: u64,
    rows: u64,
    late: bool,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["generate", path] => generate(Path::new(path)),
        ["import", file, lake] => {
            let report = import_here(Path::new(file), Path::new(lake)).unwrap();
            println!("{}", report.files[0].notes.join("\n"));
            // Each service has two prices.
            assert_eq!(report.files[0].rows, 2 * (EARLY.rows + LATE.rows), "{report:?}");
        }
        [] => bench(5),
        [runs] => bench(runs.parse().expect("a number of runs")),
        _ => panic!("usage: rpw [RUNS]"),
    }
}

fn bench(runs: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rpw.xlsx");
    generate(&file);
    let megabytes = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;
    println!("workbook of {megabytes:.1} MB, {} rows x {COLUMNS} columns", EARLY.rows + LATE.rows);
    let runs: Vec<_> = (0..runs).map(|i| measure(&file, &folder.path().join(format!("lake{i}")))).collect();
    for run in &runs {
        println!("{:.2} s, peak {:.0} MiB", run.time.as_secs_f64(), run.peak as f64 / f64::from(1 << 20));
    }
    let middle = median(&runs);
    println!("median {:.2} s, peak {:.0} MiB", middle.time.as_secs_f64(), middle.peak as f64 / f64::from(1 << 20));
}

/// Shared texts of the workbook, in the order of their indices.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    index: HashMap<String, usize>,
}

impl Texts {
    fn add(&mut self, text: &str) -> usize {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        self.all.push(text.to_owned());
        self.index.insert(text.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// One row as XML.
struct Line<'a> {
    xml: String,
    row: u64,
    column: usize,
    texts: &'a mut Texts,
}

impl Line<'_> {
    fn open(&mut self) {
        let mut letters = String::new();
        if self.column >= 26 {
            letters.push(char::from(b'A' + (self.column / 26 - 1) as u8));
        }
        letters.push(char::from(b'A' + (self.column % 26) as u8));
        write!(self.xml, "<c r=\"{letters}{}\"", self.row).unwrap();
        self.column += 1;
    }

    fn text(&mut self, text: &str) {
        self.open();
        let index = self.texts.add(text);
        write!(self.xml, " t=\"s\"><v>{index}</v></c>").unwrap();
    }

    fn number(&mut self, number: f64, as_text: bool) {
        if as_text {
            return self.text(&number.to_string());
        }
        self.open();
        write!(self.xml, "><v>{number}</v></c>").unwrap();
    }

    fn formula(&mut self, formula: &str, value: &str) {
        self.open();
        write!(self.xml, " t=\"str\"><f>{formula}</f><v>{value}</v></c>").unwrap();
    }

    fn skip(&mut self) {
        self.column += 1;
    }
}

fn generate(path: &Path) {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let mut texts = Texts::default();
    let part = |zip: &mut ZipWriter<BufWriter<File>>, name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default().large_file(true)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    part(
        &mut zip,
        "[Content_Types].xml",
        &format!(
            "{head}<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"{kinds}.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{kinds}.worksheet+xml\"/><Override PartName=\"/xl/worksheets/sheet2.xml\" ContentType=\"{kinds}.worksheet+xml\"/><Override PartName=\"/xl/sharedStrings.xml\" ContentType=\"{kinds}.sharedStrings+xml\"/></Types>"
        ),
    );
    part(
        &mut zip,
        "_rels/.rels",
        &format!(
            "{head}<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    part(
        &mut zip,
        "xl/workbook.xml",
        &format!(
            "{head}<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"{}\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"{}\" sheetId=\"2\" r:id=\"rId2\"/></sheets></workbook>",
            EARLY.name, LATE.name
        ),
    );
    part(
        &mut zip,
        "xl/_rels/workbook.xml.rels",
        &format!(
            "{head}<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"rId3\" Type=\"{relations}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
        ),
    );
    for (number, sheet) in [(1, EARLY), (2, LATE)] {
        zip.start_file(format!("xl/worksheets/sheet{number}.xml"), SimpleFileOptions::default().large_file(true))
            .unwrap();
        write!(zip, "{head}<worksheet xmlns=\"{main}\"><sheetData>").unwrap();
        write_sheet(&mut zip, &sheet, &mut texts);
        zip.write_all(b"</sheetData></worksheet>").unwrap();
    }
    let mut shared = format!("{head}<sst xmlns=\"{main}\" uniqueCount=\"{}\">", texts.all.len());
    for text in &texts.all {
        write!(shared, "<si><t>{text}</t></si>").unwrap();
    }
    shared.push_str("</sst>");
    part(&mut zip, "xl/sharedStrings.xml", &shared);
    zip.finish().unwrap().flush().unwrap();
}

const COMMON: [&str; 16] = [
    "id",
    "period",
    "source_code",
    "source_name",
    "source_region",
    "source_income",
    "source_lending",
    "source_G8G20",
    "destination_code",
    "destination_name",
    "destination_region",
    "destination_income",
    "destination_lending",
    "destination_G8G20",
    "firm",
    "firm_type",
];
const QUOTE: [&str; 7] =
    ["lcu amount", "denomination amount", "lcu code", "lcu fee", "lcu fx rate", "fx margin", "total cost %"];

fn header(late: bool) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let mut names = own(&COMMON);
    names.extend(own(if late { &["payment instrument", "access point"] } else { &["product", "sending location"] }));
    names.push("speed actual".to_owned());
    names.extend(["cc1", "cc2"].iter().flat_map(|cc| QUOTE.iter().map(move |q| format!("{cc} {q}"))));
    names.extend(own(&["inter lcu bank fx", "transparent"]));
    names.extend(own(if late {
        &["Standard Note", "note2", "receiving network coverage", "pickup location", "pickup method"]
    } else {
        &["note1", "note2", "coverage", "pick-up method"]
    }));
    names.extend(own(&["date", "corridor"]));
    names.extend((names.len()..COLUMNS).map(|i| format!("further {i}")));
    names
}

fn write_sheet(zip: &mut ZipWriter<BufWriter<File>>, sheet: &Sheet, texts: &mut Texts) {
    let mut dice = Dice(sheet.rows);
    let mut line = Line { xml: String::new(), row: 1, column: 0, texts };
    line.xml.push_str("<row r=\"1\">");
    header(sheet.late).iter().for_each(|name| line.text(name));
    line.xml.push_str("</row>");
    for index in 0..sheet.rows {
        line.row = index + 2;
        line.column = 0;
        write!(line.xml, "<row r=\"{}\" spans=\"1:{COLUMNS}\">", line.row).unwrap();
        service(&mut line, sheet, index, &mut dice);
        line.xml.push_str("</row>");
        if line.xml.len() > 1 << 20 {
            zip.write_all(line.xml.as_bytes()).unwrap();
            line.xml.clear();
        }
    }
    zip.write_all(line.xml.as_bytes()).unwrap();
}

fn service(line: &mut Line<'_>, sheet: &Sheet, index: u64, dice: &mut Dice) {
    const SENDERS: [&str; 8] = ["USA", "GBR", "TZA", "KEN", "SAU", "ARE", "ZAF", "JPN"];
    const RECEIVERS: [&str; 10] = ["MEX", "IND", "PHL", "NGA", "NAM", "KSV", "PAK", "GTM", "UGA", "RWA"];
    // Quarters follow one another, as in the publisher's file.
    let quarter = sheet.first + index * (sheet.last - sheet.first + 1) / sheet.rows;
    let as_text = quarter / 4 == 2024 && quarter % 4 >= 2;
    let (sender, receiver) = (dice.of(&SENDERS), dice.of(&RECEIVERS));
    line.number((index + 1_000_000) as f64, as_text);
    line.text(&format!("{}_{}Q", quarter / 4, quarter % 4 + 1));
    for code in [sender, receiver] {
        line.text(code);
        line.text(&format!("Country of {code}"));
        for words in [
            &["South Asia", "East Asia &amp; Pacific"],
            &["High income", "Low income"],
            &["IBRD", ".."],
            &["..", "G8/G20"],
        ] {
            line.text(dice.of(words));
        }
    }
    line.text(&format!("Firm {}", dice.below(700)));
    line.text(dice.of(&["Bank", "Money Transfer Operator", "Post office", "Mobile operator"]));
    line.text(dice.of(&["Cash", "Bank account transfer", "Debit card,Credit card", "Mobile money"]));
    line.text(dice.of(&["Agent", "Internet", "Bank branch", "Agent,Internet,Mobile phone"]));
    line.text(dice.of(&["Less than one hour", "Same day", "Next day", "2 days", "3-5 days"]));
    let opaque = dice.below(60) == 0;
    let margin = if opaque { 0.0 } else { dice.below(600) as f64 / 100.0 - 0.5 };
    let rate = 1.0 + dice.below(90_000) as f64 / 1000.0;
    for amount in [200.0, 500.0] {
        let local = amount * (1 + dice.below(40)) as f64;
        let fee = (dice.below(1000) as f64 / 10_000.0 * local * 100.0).round() / 100.0;
        let cost = ((100.0 * fee / local + margin) * 100.0).round() / 100.0;
        line.number(local, as_text);
        line.number(amount, as_text);
        line.text(dice.of(&["USD", "GBP", "TZS", "KES"]));
        line.number(fee, as_text);
        line.number(rate, false);
        line.number(margin, as_text);
        line.number(cost, as_text);
    }
    line.number(rate, false);
    line.text(if opaque { "no" } else { "yes" });
    if dice.below(3) == 0 {
        line.text("Account required for detailed price info")
    } else {
        line.skip()
    }
    line.skip();
    line.text(dice.of(&["High", "Medium", "Low"]));
    if sheet.late {
        if dice.below(2) == 0 { line.text("Agent") } else { line.skip() }
    }
    line.text(dice.of(&["Cash", "Bank account", "Mobile wallet"]));
    line.text(&format!("{:02}/Jul/{}", 1 + dice.below(28), quarter / 4));
    if quarter / 4 == 2024 {
        line.formula(&format!("C{0}&amp;I{0}", line.row), &format!("{sender}{receiver}"))
    } else {
        line.text(&format!("{sender}{receiver}"))
    }
    while line.column < COLUMNS {
        match line.column % 3 {
            0 => line.text(dice.of(&["yes", "no", "not known"])),
            1 => line.number(dice.below(100_000) as f64 / 100.0, false),
            _ => line.text(&format!("{receiver}{}", quarter / 4)),
        }
    }
}
