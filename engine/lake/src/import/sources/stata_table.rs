//! A Stata data set that no table of the lake is for: known by its variables, kept in
//! `staging` with types, labels and units.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::import::descriptor::Descriptor;
use crate::import::importer::{Context, Imported, Importer, Recognition, Staged};
use crate::import::input::Input;
use crate::read::{Dta, Kind, Limits};

pub(super) struct StataTable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Table in schema `staging`.
    table: String,
    /// Variables that the data set has, and no fewer than `least` of all.
    marks: Vec<String>,
    least: usize,
    /// Unit of a variable; `*` is that of every one without another, if it is a number.
    #[serde(default)]
    units: BTreeMap<String, String>,
}

/// Rows decoded at once.
const CHUNK: usize = 8192;

/// All rows of a Stata data set, with its labels as metadata.
pub(in crate::import) fn rows(input: &Input, limits: &Limits) -> Result<RecordBatch> {
    let dta = Dta::open(input.bytes.clone(), &input.name, limits)?;
    let batches = dta.batches(None, CHUNK)?.collect::<Result<Vec<_>>>()?;
    Ok(concat_batches(&dta.schema(), &batches)?)
}

impl Importer for StataTable {
    fn id(&self) -> &'static str {
        "stata_table"
    }

    fn recognise(&self, input: &Input, descriptor: &Descriptor) -> Result<Recognition> {
        if input.kind != Kind::Stata {
            return Ok(Recognition::No);
        }
        let settings: Settings = descriptor.settings()?;
        let schema = Dta::open(input.bytes.clone(), &input.name, &Limits::default())?.schema();
        let ours = schema.fields().len() >= settings.least
            && settings.marks.iter().all(|name| schema.field_with_name(name).is_ok());
        Ok(if ours { Recognition::Yes } else { Recognition::No })
    }

    fn import(&self, input: &Input, context: &Context<'_>) -> Result<Imported> {
        let settings: Settings = context.descriptor.settings()?;
        let mut notes = Vec::new();
        let vintage = input.edition_day(context.vintage, &mut notes)?;
        let batch = rows(input, context.limits)?;
        if batch.num_rows() == 0 {
            return Err(Error::data(input.place(), "has no row"));
        }
        let batch = with_units(&batch, &settings)?;
        notes.push(format!(
            "{} rows of {} variables, in `staging.{}`",
            batch.num_rows(),
            batch.num_columns(),
            settings.table
        ));
        notes.extend(settings.units.iter().map(|(name, unit)| match name.as_str() {
            "*" => format!("numbers are read as {unit}, which the file does not say"),
            name => format!("`{name}` is read as {unit}, which the file does not say"),
        }));
        Ok(Imported {
            place: input.place(),
            edition: format!("{} {vintage}", settings.table),
            vintage,
            rows: Vec::new(),
            files: Vec::new(),
            staged: vec![Staged::of(settings.table.as_str(), batch)],
            notes,
        })
    }
}

fn with_units(batch: &RecordBatch, settings: &Settings) -> Result<RecordBatch> {
    let schema = batch.schema();
    let fields = schema.fields().iter().map(|field| {
        let every = || settings.units.get("*").filter(|_| field.data_type().is_floating());
        let Some(unit) = settings.units.get(field.name()).or_else(every) else { return Arc::clone(field) };
        let mut metadata: HashMap<String, String> = field.metadata().clone();
        metadata.insert("unit".to_owned(), unit.clone());
        Arc::new(Field::clone(field).with_metadata(metadata))
    });
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone());
    Ok(RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())?)
}
