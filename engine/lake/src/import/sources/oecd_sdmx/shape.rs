//! What a value is, said by the codes of its row other than place and year.

use csv::ByteRecord;

use super::columns::{Columns, NOT_APPLICABLE, Role, Settings, code_of};
use crate::error::{Error, Place, Result};

/// Everything that rows with the same codes share.
#[derive(Debug)]
pub(super) struct Shape {
    /// What editions replace one another in.
    pub(super) series: String,
    pub(super) donor: String,
    pub(super) measure: String,
    pub(super) price: String,
    pub(super) flow: String,
    /// Code of the indicator, where the value is no row of `aid_flow`.
    pub(super) indicator: String,
    /// The publisher's words for it, or the code again.
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) status: Option<String>,
    /// Year of constant prices.
    pub(super) base: Option<String>,
    /// All dimensions beyond those of `aid_flow` stand for their total.
    pub(super) aid: bool,
    /// From the file's unit to the base unit.
    pub(super) factor: f64,
    /// The power of ten that is in the factor.
    pub(super) exponent: i32,
}

/// What is to be done with a row.
pub(super) enum Lot {
    Take(Box<Shape>),
    Leave,
}

/// Text of a cell; a code that is not UTF-8 is named by what could be read of it.
pub(super) fn text(record: &ByteRecord, at: usize) -> String {
    String::from_utf8_lossy(record.get(at).unwrap_or_default()).trim().to_owned()
}

pub(super) fn shape(
    record: &ByteRecord,
    columns: &Columns,
    settings: &Settings,
    source_id: &str,
    place: &dyn Fn(&str) -> Place,
) -> Result<Lot> {
    let cell = |role: &Role| columns.coded.iter().find(|c| c.role == *role).map(|c| text(record, c.at));
    let code = |role: &Role| cell(role).map(|text| code_of(&text).to_owned()).unwrap_or_default();
    if let Some(leave) = &settings.leave
        && leave.codes.contains(&code(&Role::Detail(leave.dimension.clone())))
    {
        return Ok(Lot::Leave);
    }
    let [donor, measure, flow, price, unit, multiplier, base, status] =
        [Role::Donor, Role::Measure, Role::Flow, Role::Price, Role::Unit, Role::Multiplier, Role::Base, Role::Status]
            .map(|role| code(&role));
    let dollars = unit.is_empty() || unit == "USD";
    if settings.aid_flow && !dollars {
        let what = format!("`{unit}` is not USD; only US dollars are imported");
        return Err(Error::data(place("UNIT_MEASURE"), what));
    }
    let exponent = if multiplier.is_empty() { Some(0) } else { multiplier.parse::<i32>().ok() };
    let exponent = exponent.filter(|e| (-12..=12).contains(e)).ok_or_else(|| {
        let what = format!("`{multiplier}` is not a power of ten; expected such as `6` for millions");
        Error::data(place("UNIT_MULT"), what)
    })?;

    let mut detail = Vec::new();
    for coded in &columns.coded {
        let Role::Detail(dimension) = &coded.role else { continue };
        let code = code(&coded.role);
        let all = settings.total.get(dimension).and_then(toml::Value::as_array);
        let total = all.is_some_and(|all| all.iter().any(|c| c.as_str() == Some(&code)));
        if !total && !code.is_empty() && code != NOT_APPLICABLE {
            detail.push(format!("{dimension}={code}"));
        }
    }
    let aid = settings.aid_flow && detail.is_empty();
    let own_unit = (!dollars).then(|| unit.clone());
    let parts = [&donor, &measure, &price, &flow].into_iter().filter(|part| !part.is_empty());
    let parts = std::iter::once(&settings.prefix).chain(parts).chain(own_unit.as_ref()).chain(&detail);
    let indicator = parts.cloned().collect::<Vec<_>>().join(".");
    let series = [source_id, &donor, &measure, &price].into_iter().filter(|part| !part.is_empty());
    let series = series.collect::<Vec<_>>().join("/");

    let constant = (price == "Q" && !base.is_empty()).then(|| base.clone());
    let unit = if unit.is_empty() { "USD" } else { &unit };
    let words = settings.units.get(unit).and_then(toml::Value::as_str).unwrap_or(unit);
    let unit = constant.as_ref().map_or_else(|| words.to_owned(), |year| format!("{words} at prices of {year}"));
    let name = words_of(record, columns);
    Ok(Lot::Take(Box::new(Shape {
        name: if name.is_empty() { indicator.clone() } else { name },
        series,
        donor,
        measure,
        price,
        flow,
        indicator,
        unit,
        status: Some(status).filter(|s| !s.is_empty()),
        base: constant,
        aid,
        factor: 10f64.powi(exponent),
        exponent,
    })))
}

/// The labels of all codes that say what is measured.
fn words_of(record: &ByteRecord, columns: &Columns) -> String {
    let named = columns
        .coded
        .iter()
        .filter(|c| matches!(c.role, Role::Donor | Role::Measure | Role::Flow | Role::Price | Role::Detail(_)));
    let labels = named.filter_map(|c| {
        let cell = text(record, c.at);
        if code_of(&cell) == NOT_APPLICABLE {
            return None;
        }
        let label = match (cell.split_once(':'), c.label) {
            (Some((_, label)), _) => label.trim().to_owned(),
            (None, Some(at)) => text(record, at),
            (None, None) => String::new(),
        };
        Some(label).filter(|l| !l.is_empty())
    });
    labels.collect::<Vec<_>>().join(", ")
}
