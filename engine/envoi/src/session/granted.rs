//! Whether grants can be kept: what they name is there, and what they ask can be asked.

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::ExprSchemable;
use envoi_lake::tables;

use super::Session;
use crate::catalogue::CATALOGUE;
use crate::error::{Error, Result, nearest};
use crate::privacy::Grants;

/// Schemas that grants may name.
const SCHEMAS: [&str; 4] = ["lake", "mart", "model", "staging"];

impl Session {
    /// Of the owner's session, which sees everything; `reader` is one with the grants.
    pub(super) async fn checked(&self, reader: &Self, grants: &Grants) -> Result<()> {
        for schema in grants.schemas.iter().flatten() {
            known(schema)?;
        }
        for name in grants.named() {
            let (schema, table) = name.split_once('.').unwrap_or(("", name));
            let columns = self.columns(schema, table).await?;
            for column in grants.denied.get(name).into_iter().flatten() {
                denied(&columns, name, column)?;
            }
            if let Some(sql) = grants.rows.get(name) {
                self.condition(&columns, name, sql)?;
                // Where rows are kept, they are kept in the end: all of it is planned once.
                let sql = format!("select count(*) from {schema}.\"{table}\"");
                if grants.allows(schema, table) && !tables::table(table).is_some_and(|t| t.microdata) {
                    reader.prepare(&sql, &[]).await?;
                }
            }
        }
        Ok(())
    }

    async fn columns(&self, schema: &str, table: &str) -> Result<SchemaRef> {
        known(schema)?;
        let state = self.0.context.state();
        let catalogue = state.catalog_list().catalog(CATALOGUE);
        let provider =
            catalogue.and_then(|c| c.schema(schema)).ok_or_else(|| Error::internal("the catalogue is gone"))?;
        match provider.table(table).await.map_err(|e| Error::from_datafusion(&e, ""))? {
            Some(found) => Ok(found.schema()),
            None => Err(missing(&format!("table `{schema}.{table}`"), table, &provider.table_names())),
        }
    }

    fn condition(&self, columns: &SchemaRef, table: &str, sql: &str) -> Result<()> {
        let wrong = |e: Error| {
            Error::user(format!("the condition of `{table}`, `{sql}`: {}", e.message()))
                .with_hint("a condition over the columns of the table, such as `iso3 = 'MEX'`, without queries")
        };
        let schema = DFSchema::try_from(std::sync::Arc::clone(columns)).map_err(|e| Error::from_datafusion(&e, sql))?;
        let state = self.0.context.state();
        let condition = state.create_logical_expr(sql, &schema).map_err(|e| wrong(Error::from_datafusion(&e, sql)))?;
        let of = condition.get_type(&schema).map_err(|e| wrong(Error::from_datafusion(&e, sql)))?;
        if of != DataType::Boolean {
            return Err(wrong(Error::user(format!("is no condition but a value of type {of}"))));
        }
        state.create_physical_expr(condition, &schema).map_err(|e| wrong(Error::from_datafusion(&e, sql)))?;
        Ok(())
    }
}

fn known(schema: &str) -> Result<()> {
    if SCHEMAS.contains(&schema) {
        return Ok(());
    }
    Err(missing(&format!("schema `{schema}`"), schema, &SCHEMAS.map(str::to_owned)))
}

fn missing(what: &str, name: &str, all: &[String]) -> Error {
    let error = Error::user(format!("{what} does not exist"));
    match nearest(name, all.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error.with_hint(format!("there are {}", all.join(", "))),
    }
}

fn denied(columns: &SchemaRef, table: &str, column: &str) -> Result<()> {
    if columns.index_of(column).is_err() {
        let names: Vec<String> = columns.fields().iter().map(|f| f.name().clone()).collect();
        return Err(missing(&format!("column `{table}.{column}`"), column, &names));
    }
    let microdata = table.strip_prefix("lake.").and_then(tables::table).filter(|t| t.microdata);
    if microdata.is_some_and(|t| t.key.contains(&column)) {
        return Err(Error::user(format!("column `{table}.{column}` tells households apart and cannot be denied"))
            .with_hint("no row of households is shown to readers, whatever they may name"));
    }
    Ok(())
}
