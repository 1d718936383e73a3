//! The CSV files of the sample, which are part of the program.

use rust_embed::RustEmbed;

use crate::country::Iso3;
use crate::error::{Error, Place, Result};

#[derive(RustEmbed)]
#[folder = "../../datasets/sample"]
struct Files;

/// A CSV file of the sample.
pub(crate) struct Sheet {
    pub(crate) place: Place,
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
    pub(crate) bytes: Vec<u8>,
}

impl Sheet {
    pub(crate) fn open(name: &str) -> Result<Self> {
        let wrong = |why: String| Error::Internal(format!("datasets/sample/{name}: {why}"));
        let file = Files::get(name).ok_or_else(|| wrong("not embedded".to_owned()))?;
        let mut reader = csv::Reader::from_reader(file.data.as_ref());
        let header = reader.headers().map_err(|e| wrong(e.to_string()))?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<std::result::Result<_, _>>().map_err(|e| wrong(e.to_string()))?;
        Ok(Self { place: Place::file(name), header, rows, bytes: file.data.to_vec() })
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (2u64..).zip(&self.rows).map(|(number, row)| Record { sheet: self, number, row })
    }
}

/// A line of a sheet.
pub(crate) struct Record<'a> {
    sheet: &'a Sheet,
    pub(crate) number: u64,
    row: &'a csv::StringRecord,
}

impl<'a> Record<'a> {
    fn place(&self, column: &str) -> Place {
        self.sheet.place.clone().row(self.number).column(column)
    }

    pub(crate) fn text(&self, column: &str) -> Result<&'a str> {
        let index = self.sheet.header.iter().position(|h| h == column);
        index.and_then(|i| self.row.get(i)).ok_or_else(|| Error::data(self.place(column), "is missing"))
    }

    pub(crate) fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        text.parse().map_err(|_| Error::data(self.place(column), format!("`{text}` is not a number")))
    }

    pub(crate) fn iso3(&self, column: &str) -> Result<&'a str> {
        let text = self.text(column)?;
        Iso3::new(text)
            .map(|_| text)
            .ok_or_else(|| Error::data(self.place(column), format!("`{text}` is not an ISO 3166 alpha-3 code")))
    }
}
