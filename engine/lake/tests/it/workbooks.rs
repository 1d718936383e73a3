//! Workbooks in the publishers' layouts, with invented round figures.

use rust_xlsxwriter::{Format, Workbook, Worksheet};

/// A cell to write.
#[derive(Clone, Copy)]
pub(crate) enum V<'a> {
    /// Text.
    T(&'a str),
    /// Number.
    N(f64),
    /// Nothing.
    E,
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, value: V<'_>) {
    match value {
        V::T(text) => drop(sheet.write(row, column, text).unwrap()),
        V::N(number) => drop(sheet.write(row, column, number).unwrap()),
        V::E => {}
    }
}

/// A workbook of one sheet.
pub(crate) fn sheet(name: &str, rows: &[Vec<V<'_>>]) -> Vec<u8> {
    sheets(&[(name, rows)])
}

/// A workbook of several.
pub(crate) fn sheets(all: &[(&str, &[Vec<V<'_>>])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in all {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(cells) {
                write(sheet, row, column, *cell);
            }
        }
    }
    book.save_to_buffer().unwrap()
}

/// A remittance matrix in millions of US$: `cells` are rows of the lower left body.
pub(crate) struct Matrix<'a> {
    pub(crate) sheet: &'a str,
    pub(crate) title: &'a str,
    pub(crate) corner: &'a str,
    pub(crate) down: &'a [&'a str],
    pub(crate) across: &'a [&'a str],
    pub(crate) cells: &'a [&'a [V<'a>]],
}

pub(crate) const TITLE_2021: &str = "Bilateral Remittance Estimates for 2021 using Migrant Stocks, Host Country Incomes, and Origin Country Incomes (millions of US$) (December 2022 Version)";
pub(crate) const CORNER: &str =
    "Remittance-receiving country (across)        -         Remittance-sending country (down) ";
pub(crate) const CORNER_SWAPPED: &str =
    "Remittance-sending country (across)        -         Remittance-receiving country (down) ";
pub(crate) const DOWN: &[&str] = &["Mexico", "Namibia", "United States"];
pub(crate) const ACROSS: &[&str] = &["Kenya", "Mexico", "United States"];
pub(crate) const CELLS: &[&[V<'static>]] =
    &[&[V::N(1.5), V::E, V::N(1844.684)], &[V::N(0.25), V::T(" "), V::N(2.0)], &[V::N(300.0), V::N(52595.343), V::E]];

impl Default for Matrix<'_> {
    fn default() -> Self {
        Self { sheet: "FINAL BRM 2021", title: TITLE_2021, corner: CORNER, down: DOWN, across: ACROSS, cells: CELLS }
    }
}

impl Matrix<'_> {
    fn number(&self, row: usize, column: usize) -> f64 {
        if let V::N(n) = self.cells[row][column] { n } else { 0.0 }
    }

    pub(crate) fn rows(&self) -> Vec<Vec<V<'_>>> {
        let mut rows = vec![vec![V::T(self.title)]];
        let names = self.across.iter().map(|n| V::T(n));
        rows.push([V::T(self.corner)].into_iter().chain(names).chain([V::T("WORLD")]).collect());
        let width = self.across.len();
        for (index, label) in self.down.iter().enumerate() {
            let total: f64 = (0..width).map(|c| self.number(index, c)).sum();
            rows.push(
                [V::T(label)].into_iter().chain(self.cells[index].iter().copied()).chain([V::N(total)]).collect(),
            );
        }
        let totals: Vec<f64> = (0..width).map(|c| (0..self.down.len()).map(|r| self.number(r, c)).sum()).collect();
        let world = totals.iter().sum();
        rows.push([V::T("WORLD")].into_iter().chain(totals.into_iter().map(V::N)).chain([V::N(world)]).collect());
        rows.push(vec![]);
        rows.push(vec![V::T("Note: a footnote of the publisher, with 2019 in it.")]);
        rows
    }

    pub(crate) fn book(&self) -> Vec<u8> {
        sheet(self.sheet, &self.rows())
    }
}

/// A table of migrant stocks: labels before the years, then years by sex.
pub(crate) struct Stocks<'a> {
    pub(crate) sheet: &'a str,
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    pub(crate) mark: &'a str,
    pub(crate) labels: &'a [&'a str],
    pub(crate) years: &'a [i32],
    pub(crate) rows: Vec<Vec<V<'a>>>,
}

pub(crate) const SEXES: [&str; 3] = [
    "International migrant stock at mid-year, both sexes combined",
    "International migrant stock at mid-year, males",
    "International migrant stock at mid-year, females",
];

