//! The sample lake: published figures that ship with envoi, for a first answer offline.
//!
//! A selection, not a replacement for the publishers' files: nine years, low- and
//! middle-income economies and the largest senders, the largest corridors. A total
//! over it is not a world total. The surveys of households in it are invented, and say so.

mod family;
mod sheet;

use chrono::{NaiveDate, SecondsFormat, Utc};

use crate::country::add_reference;
use crate::error::{Error, Result};
use crate::import::{Rows, Value, descriptor};
use crate::lake::{Change, Lake, NewFile, SourceEdition, checksum};
use crate::tables::{CORRIDOR_FLOW, INDICATOR, MIGRANT_STOCK, OBSERVATION};

pub(crate) use sheet::Sheet;

/// Counts what the sample holds: a lake of another number is not taken for this one.
pub const EDITION: u32 = 2;

/// A column of `economy_year.csv`: an indicator of the World Development Indicators.
struct Indicator {
    column: &'static str,
    code: &'static str,
    name: &'static str,
    unit: &'static str,
    scale: f64,
    vintage: &'static str,
}

/// Vintages as the figures' README states them.
const INDICATORS: [Indicator; 5] = [
    Indicator {
        column: "remittances_received_musd",
        code: "BX.TRF.PWKR.CD.DT",
        name: "Personal remittances, received (current US$)",
        unit: "current US dollars",
        scale: 1e6,
        vintage: "2025-07-01",
    },
    Indicator {
        column: "remittances_paid_musd",
        code: "BM.TRF.PWKR.CD.DT",
        name: "Personal remittances, paid (current US$)",
        unit: "current US dollars",
        scale: 1e6,
        vintage: "2023-05-10",
    },
    Indicator {
        column: "net_oda_received_musd",
        code: "DT.ODA.ALLD.CD",
        name: "Net official development assistance and official aid received (current US$)",
        unit: "current US dollars",
        scale: 1e6,
        vintage: "2025-10-07",
    },
    Indicator {
        column: "gdp_musd",
        code: "NY.GDP.MKTP.CD",
        name: "GDP (current US$)",
        unit: "current US dollars",
        scale: 1e6,
        vintage: "2023-07-25",
    },
    Indicator {
        column: "population_thousands",
        code: "SP.POP.TOTL",
        name: "Population, total",
        unit: "persons",
        scale: 1e3,
        vintage: "2021-09-15",
    },
];

/// Writes the sample as a new lake. One that is there already is an error.
pub async fn write(lake: &Lake) -> Result<u64> {
    if lake.current().await?.is_some() {
        return Err(Error::Usage(format!("there is a lake at `{}` already", lake.store().label())));
    }
    let mut change = Change { operation: "sample".to_owned(), sample: true, ..Change::default() };
    add_reference(&mut change, None)?;
    for indicator in &INDICATORS {
        observations(indicator, &mut change)?;
    }
    corridors(&mut change)?;
    stocks(&mut change)?;
    family::surveys(&mut change)?;
    Ok(lake.publish(change).await?.manifest.version)
}

fn day(text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|e| Error::Internal(format!("`{text}`: {e}")))
}

fn observations(indicator: &Indicator, change: &mut Change) -> Result<()> {
    let sheet = Sheet::open("economy_year.csv")?;
    let vintage = day(indicator.vintage)?;
    let source = descriptor("worldbank.wdi")?;
    let series = format!("{}/{}", source.id, indicator.code);
    let mut rows = Rows::new(&OBSERVATION, series.clone());
    for record in sheet.records() {
        if record.text(indicator.column)?.is_empty() {
            continue;
        }
        let value: f64 = record.parse(indicator.column)?;
        let values = [
            Value::Text(indicator.code),
            Value::Text(record.iso3("iso3")?),
            Value::Date(day(&format!("{}-01-01", record.text("year")?))?),
            Value::Text("A"),
            Value::Number(value * indicator.scale),
            Value::Text(indicator.unit),
            Value::Text(&source.id),
            Value::Date(vintage),
            Value::Null,
        ];
        rows.push(record.number, indicator.column, &values)?;
    }
    let count = rows.len() as u64;
    let mut names = Rows::new(&INDICATOR, series.clone());
    let values = [
        Value::Text(indicator.code),
        Value::Text(indicator.name),
        Value::Text(indicator.unit),
        Value::Null,
        Value::Text(&source.id),
        Value::Date(vintage),
    ];
    names.push(1, indicator.column, &values)?;
    for rows in [rows, names] {
        let table = rows.table;
        change.files.push(NewFile::of(table, &series, &source.id, vintage, &rows.finish(&sheet.place)?)?);
    }
    edition(change, &source.id, &format!("{} {vintage} (selection)", indicator.code), vintage, &sheet, count)
}

