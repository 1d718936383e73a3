-- Who receives, by fifth of persons before remittances.
with

by_quintile as (
    select
        survey_id,
        min(iso3) as iso3,
        min(survey_year) as survey_year,
        quintile,
        min(currency) as currency,
        count(*) as households_sampled,
        sum(weight) as households,
        sum(weight * size_persons) as persons,
        sum(case when receives then weight else 0 end) as households_receiving,
        sum(case when receives then weight * size_persons else 0 end) as persons_receiving,
        sum(weight * remittance_lcu) as remittance_lcu,
        sum(weight * household_income_lcu) as income_lcu,
        sum(weight * size_persons * income_with_lcu) as equivalised_with_lcu,
        sum(weight * size_persons * income_without_lcu) as equivalised_without_lcu
    from family_income($poverty_line, $equivalence_scale, $counterfactual, $seed)
    where quintile is not null and weight > 0
    group by survey_id, quintile
)

select
    survey_id,
    iso3,
    survey_year,
    quintile,
    households_sampled,
    households,
    persons,
    households_receiving / households as receiving_household_share,
    persons_receiving / persons as receiving_person_share,
    remittance_lcu,
    -- Of readers some fifths are kept: a share of the others is none of all.
    case
        when count(remittance_lcu) over (partition by survey_id) = count(*) over (partition by survey_id)
            then remittance_lcu / nullif(sum(remittance_lcu) over (partition by survey_id), 0)
    end as remittance_distribution_share,
    remittance_lcu / nullif(income_lcu, 0) as remittance_income_share,
    remittance_lcu / nullif(households_receiving, 0) as remittance_per_receiving_household_lcu,
    equivalised_without_lcu / persons as mean_income_without_lcu,
    equivalised_with_lcu / persons as mean_income_with_lcu,
    currency,
    $equivalence_scale as equivalence_scale,
    $counterfactual as counterfactual
from by_quintile
