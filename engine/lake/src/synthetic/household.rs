//! Rows of table `household`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use chrono::NaiveDate;

use super::design::{Design, Unit, digits, numbers};
use super::economy::{Economy, YEAR};
use super::family::{Aims, Family, Model};
use super::random::Stream;
use super::{MODEL, SOURCE_ID, Tally};
use crate::error::{Error, Result};
use crate::import::days;
use crate::tables::HOUSEHOLD;

/// A generated survey of one economy.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// Marks it as synthetic, as all its rows do.
    pub(crate) id: String,
    pub(super) economy: Economy,
    #[cfg(test)]
    pub(super) aims: Aims,
    pub(super) rows: u64,
    pub(super) strata: u64,
    pub(super) units: u64,
    design: Design,
    model: Model,
}

/// Day of the edition: a constant, so that the same seed gives the same bytes on any day.
pub(super) fn vintage() -> NaiveDate {
    NaiveDate::from_ymd_opt(YEAR + 1, 1, 1).unwrap_or_default()
}

impl Survey {
    /// A survey of so many households, in the order of the table.
    pub(super) fn new(
        economy: Economy,
        rows: u64,
        seed: u64,
        (strata, units): (Option<u64>, Option<u64>),
        tag: &str,
    ) -> Result<Self> {
        let code = economy.iso3.as_str().bytes().fold(0, |code, letter| code << 8 | u64::from(letter));
        let seed = Stream::new(seed, &[MODEL, code]).bits();
        let aims = Aims::of(&economy, seed);
        let (strata, units) = numbers(rows, strata, units)?;
        let design = Design::new(rows, aims.households, (strata, units), seed);
        let model = Model::new(seed, &aims, &design, rows);
        let id = format!("synthetic_{}_{YEAR}{tag}", economy.iso3.as_str().to_lowercase());
        Ok(Self {
            id,
            economy,
            #[cfg(test)]
            aims,
            rows,
            strata,
            units,
            design,
            model,
        })
    }

    /// The rows from `from` on, so many or as many as there are.
    pub(super) fn batch(&self, from: u64, count: usize) -> Result<(RecordBatch, Tally)> {
        let until = from.saturating_add(count as u64).min(self.rows);
        let mut all: Vec<(u64, &Unit, Family)> = Vec::with_capacity(count);
        let mut tally = Tally::default();
        for row in from..until {
            let Some(unit) = self.design.unit(row) else {
                return Err(Error::Internal(format!("household {row} of `{}` has no unit", self.id)));
            };
            let family = self.model.family(row, unit, &self.design);
            tally.rows += 1;
            tally.weight += unit.weight;
            tally.persons += unit.weight * f64::from(family.size);
            tally.receiving += if family.remittance > 0.0 { unit.weight } else { 0.0 };
            tally.amount += unit.weight * family.remittance;
            all.push((row, unit, family));
        }
        let columns = HOUSEHOLD.columns.iter().map(|c| self.column(c.name, &all)).collect::<Result<Vec<_>>>()?;
        Ok((RecordBatch::try_new(HOUSEHOLD.schema(), columns)?, tally))
    }

    /// All rows, of a small survey.
    pub(crate) fn whole(&self) -> Result<RecordBatch> {
        let rows = usize::try_from(self.rows).map_err(|e| Error::Internal(e.to_string()))?;
        Ok(self.batch(0, rows)?.0)
    }

