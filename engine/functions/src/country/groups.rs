//! Income groups as of a day.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{DataType, Date32Type};
use datafusion_common::{Result, exec_err};

use super::lookup::{Lookup, Text, each_distinct, texts};
use super::{Countries, Known};

pub(super) fn income_group(known: Known) -> Lookup {
    let text = Text {
        description: "World Bank income group of an economy: LIC, LMC, UMC or HIC, today's or as of a day. A group holds for the bank's fiscal year, from 1 July. From the tables that ship with envoi, which begin with fiscal year 2022; groups of other editions are in `country_group`. NULL for NULL, for an economy that is not classified, and for days before the tables begin.",
        syntax: "income_group(iso3 [, day])",
        example: "> select income_group('IND'), income_group('IDN', date '2021-08-01');\nLMC, LMC",
        arguments: &[("iso3", "ISO 3166 alpha-3 code."), ("day", "Optional: a date. Without it the group is today's.")],
    };
    let types = [DataType::Utf8View, DataType::Date32];
    Lookup::new("income_group", known, &types, 1, DataType::Utf8View, group, &text)
}

fn group(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let codes = texts(arguments, 0)?;
    let days = match arguments.get(1) {
        Some(days) => match days.as_primitive_opt::<Date32Type>() {
            Some(days) => Some(days),
            None => return exec_err!("`income_group` takes a date as its second argument"),
        },
        None => None,
    };
    let rows = (0..codes.len()).map(|row| {
        let day = match days {
            Some(days) if days.is_null(row) => return None,
            Some(days) => Some(days.value(row)),
            None => None,
        };
        codes.is_valid(row).then(|| (codes.value(row), day))
    });
    let found = each_distinct(rows, |(code, day)| Ok(countries.income_group(code, day)))?;
    Ok(Arc::new(found.into_iter().collect::<StringViewArray>()))
}