fn corridors(change: &mut Change) -> Result<()> {
    let sheet = Sheet::open("corridor_2021.csv")?;
    let vintage = day("2022-12-01")?;
    let source = descriptor("knomad.bilateral_matrix")?;
    let series = format!("{}/2021", source.id);
    let mut rows = Rows::new(&CORRIDOR_FLOW, series.clone());
    for record in sheet.records() {
        let millions: f64 = record.parse("remittances_musd")?;
        let values = [
            Value::Text(record.iso3("sender_iso3")?),
            Value::Text(record.iso3("receiver_iso3")?),
            Value::Integer(record.parse("year")?),
            Value::Number(millions * 1e6),
            Value::Text("published_matrix"),
            Value::Text(&source.id),
            Value::Date(vintage),
            Value::Text("E"),
        ];
        rows.push(record.number, "remittances_musd", &values)?;
    }
    let count = rows.len() as u64;
    change.files.push(NewFile::of(&CORRIDOR_FLOW, &series, &source.id, vintage, &rows.finish(&sheet.place)?)?);
    edition(change, &source.id, "2021, the 200 largest corridors (selection)", vintage, &sheet, count)
}

fn stocks(change: &mut Change) -> Result<()> {
    let sheet = Sheet::open("migrant_stock_2019.csv")?;
    let vintage = day("2019-12-31")?;
    let source = descriptor("undesa.migrant_stock")?;
    let series = format!("{}/pair", source.id);
    let mut rows = Rows::new(&MIGRANT_STOCK, series.clone());
    for record in sheet.records() {
        let values = [
            Value::Text(record.iso3("origin_iso3")?),
            Value::Text(record.iso3("destination_iso3")?),
            Value::Integer(record.parse("year")?),
            Value::Text("both"),
            Value::Number(record.parse("stock_persons")?),
            Value::Text(&source.id),
            Value::Date(vintage),
            Value::Null,
        ];
        rows.push(record.number, "stock_persons", &values)?;
    }
    let count = rows.len() as u64;
    change.files.push(NewFile::of(&MIGRANT_STOCK, &series, &source.id, vintage, &rows.finish(&sheet.place)?)?);
    edition(change, &source.id, "2019, the 300 largest pairs (selection)", vintage, &sheet, count)
}

fn edition(
    change: &mut Change,
    source_id: &str,
    edition: &str,
    vintage: NaiveDate,
    sheet: &Sheet,
    rows: u64,
) -> Result<()> {
    let found = descriptor(source_id)?;
    let sha256 = checksum(&sheet.bytes);
    let given = |f: &&mut NewFile| f.source_id == source_id && f.vintage == vintage && f.from.is_empty();
    for file in change.files.iter_mut().filter(given) {
        file.from.push(sha256.clone());
    }
    change.sources.push(SourceEdition {
        source_id: found.id.clone(),
        provider: found.provider.clone(),
        dataset: found.dataset.clone(),
        edition: edition.to_owned(),
        vintage,
        licence: found.licence.clone(),
        citation: found.citation.replace("{vintage}", &vintage.to_string()),
        url: found.url.clone(),
        file: format!("datasets/sample/{}", sheet.place.file),
        sha256,
        bytes: sheet.bytes.len() as u64,
        rows,
        imported_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        caveats: Some(format!("a selection: no total over it is a world total; {}", found.caveats.join("; "))),
    });
    Ok(())
}
