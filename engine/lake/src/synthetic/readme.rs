//! The page beside generated files: what they are, and what they are not.

use std::fmt::Write;

use super::{Plan, Set, Tally};

pub(super) const NAME: &str = "README.md";

/// The page; totals are those of the sets, in their order.
pub(super) fn text(plan: &Plan, sets: &[Set], tallies: &[Tally]) -> String {
    let table = plan.table.def();
    let mut text = format!(
        "# Synthetic data\n\n**Invented by `envoi generate`: not a survey, not a record of any transaction.** Nobody in it exists, \
         and no figure of it says anything about an economy. For tests, teaching and benchmarks; CC0 1.0.\n\n\
         {} rows of table `{}`, seed {}. The same command gives the same bytes.\n\n\
         ```\nenvoi sql -c \"select count(*) from '{}/*.parquet'\"\nenvoi source import .\n```\n",
        plan.rows, table.name, plan.seed, table.name
    );
    // Writing to a string cannot fail.
    let _ = match plan.table {
        super::Table::Household => {
            text += "\nSizes are those of 2019 as the sample lake has them: population, GDP, remittances received. \
                     All else is drawn at random. Money is in US dollars a year.\n\n\
                     | survey | households here | strata | units | households they stand for | persons | receive, % | remittances, million | of the balance of payments |\n\
                     |---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
            sets.iter().zip(tallies).try_for_each(|(set, tally)| survey(&mut text, set, tally))
        }
        super::Table::Transfer => {
            sets.iter().zip(tallies).try_for_each(|(set, tally)| transfers(&mut text, set, tally))
        }
    };
    text
}

fn survey(text: &mut String, set: &Set, tally: &Tally) -> std::fmt::Result {
    let Set::Survey(survey) = set else { return Ok(()) };
    writeln!(
        text,
        "| `{}` | {} | {} | {} | {:.0} | {:.0} | {:.1} | {:.1} | {:.2} |",
        survey.id,
        tally.rows,
        survey.strata,
        survey.units,
        tally.weight,
        tally.persons,
        100.0 * tally.receiving / tally.weight,
        tally.amount / 1e6,
        tally.amount / survey.economy.remittance_usd,
    )
}

fn transfers(text: &mut String, set: &Set, tally: &Tally) -> std::fmt::Result {
    let Set::Transfers(transfers) = set else { return Ok(()) };
    writeln!(
        text,
        "\nSent in 2021 by the corridors of the sample lake, {:.1} million US dollars in all, to {}.",
        tally.amount / 1e6,
        transfers.receivers().join(", ")
    )
}
