-- The balance of the weights that `household_income` has for counterfactual 'ipw'.
with

described as (
    select
        survey_id,
        household_id,
        remittance > 0 as receives,
        weight * size_persons as persons,
        ln(size_persons) as ln_size,
        coalesce(region, '') || case when urban then ' urban' when not urban then ' rural' else '' end as place
    from lake.household
)

select
    by as survey_id,
    characteristic,
    mean_treated,
    mean_untreated,
    mean_reweighted,
    difference_before,
    difference_after,
    balanced,
    n_treated,
    n_untreated
from propensity_balance(
    survey => (select * from described),
    treated => receives,
    weight => persons,
    id => household_id,
    by => survey_id,
    unfit => 'null'
)
