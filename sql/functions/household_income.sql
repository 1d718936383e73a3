-- Amounts are brought to a year. Remittances that are not known are not zero: such a
-- household has no income without them.
with

household as (
    select
        survey_id, iso3, survey_year, household_id, stratum, psu, weight, size_persons, urban, region, currency,
        $equivalence_scale_number as equivalence,
        income_total * (12 / months) as income_lcu,
        remittance * (12 / months) as remittance_lcu
    from lake.household
),

-- What a household is like, for models: texts that no survey tells apart add nothing.
described as (
    select
        survey_id,
        household_id,
        income_lcu,
        remittance_lcu,
        weight,
        weight * size_persons as persons,
        remittance_lcu > 0 as receives,
        ln(size_persons) as ln_size,
        coalesce(region, '') || case when urban then ' urban' when not urban then ' rural' else '' end as place
    from household
    where $counterfactual <> 'subtraction'
),

predicted as (
    select survey_id, household_id, draw, income_counterfactual
    from counterfactual_income(
        survey => (
            select survey_id, household_id, income_lcu, remittance_lcu, weight, ln_size, place
            from described
            where $counterfactual = 'regression'
        ),
        income => income_lcu,
        remittance => remittance_lcu,
        weight => weight,
        id => household_id,
        draws => $draws,
        seed => $seed,
        by => survey_id,
        unfit => 'null'
    )
),

-- Households that receive nothing stand for those that do: by persons, as poverty is counted.
weighed as (
    select survey_id, household_id, receives, weight_factor
    from propensity_weights(
        survey => (
            select survey_id, household_id, receives, persons, ln_size, place
            from described
            where $counterfactual = 'ipw'
        ),
        treated => receives,
        weight => persons,
        id => household_id,
        by => survey_id,
        unfit => 'null'
    )
),

compared as (
    select household.*, 1 as draw, income_lcu - remittance_lcu as income_without_lcu, weight as weight_without
    from household
    where $counterfactual = 'subtraction'
    union all
    select household.*, predicted.draw, predicted.income_counterfactual as income_without_lcu, weight as weight_without
    from household
    inner join predicted
        on household.survey_id = predicted.survey_id and household.household_id = predicted.household_id
    where $counterfactual = 'regression'
    union all
    select
        household.*,
        1 as draw,
        case when not weighed.receives then income_lcu end as income_without_lcu,
        weight * case when weighed.receives then 0 else 1 + weighed.weight_factor end as weight_without
    from household
    inner join weighed
        on household.survey_id = weighed.survey_id and household.household_id = weighed.household_id
    where $counterfactual = 'ipw'
)

select
    survey_id,
    iso3,
    survey_year,
    household_id,
    draw,
    stratum,
    psu,
    weight,
    size_persons,
    urban,
    region,
    currency,
    equivalence,
    income_lcu as household_income_lcu,
    remittance_lcu as household_remittance_lcu,
    income_without_lcu as household_income_without_lcu,
    income_lcu / equivalence as income_with_lcu,
    income_without_lcu / equivalence as income_without_lcu,
    weight_without
from compared
