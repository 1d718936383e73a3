//! From record batches to families.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Float64Type};

use super::error::Error;
use super::family::{Balance, Effect, Family, IncomeSource, Quintile};
use super::rows::{Table, each};

/// Rows of `family_queries::surveys`.
pub(crate) fn surveys(batches: &[RecordBatch]) -> Result<Vec<Family>, Error> {
    each("the surveys", batches, |t, out| {
        let (id, name, year) = (t.label("survey_id")?, t.label("name")?, t.years()?);
        let (source_id, vintage, currency) = (t.label("source_id")?, t.label("vintage")?, t.label("currency")?);
        let (sampled, households) = (t.count("households_sampled")?, t.number("households")?);
        let (line, line_missing, poverty_line) = (t.number("line")?, t.text("line_missing")?, t.label("poverty_line")?);
        let (scale, counterfactual) = (t.label("equivalence_scale")?, t.label("counterfactual")?);
        let (survey_usd, balance_usd) = (t.number("survey_usd")?, t.number("balance_usd")?);
        let (capture, missing) = (t.number("capture_ratio")?, t.text("missing")?);
        let (oda, gdp_share) = (t.number("oda_usd")?, t.number("gdp_share")?);
        let (head, oda_head) = (t.number("remittance_per_head_usd")?, t.number("oda_per_head_usd")?);
        out.extend((0..t.rows()).map(|i| Family {
            survey_id: id[i].clone(),
            name: name[i].clone(),
            year: year[i],
            source_id: source_id[i].clone(),
            vintage: vintage[i].clone(),
            currency: currency[i].clone(),
            households_sampled: sampled[i],
            households: households[i],
            poverty_line: poverty_line[i].clone(),
            line: line[i],
            line_missing: line_missing[i].clone(),
            equivalence_scale: scale[i].clone(),
            counterfactual: counterfactual[i].clone(),
            balance: Balance {
                survey_usd: survey_usd[i],
                balance_usd: balance_usd[i],
                capture_ratio: capture[i],
                missing: missing[i].clone(),
                oda_usd: oda[i],
                gdp_share: gdp_share[i],
                remittance_per_head_usd: head[i],
                oda_per_head_usd: oda_head[i],
            },
            ..Family::default()
        }));
        Ok(())
    })
}

/// Rows of `family_queries::effects`, each with its survey.
pub(crate) fn effects(batches: &[RecordBatch]) -> Result<Vec<(String, Effect)>, Error> {
    each("the effects on families", batches, |t, out| {
        let (id, scale, measure) = (t.label("survey_id")?, t.label("scale")?, t.label("measure")?);
        let (with, without, difference) = (t.number("with")?, t.number("without")?, t.number("difference")?);
        let (with_se, se, missing) = (t.number("with_se")?, t.number("difference_se")?, t.text("errors_missing")?);
        let (low, high) = (t.number("ci_low")?, t.number("ci_high")?);
        out.extend((0..t.rows()).map(|i| {
            let effect = Effect {
                scale: scale[i].clone(),
                measure: measure[i].clone(),
                with: with[i],
                without: without[i],
                difference: difference[i],
                with_se: with_se[i],
                se: se[i],
                ci_low: low[i],
                ci_high: high[i],
                errors_missing: missing[i].clone(),
            };
            (id[i].clone(), effect)
        }));
        Ok(())
    })
}

/// Rows of `family_queries::quintiles`.
pub(crate) fn quintiles(batches: &[RecordBatch]) -> Result<Vec<(String, Quintile)>, Error> {
    each("the fifths", batches, |t, out| {
        let (id, quintile, receiving) = (t.label("survey_id")?, t.count("quintile")?, t.number("receiving")?);
        let (distribution, income) = (t.number("distribution")?, t.number("income")?);
        out.extend((0..t.rows()).map(|i| {
            let fifth = Quintile {
                quintile: quintile[i],
                receiving: receiving[i],
                distribution: distribution[i],
                income: income[i],
            };
            (id[i].clone(), fifth)
        }));
        Ok(())
    })
}

/// Rows of `family_queries::sources`.
pub(crate) fn sources(batches: &[RecordBatch]) -> Result<Vec<(String, IncomeSource)>, Error> {
    each("the sources of income", batches, |t, out| {
        let (id, source, income) = (t.label("survey_id")?, t.label("source")?, t.number("income_share")?);
        let (inequality, elasticity) = (t.number("inequality_share")?, t.number("elasticity")?);
        out.extend((0..t.rows()).map(|i| {
            let part = IncomeSource {
                source: source[i].clone(),
                income_share: income[i],
                inequality_share: inequality[i],
                elasticity: elasticity[i],
            };
            (id[i].clone(), part)
        }));
        Ok(())
    })
}

/// A survey, its curve with remittances and the one without.
type Curves = (String, Vec<f64>, Vec<f64>);

/// Rows of `family_queries::lorenz`.
pub(crate) fn lorenz(batches: &[RecordBatch]) -> Result<Vec<Curves>, Error> {
    each("the Lorenz curves", batches, |t, out| {
        let (id, with, without) = (t.label("survey_id")?, curves(t, "with")?, curves(t, "without")?);
        out.extend(id.into_iter().zip(with).zip(without).map(|((id, with), without)| (id, with, without)));
        Ok(())
    })
}

/// Lists of numbers; one with a missing point is no curve.
fn curves(t: &Table<'_>, name: &'static str) -> Result<Vec<Vec<f64>>, Error> {
    let to = DataType::List(Field::new_list_field(DataType::Float64, true).into());
    let column = t.column(name, &to, "a list of numbers")?;
    let lists = column.as_list::<i32>();
    let curve = |list: Option<ArrayRef>| {
        let list = list.filter(|list| list.null_count() == 0);
        list.map(|list| list.as_primitive::<Float64Type>().values().to_vec()).unwrap_or_default()
    };
    Ok(lists.iter().map(curve).collect())
}
