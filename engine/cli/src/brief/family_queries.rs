//! The questions the brief asks about families, over the marts of households.
//!
//! Of each economy the newest survey counts, an invented one only where there is no other. Codes come out of the lake's own list, never
//! from the user's text.

/// Which surveys.
#[derive(Clone, Copy)]
pub(crate) enum Surveys<'a> {
    /// The newest of every economy.
    All,
    /// The newest of this one.
    Of(&'a str),
}

/// The newest survey of each economy, for a CTE.
fn newest(surveys: Surveys<'_>) -> String {
    let which = match surveys {
        Surveys::All => String::new(),
        Surveys::Of(iso3) => format!("\n    where iso3 = '{iso3}'"),
    };
    format!(
        "newest as (
    select
        survey_id, min(iso3) as iso3, min(survey_year) as survey_year, min(currency) as currency,
        min(source_id) as source_id, cast(max(vintage) as varchar) as vintage, count(*) as households_sampled,
        sum(weight) as households,
        row_number() over (
            partition by min(iso3)
            order by survey_id like 'synthetic%', min(survey_year) desc, survey_id
        ) as age
    from lake.household{which}
    group by survey_id
)"
    )
}

/// One row per survey: what it is, how its families are measured, and the balance of payments of its year.
pub(crate) fn surveys(surveys: Surveys<'_>) -> String {
    format!(
        "
with {}

select
    newest.survey_id, coalesce(macro.name_en, newest.iso3) as name, newest.survey_year as year, newest.source_id,
    newest.vintage, newest.currency, newest.households_sampled, newest.households,
    poverty.line_lcu as line, poverty.line_missing, income.poverty_line, income.equivalence_scale,
    income.counterfactual,
    summary.survey_remittance_lcu / summary.lcu_per_usd as survey_usd, summary.balance_remittance_usd as balance_usd,
    summary.capture_ratio, summary.balance_missing as missing, macro.oda_usd,
    macro.remittance_gdp_share as gdp_share, macro.remittance_per_head_usd, macro.oda_per_head_usd
from newest
left join mart.family_income_effect as income on newest.survey_id = income.survey_id and income.group_kind = 'all'
left join survey_poverty_line() as poverty on newest.survey_id = poverty.survey_id
left join survey_summary() as summary on newest.survey_id = summary.survey_id
left join mart.remittance_vs_oda as macro on newest.iso3 = macro.iso3 and newest.survey_year = macro.year
where newest.age = 1
order by newest.iso3",
        newest(surveys)
    )
}

/// One row per survey, scale and measure.
pub(crate) fn effects(surveys: Surveys<'_>) -> String {
    of_newest(
        surveys,
        "
select
    effect.survey_id, effect.scale, effect.measure, effect.with_remittances as \"with\",
    effect.without_remittances as \"without\", effect.difference, effect.with_se, effect.difference_se,
    effect.difference_ci_low as ci_low, effect.difference_ci_high as ci_high, effect.errors_missing
from income_effect() as effect",
        "effect",
    )
}

/// One row per survey and fifth.
pub(crate) fn quintiles(surveys: Surveys<'_>) -> String {
    of_newest(
        surveys,
        "
select
    fifth.survey_id, fifth.quintile, fifth.receiving_household_share as receiving,
    fifth.remittance_distribution_share as distribution, fifth.remittance_income_share as income
from mart.remittance_by_quintile as fifth",
        "fifth",
    ) + "\norder by fifth.survey_id, fifth.quintile"
}

/// One row per survey and source of income.
pub(crate) fn sources(surveys: Surveys<'_>) -> String {
    of_newest(
        surveys,
        "
select
    part.survey_id, part.source, part.income_share, part.inequality_share, part.gini_elasticity as elasticity
from mart.income_source_decomposition as part",
        "part",
    ) + "\norder by part.survey_id, part.income_share desc, part.source"
}

/// One row per survey: points of both Lorenz curves, of persons.
pub(crate) fn lorenz(surveys: Surveys<'_>) -> String {
    let shares = (0..=super::family::Lorenz::POINTS as usize)
        .map(|point| super::family::Lorenz::at(point).to_string())
        .collect::<Vec<_>>()
        .join(", ");
    of_newest(
        surveys,
        &format!(
            "
select
    income.survey_id,
    lorenz(income.income_with_lcu, [{shares}], income.weight * income.size_persons) as \"with\",
    lorenz(income.income_without_lcu, [{shares}], income.weight * income.size_persons) as \"without\"
from mart.family_income as income"
        ),
        "income",
    ) + "\ngroup by income.survey_id"
}

/// The question over the newest surveys alone.
fn of_newest(surveys: Surveys<'_>, question: &str, alias: &str) -> String {
    format!(
        "\nwith {}{question}\ninner join newest on {alias}.survey_id = newest.survey_id and newest.age = 1",
        newest(surveys)
    )
}
