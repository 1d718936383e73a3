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

subtracted as (
    select household.*, 1 as draw, income_lcu - remittance_lcu as income_without_lcu
    from household
    where $counterfactual = 'subtraction'
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
    income_without_lcu / equivalence as income_without_lcu
from subtracted