impl Stocks<'_> {
    pub(crate) fn book(&self) -> Vec<u8> {
        let mut book = Workbook::new();
        book.add_worksheet().set_name("Table of contents").unwrap();
        let sheet = book.add_worksheet().set_name(self.sheet).unwrap();
        for (row, text) in (1..).zip([self.title, self.subtitle, self.mark]) {
            sheet.write(row, 4, text).unwrap();
        }
        let first = self.labels.len() as u16;
        for (index, sex) in (0u16..).zip(SEXES) {
            let (from, to) =
                (first + index * self.years.len() as u16, first + (index + 1) * self.years.len() as u16 - 1);
            if from == to {
                sheet.write(7, from, sex).unwrap();
            } else {
                sheet.merge_range(7, from, 9, to, sex, &Format::new()).unwrap();
            }
        }
        for (column, label) in (0..).zip(self.labels) {
            sheet.write(10, column, *label).unwrap();
        }
        for (column, year) in (first..).zip(self.years.repeat(3)) {
            sheet.write(10, column, year).unwrap();
        }
        for (row, cells) in (11..).zip(&self.rows) {
            for (column, cell) in (0..).zip(cells) {
                write(sheet, row, column, *cell);
            }
        }
        book.save_to_buffer().unwrap()
    }
}

/// The workbook of 2020 by destination: world 60 + 40 and 66 + 44.
pub(crate) fn stocks_2020() -> Stocks<'static> {
    use V::{E, N, T};
    let row = |i: f64, name, code: f64, kind, both: [f64; 2], male: [f64; 2]| {
        let [a, b] = both;
        let [c, d] = male;
        vec![N(i), T(name), E, N(code), kind, N(a), N(b), N(c), N(d), N(a - c), N(b - d)]
    };
    Stocks {
        sheet: "Table 1",
        title: "International Migrant Stock 2020: Destination",
        subtitle: "Table 1: International migrant stock at mid-year by sex and by region, country or area of destination, 1990-2020",
        mark: "POP/DB/MIG/Stock/Rev.2020",
        labels: &["", "Region, development group, country or area", "Notes", "Location code", "Type of data"],
        years: &[2015, 2020],
        rows: vec![
            row(1.0, "WORLD", 900.0, E, [100.0, 110.0], [50.0, 55.0]),
            row(2.0, "  Sub-Saharan Africa", 947.0, E, [60.0, 66.0], [30.0, 33.0]),
            row(3.0, "    Namibia", 516.0, T("B R "), [60.0, 66.0], [30.0, 33.0]),
            row(4.0, "    United States of America*", 840.0, T("B"), [40.0, 44.0], [20.0, 22.0]),
            vec![],
            vec![T("* including territories")],
        ],
    }
}

/// The layout of 2024 by destination and origin, with residual origins.
pub(crate) fn stocks_2024_pairs() -> Stocks<'static> {
    use V::{E, N, T};
    let row = |i: f64, to, to_code: f64, kind, from, from_code: f64, both: f64, male: f64| {
        vec![N(i), T(to), E, N(to_code), kind, T(from), N(from_code), N(both), N(male), N(both - male)]
    };
    Stocks {
        sheet: "Table 1",
        title: "International Migrant Stock 2024: Destination and origin",
        subtitle: "Table 1: International migrant stock at mid-year by sex and by region, country or area of destination and origin, 2024",
        mark: "POP/DB/MIG/Stock/Rev.2024",
        labels: &[
            "Index",
            "Region, development group, country or area of destination",
            "Notes of destination",
            "Location code of destination",
            "Type of data of destination",
            "Region, development group, country or area of origin",
            "Location code of origin",
        ],
        years: &[2024],
        rows: vec![
            row(1.0, "World", 900.0, E, "World", 900.0, 1000.0, 480.0),
            row(2.0, "World", 900.0, E, "Mexico", 484.0, 700.0, 350.0),
            row(3.0, "Northern America", 905.0, E, "Mexico", 484.0, 700.0, 350.0),
            row(4.0, "United States of America*", 840.0, T("B"), "World", 900.0, 950.0, 450.0),
            row(5.0, "United States of America*", 840.0, T("B"), "Mexico", 484.0, 700.0, 350.0),
            row(6.0, "United States of America*", 840.0, T("B"), "Namibia", 516.0, 50.0, 25.0),
            row(7.0, "United States of America*", 840.0, T("B"), "Other", 2003.0, 200.0, 75.0),
            row(8.0, "Kenya", 404.0, T("B R"), "World", 900.0, 50.0, 30.0),
            row(9.0, "Kenya", 404.0, T("B R"), "United States of America*", 840.0, 50.0, 30.0),
        ],
    }
}