    fn column(&self, name: &str, all: &[(u64, &Unit, Family)]) -> Result<ArrayRef> {
        let rows = all.len();
        let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows).map(|_| text))) };
        let number = |of: fn(&Family) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(all.iter().map(|(.., family)| of(family))))
        };
        let stratum = |unit: &Unit| self.design.strata.get(unit.stratum);
        Ok(match name {
            "survey_id" => same(&self.id),
            "iso3" => same(self.economy.iso3.as_str()),
            "survey_year" => Arc::new(Int32Array::from_value(YEAR, rows)),
            "household_id" => {
                let wide = digits(self.rows).max(6);
                let ids = all.iter().map(|(row, ..)| format!("{:0wide$}", row + 1));
                Arc::new(StringArray::from_iter_values(ids))
            }
            "stratum" => {
                let names = all.iter().map(|(_, unit, _)| stratum(unit).map_or("", |s| s.name.as_str()));
                Arc::new(StringArray::from_iter_values(names))
            }
            "region" => {
                let names = all.iter().map(|(_, unit, _)| stratum(unit).map_or("", |s| s.region.as_str()));
                Arc::new(StringArray::from_iter_values(names))
            }
            "psu" => Arc::new(StringArray::from_iter_values(all.iter().map(|(_, unit, _)| unit.name.as_str()))),
            "weight" => Arc::new(Float64Array::from_iter_values(all.iter().map(|(_, unit, _)| unit.weight))),
            "urban" => Arc::new(BooleanArray::from_iter(all.iter().map(|(_, unit, _)| Some(unit.urban)))),
            "size_persons" => number(|f| f64::from(f.size)),
            "adults" => number(|f| f64::from(f.size - f.children)),
            "children" => number(|f| f64::from(f.children)),
            "income_total" => number(Family::total),
            "income_labour" => number(|f| f.labour),
            "income_farm" => number(|f| f.farm),
            "income_transfer" => number(|f| f.transfer),
            "remittance" => number(|f| f.remittance),
            "remittance_domestic" => number(|f| f.domestic),
            "consumption" => number(|f| f.consumption),
            "currency" => same("USD"),
            "months" => Arc::new(Float64Array::from_value(12.0, rows)),
            "source_id" => same(SOURCE_ID),
            "vintage" => Arc::new(Date32Array::from_value(days(vintage()), rows)),
            other => return Err(Error::Internal(format!("no synthetic value for column `{other}` of `household`"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::economy::{Economies, chosen};
    use super::*;

    fn survey(code: &str, rows: u64, seed: u64) -> Survey {
        let economy = chosen(&Economies::Named(vec![code.to_owned()])).unwrap().remove(0);
        Survey::new(economy, rows, seed, (None, None), "").unwrap()
    }

    fn numbers_of<'a>(batch: &'a RecordBatch, name: &str) -> &'a [f64] {
        batch.column_by_name(name).unwrap().as_any().downcast_ref::<Float64Array>().unwrap().values()
    }

    /// By its definition: mean difference over twice the mean.
    fn gini(values: &[f64], weights: &[f64]) -> f64 {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let (mut below, mut area, mut total) = (0.0, 0.0, 0.0);
        for i in order {
            area += weights[i] * values[i] * (below + weights[i] / 2.0);
            below += weights[i];
            total += weights[i] * values[i];
        }
        2.0 * area / (below * total) - 1.0
    }

    #[test]
    fn households_are_of_the_size_of_their_economy() {
        for (code, seed) in [("PHL", 1), ("NPL", 2), ("SEN", 3), ("MEX", 4), ("TJK", 5)] {
            let survey = survey(code, 40_000, seed);
            let (batch, tally) = survey.batch(0, 40_000).unwrap();
            let (aims, economy) = (&survey.aims, &survey.economy);
            let near = |found: f64, aim: f64, within: f64, what: &str| {
                assert!((found / aim - 1.0).abs() < within, "{code}: {what} is {found}, not {aim}");
            };
            near(tally.weight, aims.households, 1e-9, "households");
            near(tally.persons, economy.persons, 0.03, "persons");
            near(tally.receiving / tally.weight, aims.receiving, 0.08, "share that receives");
            near(tally.amount, aims.remittance, 0.12, "remittances");
            let captured = tally.amount / economy.remittance_usd;
            assert!((0.25..0.7).contains(&captured), "{code}: capture ratio {captured}");
            let (total, size) = (numbers_of(&batch, "income_total"), numbers_of(&batch, "size_persons"));
            let head: Vec<f64> = total.iter().zip(size).map(|(x, n)| x / n).collect();
            let weights: Vec<f64> = numbers_of(&batch, "weight").iter().zip(size).map(|(w, n)| w * n).collect();
            let found = gini(&head, &weights);
            assert!((0.35..0.55).contains(&found), "{code}: Gini {found}");
            let income = head.iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>() / economy.gdp_usd;
            assert!((0.4..0.95).contains(&income), "{code}: income over GDP {income}");
        }
    }

    #[test]
    fn sources_sum_to_the_total_and_some_have_none() {
        let survey = survey("PHL", 20_000, 9);
        let batch = survey.whole().unwrap();
        let of = |name| numbers_of(&batch, name);
        let names = ["income_labour", "income_farm", "income_transfer", "remittance", "remittance_domestic"];
        let (mut without, mut large) = (0, 0);
        for row in 0..batch.num_rows() {
            let sum: f64 = names.iter().map(|name| of(name)[row]).sum();
            assert!(names.iter().all(|name| of(name)[row] >= 0.0 && of(name)[row].fract() == 0.0));
            assert_eq!(sum, of("income_total")[row]);
            without += usize::from(sum == 0.0);
            large += usize::from(of("size_persons")[row] > 8.0);
            assert!(of("consumption")[row] > 0.0 && of("weight")[row] > 0.0);
        }
        assert!((20..600).contains(&without) && large > 50, "{without} {large}");
    }

    #[test]
    fn the_poor_and_the_rural_receive_more_often() {
        let survey = survey("PHL", 60_000, 11);
        let batch = survey.whole().unwrap();
        let urban = batch.column_by_name("urban").unwrap().as_any().downcast_ref::<BooleanArray>().unwrap();
        let (weight, money) = (numbers_of(&batch, "weight"), numbers_of(&batch, "remittance"));
        let share = |of: &dyn Fn(usize) -> bool| {
            let sums = (0..batch.num_rows()).filter(|row| of(*row)).fold((0.0, 0.0), |(all, some), row| {
                (all + weight[row], some + if money[row] > 0.0 { weight[row] } else { 0.0 })
            });
            sums.1 / sums.0
        };
        assert!(share(&|row| !urban.value(row)) > share(&|row| urban.value(row)) * 1.1);
        let size = numbers_of(&batch, "size_persons");
        assert!(share(&|row| size[row] > 6.0) > share(&|row| size[row] < 3.0) * 1.2);
        // Heavy-tailed: the largest hundredth of amounts is many times a hundredth of the money.
        let mut amounts: Vec<f64> = money.iter().copied().filter(|r| *r > 0.0).collect();
        amounts.sort_by(f64::total_cmp);
        let top: f64 = amounts[amounts.len() - amounts.len() / 100..].iter().sum();
        let part = top / amounts.iter().sum::<f64>();
        assert!((0.06..0.3).contains(&part), "{part}");
    }

    #[test]
    fn a_row_is_the_same_however_it_is_asked_for() {
        let survey = survey("NPL", 1_000, 3);
        let whole = survey.whole().unwrap();
        for (from, count) in [(0, 1), (17, 200), (999, 50)] {
            let (part, _) = survey.batch(from, count).unwrap();
            assert_eq!(part, whole.slice(from as usize, part.num_rows()));
        }
        let sorted = crate::lake::sort(&HOUSEHOLD, &whole).unwrap();
        assert_eq!(sorted.batch, whole, "rows come in the order of the table");
    }

    #[test]
    fn one_household_is_a_survey() {
        let survey = survey("PHL", 1, 1);
        let (batch, tally) = survey.batch(0, 10).unwrap();
        assert_eq!(batch.num_rows(), 1);
        assert!((tally.weight / survey.aims.households - 1.0).abs() < 1e-12);
    }
}
