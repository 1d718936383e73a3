//! `TABLESAMPLE`: rows by chance. The engine below reads over it and gives all rows.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, SetExpr, TableAlias, TableFactor, TableSample, TableSampleKind, Value, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// Makes a query of a table of which a sample is asked for: each row is in it by the same chance.
pub(super) struct Samples;

impl VisitorMut for Samples {
    type Break = Error;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let sample = match factor {
            TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => sample.take(),
            _ => None,
        };
        match sample.map(|sample| sampled(factor, &sample)) {
            Some(Err(error)) => ControlFlow::Break(error),
            Some(Ok(())) | None => ControlFlow::Continue(()),
        }
    }
}

fn sampled(factor: &mut TableFactor, sample: &TableSampleKind) -> Result<()> {
    let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = sample;
    let chance = percent(sample)? / 100.0;
    let parse = |sql: &str| Parser::new(&GenericDialect {}).try_with_sql(sql).and_then(|mut p| p.parse_query());
    let mut query =
        parse(&format!("select * from t where random() < {chance}")).map_err(|e| Error::internal(e.to_string()))?;
    let alias = match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.clone())
        }
        TableFactor::Table { name, .. } => name.0.last().and_then(|n| n.as_ident()).map(named),
        _ => None,
    };
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(from) = select.from.first_mut()
    {
        std::mem::swap(&mut from.relation, factor);
    }
    *factor = TableFactor::Derived { lateral: false, subquery: query, alias, sample: None };
    Ok(())
}

fn named(name: &Ident) -> TableAlias {
    TableAlias { explicit: true, name: name.clone(), columns: Vec::new(), at: None }
}

/// How many of a hundred rows.
fn percent(sample: &TableSample) -> Result<f64> {
    let plain = sample.seed.is_none() && sample.bucket.is_none() && sample.offset.is_none();
    let number = match &sample.quantity {
        Some(quantity) if plain && quantity.unit.is_none() => match &quantity.value {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => digits.parse::<f64>().ok(),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    match number {
        Some(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        Some(percent) => {
            Err(Error::user(format!("a sample of {percent} percent; it is between 0 and 100")).with_state("2202H"))
        }
        None => Err(Error::user("this kind of TABLESAMPLE is not supported")
            .with_state("0A000")
            .with_hint("write `tablesample bernoulli (10)` for about ten rows of a hundred")),
    }
}
