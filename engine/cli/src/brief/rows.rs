//! From record batches to the brief's structs: the one place that knows column
//! names and Arrow types.

use super::data::{Corridor, EconomyYear, GroupYear, GrowthPanel, SourceLine, YearCoverage};
use super::error::Error;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

/// The rows of an answer, read by column name. Every column is cast to one of
/// four types first, so that views of strings, dictionaries and integers of any
/// width read alike.
pub(super) struct Table<'a> {
    what: &'static str,
    batch: &'a RecordBatch,
}

impl Table<'_> {
    pub(super) fn column(&self, name: &'static str, to: &DataType, expected: &'static str) -> Result<ArrayRef, Error> {
        let wrong = |found: String| Error::Shape { what: self.what, column: name, found, expected };
        let column = self.batch.column_by_name(name).ok_or_else(|| wrong("missing".to_owned()))?;
        cast(column, to).map_err(|_| wrong(column.data_type().to_string()))
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Vec<Option<String>>, Error> {
        let column = self.column(name, &DataType::Utf8, "text")?;
        Ok(column.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
    }

    /// Text of a key or a label: missing is empty.
    pub(super) fn label(&self, name: &'static str) -> Result<Vec<String>, Error> {
        Ok(self.text(name)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// What is not finite is not a value.
    pub(super) fn number(&self, name: &'static str) -> Result<Vec<Option<f64>>, Error> {
        let column = self.column(name, &DataType::Float64, "a number")?;
        Ok(column.as_primitive::<Float64Type>().iter().map(|v| v.filter(|v| v.is_finite())).collect())
    }

    pub(super) fn count(&self, name: &'static str) -> Result<Vec<i64>, Error> {
        let column = self.column(name, &DataType::Int64, "an integer")?;
        Ok(column.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default).collect())
    }

    pub(super) fn years(&self) -> Result<Vec<i32>, Error> {
        Ok(self.count("year")?.into_iter().map(|y| i32::try_from(y).unwrap_or_default()).collect())
    }

    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    fn flag(&self, name: &'static str) -> Result<Vec<Option<bool>>, Error> {
        let column = self.column(name, &DataType::Boolean, "a boolean")?;
        Ok(column.as_boolean().iter().collect())
    }
}

pub(super) fn each<T>(
    what: &'static str,
    batches: &[RecordBatch],
    read: impl Fn(&Table<'_>, &mut Vec<T>) -> Result<(), Error>,
) -> Result<Vec<T>, Error> {
    let mut out = Vec::new();
    for batch in batches.iter().filter(|b| b.num_rows() > 0) {
        read(&Table { what, batch }, &mut out)?;
    }
    Ok(out)
}

/// Rows of `queries::COVERAGE`.
pub(crate) fn coverage(batches: &[RecordBatch]) -> Result<Vec<YearCoverage>, Error> {
    each("the coverage", batches, |t, out| {
        let (year, remittance, oda) = (t.years()?, t.count("with_remittance")?, t.count("with_oda")?);
        let (both, gdp) = (t.count("with_both")?, t.count("with_gdp_share")?);
        out.extend((0..t.batch.num_rows()).map(|i| YearCoverage {
            year: year[i],
            with_remittance: remittance[i],
            with_oda: oda[i],
            with_both: both[i],
            with_gdp_share: gdp[i],
        }));
        Ok(())
    })
}

/// Rows of `queries::GROUPS`.
pub(crate) fn groups(batches: &[RecordBatch]) -> Result<Vec<GroupYear>, Error> {
    each("the groups", batches, |t, out| {
        let (kind, code, name) = (t.label("group_kind")?, t.label("group_code")?, t.label("group_name")?);
        let (year, economies, both) = (t.years()?, t.count("economies")?, t.count("economies_with_both")?);
        let (exceeding, remittance) = (t.count("economies_exceeding")?, t.number("remittance_usd")?);
        let (oda, ratio, coverage) = (t.number("oda_usd")?, t.number("remit_oda_ratio")?, t.number("coverage_share")?);
        out.extend((0..t.batch.num_rows()).map(|i| GroupYear {
            kind: kind[i].clone(),
            code: code[i].clone(),
            name: name[i].clone(),
            year: year[i],
            economies: economies[i],
            with_both: both[i],
            exceeding: exceeding[i],
            remittance_usd: remittance[i],
            oda_usd: oda[i],
            ratio: ratio[i],
            coverage: coverage[i],
        }));
        Ok(())
    })
}

/// Rows of `queries::economies` and `queries::series`.
pub(crate) fn economies(batches: &[RecordBatch]) -> Result<Vec<EconomyYear>, Error> {
    each("the economies", batches, |t, out| {
        let (iso3, name, year) = (t.label("iso3")?, t.label("name_en")?, t.years()?);
        let income = t.text("income_group")?;
        let (remittance, oda) = (t.number("remittance_usd")?, t.number("oda_usd")?);
        let (ratio, exceeds) = (t.number("remit_oda_ratio")?, t.flag("remit_exceeds_oda")?);
        let share = t.number("remittance_gdp_share")?;
        let (head, oda_head) = (t.number("remittance_per_head_usd")?, t.number("oda_per_head_usd")?);
        out.extend((0..t.batch.num_rows()).map(|i| EconomyYear {
            iso3: iso3[i].clone(),
            name: if name[i].is_empty() { iso3[i].clone() } else { name[i].clone() },
            year: year[i],
            income: income[i].clone(),
            remittance_usd: remittance[i],
            oda_usd: oda[i],
            ratio: ratio[i],
            exceeds: exceeds[i],
            remittance_gdp_share: share[i],
            remittance_per_head_usd: head[i],
            oda_per_head_usd: oda_head[i],
        }));
        Ok(())
    })
}

/// Rows of `queries::NAMES`.
pub(crate) fn names(batches: &[RecordBatch]) -> Result<Vec<(String, String)>, Error> {
    each("the names", batches, |t, out| {
        out.extend(t.label("iso3")?.into_iter().zip(t.label("name_en")?));
        Ok(())
    })
}

/// Rows of `queries::panels`.
pub(crate) fn panels(batches: &[RecordBatch]) -> Result<Vec<GrowthPanel>, Error> {
    each("the growth", batches, |t, out| {
        let (year, economies) = (t.years()?, t.count("economies")?);
        let (remittance, previous) = (t.number("remittance_usd")?, t.number("previous_usd")?);
        out.extend((0..t.batch.num_rows()).filter_map(|i| {
            Some(GrowthPanel {
                year: year[i],
                economies: economies[i],
                remittance_usd: remittance[i]?,
                previous_usd: previous[i]?,
            })
        }));
        Ok(())
    })
}

/// Rows of `queries::corridors`.
pub(crate) fn corridors(batches: &[RecordBatch]) -> Result<Vec<Corridor>, Error> {
    each("the corridors", batches, |t, out| {
        let (sender, sender_name) = (t.label("sender_iso3")?, t.label("sender_name_en")?);
        let (receiver, receiver_name) = (t.label("receiver_iso3")?, t.label("receiver_name_en")?);
        let (year, usd) = (t.years()?, t.number("remittance_usd")?);
        let (receiver_share, sender_share) = (t.number("receiver_share")?, t.number("sender_share")?);
        let named = |name: &String, iso3: &String| {
            if name.is_empty() { iso3.clone() } else { name.clone() }
        };
        out.extend((0..t.batch.num_rows()).filter_map(|i| {
            Some(Corridor {
                sender_iso3: sender[i].clone(),
                sender_name: named(&sender_name[i], &sender[i]),
                receiver_iso3: receiver[i].clone(),
                receiver_name: named(&receiver_name[i], &receiver[i]),
                year: year[i],
                remittance_usd: usd[i]?,
                receiver_share: receiver_share[i],
                sender_share: sender_share[i],
            })
        }));
        Ok(())
    })
}

/// Rows of `queries::FEEDS`: figure, source, vintage.
pub(crate) fn feeds(batches: &[RecordBatch]) -> Result<Vec<(String, String, String)>, Error> {
    each("the origin of the figures", batches, |t, out| {
        let (figure, source, vintage) = (t.label("figure")?, t.label("source_id")?, t.label("vintage")?);
        out.extend(figure.into_iter().zip(source).zip(vintage).map(|((f, s), v)| (f, s, v)));
        Ok(())
    })
}

/// Rows of `queries::SOURCES`; what they feed is not filled yet.
pub(crate) fn sources(batches: &[RecordBatch]) -> Result<Vec<SourceLine>, Error> {
    each("the sources", batches, |t, out| {
        let (id, provider, dataset) = (t.label("source_id")?, t.label("provider")?, t.label("dataset")?);
        let (vintage, licence, citation) = (t.label("vintage")?, t.label("licence")?, t.label("citation")?);
        let (url, caveats) = (t.text("url")?, t.text("caveats")?);
        out.extend((0..t.batch.num_rows()).map(|i| SourceLine {
            figures: Vec::new(),
            source_id: id[i].clone(),
            provider: provider[i].clone(),
            dataset: dataset[i].clone(),
            vintage: vintage[i].clone(),
            licence: licence[i].clone(),
            citation: citation[i].clone(),
            url: url[i].clone(),
            caveats: caveats[i].clone(),
        }));
        Ok(())
    })
}
