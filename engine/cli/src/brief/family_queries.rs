//! The questions the brief asks about families, over the marts of households.
//!
//! Of each economy the newest survey counts. Codes come out of the lake's own list, never
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
        "survey as (
    select
        survey_id, min(iso3) as iso3, min(survey_year) as survey_year, min(currency) as currency,
        min(source_id) as source_id, cast(max(vintage) as varchar) as vintage, count(*) as households_sampled,
        sum(weight) as households,
        row_number() over (partition by min(iso3) order by min(survey_year) desc, survey_id) as age
    from lake.household{which}
    group by survey_id
)"
    )
}

/// One row per survey: what it is, and the balance of payments of its year.
pub(crate) fn surveys(surveys: Surveys<'_>) -> String {
    format!(
        "
with {}
select
    survey.survey_id, survey.iso3, coalesce(link.name_en, survey.iso3) as name, survey.survey_year as year,
    survey.source_id, survey.vintage, survey.currency, survey.households_sampled, survey.households,
    link.line_lcu as line, link.poverty_line, link.equivalence_scale, link.counterfactual,
    link.survey_remittance_usd as survey_usd, link.balance_remittance_usd as balance_usd, link.capture_ratio,
    link.balance_missing as missing, link.oda_usd, link.remittance_gdp_share as gdp_share,
    link.remittance_per_head_usd, link.oda_per_head_usd
from survey
left join mart.macro_family_link as link on survey.survey_id = link.survey_id
where survey.age = 1
order by survey.iso3",
        newest(surveys)
    )
}

/// One row per survey, scale and measure.
pub(crate) fn effects(surveys: Surveys<'_>) -> String {
    of_newest(
        surveys,
        "
select
    effect.survey_id, effect.scale, effect.measure, effect.with_remittance as \"with\",
    effect.without_remittance as \"without\", effect.difference, effect.se_with, effect.se_without, effect.se,
    effect.ci_low, effect.ci_high
from mart.national_income_effect as effect",
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
        "\nwith {}{question}\ninner join survey on {alias}.survey_id = survey.survey_id and survey.age = 1",
        newest(surveys)
    )
}
