-- One row per family, with and without remittances, in the survey's currency a year.
with

income as (
    select
        survey_id, iso3, survey_year, household_id, stratum, psu, weight, size_persons, urban, region, currency,
        equivalence, household_income_lcu, household_remittance_lcu, household_income_without_lcu,
        income_with_lcu, income_without_lcu, weight_without
    from household_income($equivalence_scale, $counterfactual, 1, $seed)
),

-- Fifths of persons by income without remittances; the upper bound belongs to the fifth.
bound as (
    select survey_id, quantile(income_without_lcu, [0.2, 0.4, 0.6, 0.8], weight_without * size_persons) as upper
    from income
    group by survey_id
),

line as (
    select survey_id, line_lcu from survey_poverty_line($poverty_line, $equivalence_scale)
)

select
    income.survey_id,
    income.iso3,
    income.survey_year,
    income.household_id,
    income.stratum,
    income.psu,
    income.weight,
    income.weight_without,
    income.size_persons,
    case
        when income.size_persons <= 2 then '1-2'
        when income.size_persons <= 4 then '3-4'
        when income.size_persons <= 6 then '5-6'
        when income.size_persons > 6 then '7+'
    end as size_class,
    income.urban,
    income.region,
    case
        when income.income_without_lcu is null or $counterfactual = 'ipw' then null
        else
            1
            + case when income.income_without_lcu > bound.upper[1] then 1 else 0 end
            + case when income.income_without_lcu > bound.upper[2] then 1 else 0 end
            + case when income.income_without_lcu > bound.upper[3] then 1 else 0 end
            + case when income.income_without_lcu > bound.upper[4] then 1 else 0 end
    end as quintile,
    income.household_remittance_lcu > 0 as receives,
    income.household_remittance_lcu as remittance_lcu,
    income.household_income_lcu,
    income.household_income_without_lcu,
    income.household_remittance_lcu / nullif(income.household_income_lcu, 0) as remittance_share,
    income.equivalence,
    income.income_with_lcu,
    income.income_without_lcu,
    line.line_lcu,
    income.income_with_lcu < line.line_lcu as poor_with,
    income.income_without_lcu < line.line_lcu as poor_without,
    income.currency,
    $poverty_line as poverty_line,
    $equivalence_scale as equivalence_scale,
    $counterfactual as counterfactual
from income
left join bound on income.survey_id = bound.survey_id
left join line on income.survey_id = line.survey_id
