//! Fills the families from a session.

use std::collections::HashMap;

use super::error::Error;
use super::family::{Family, Lorenz};
use super::family_queries::{self as queries, Surveys};
use super::family_rows as rows;
use super::load::{Ask, query};

/// The newest survey of every economy, or of one. Without a survey nothing more is asked.
pub(super) async fn families(ask: &impl Ask, which: Surveys<'_>) -> Result<Vec<Family>, Error> {
    let mut found = rows::surveys(&query(ask, "the surveys", &queries::surveys(which)).await?)?;
    if found.is_empty() {
        return Ok(found);
    }
    let mut effects =
        by_survey(rows::effects(&query(ask, "the effects on families", &queries::effects(which)).await?)?);
    let mut sources = by_survey(rows::sources(&query(ask, "the sources of income", &queries::sources(which)).await?)?);
    // Of many economies neither fifths nor curves are shown.
    let (mut quintiles, curves) = match which {
        Surveys::All => (HashMap::new(), Vec::new()),
        Surveys::Of(_) => (
            by_survey(rows::quintiles(&query(ask, "the fifths", &queries::quintiles(which)).await?)?),
            rows::lorenz(&query(ask, "the Lorenz curves", &queries::lorenz(which)).await?)?,
        ),
    };
    for family in &mut found {
        let id = &family.survey_id;
        family.effects = effects.remove(id).unwrap_or_default();
        family.sources = sources.remove(id).unwrap_or_default();
        family.quintiles = quintiles.remove(id).unwrap_or_default();
        if let Some((_, with, without)) = curves.iter().find(|(survey, ..)| survey == id) {
            family.lorenz = Lorenz { with: with.clone(), without: without.clone() };
        }
    }
    Ok(found)
}

fn by_survey<T>(rows: Vec<(String, T)>) -> HashMap<String, Vec<T>> {
    let mut all: HashMap<String, Vec<T>> = HashMap::new();
    for (survey, row) in rows {
        all.entry(survey).or_default().push(row);
    }
    all
}
