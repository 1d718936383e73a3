-- Effects in the survey's own scale and scaled to the balance of payments, long.
with

survey as (
    select survey_id, iso3, survey_year, capture_ratio, without_errors, household_is_psu, stratum, psu
    from survey_design($sampling)
),

-- One small table to join families with.
lined as (
    select survey.*, line.line_lcu
    from survey
    left join survey_poverty_line($poverty_line, $equivalence_scale) as line on survey.survey_id = line.survey_id
),

family as (
    select
        income.survey_id,
        income.draw,
        income.weight,
        income.size_persons,
        income.household_income_lcu,
        income.household_remittance_lcu,
        income.household_income_without_lcu,
        income.weight_without,
        income.equivalence,
        lined.line_lcu,
        coalesce(income.stratum, lined.stratum) as stratum,
        -- The setting is looked at first: names of all households are not read for nothing.
        coalesce(
            income.psu,
            case when $sampling = 'simple_random' and lined.household_is_psu then income.household_id else lined.psu end
        ) as psu,
        lined.capture_ratio,
        income.region,
        case
            when income.size_persons <= 2 then 2
            when income.size_persons <= 4 then 4
            when income.size_persons <= 6 then 6
            else 7
        end as size_class
    from household_income($equivalence_scale, $counterfactual, $draws, $seed) as income
    inner join lined on income.survey_id = lined.survey_id
),

measured as (
    select
        survey_id,
        unnest(
            transfer_effect(
                -- Without an income to compare with a household is left out.
                case
                    when $counterfactual = 'subtraction' or household_income_without_lcu is not null or weight_without = 0
                        then household_income_lcu
                end,
                household_remittance_lcu,
                equivalence,
                line_lcu,
                weight,
                size_persons,
                stratum,
                psu,
                captured => capture_ratio,
                cell => region,
                subcell => size_class,
                counterfactual => case when $counterfactual = 'regression' then household_income_without_lcu end,
                line_share => case when $poverty_line_kind = 'relative' then $poverty_line_amount end,
                line_statistic => case when $poverty_line_kind = 'relative' then $poverty_line_statistic end,
                without_factor => case when $counterfactual = 'ipw' then weight_without / nullif(weight, 0) end,
                lonely_psu => case $lonely_psu when 'certainty' then 'certainty' else 'adjust' end
            )
        ) as effect
    from family
    -- By draw where there is more than one.
    group by survey_id, case when $counterfactual = 'regression' then draw end
),

-- Repeated draws: their mean, and the variance within and between them (Rubin 1987).
pooled as (
    select
        survey_id,
        effect['scale'] as scale,
        effect['measure'] as measure,
        count(*) as draws,
        avg(effect['with']) as with_remittances,
        avg(effect['without']) as without_remittances,
        avg(effect['difference']) as difference,
        sqrt(
            avg(effect['se'] * effect['se'])
            + coalesce((1 + 1.0 / count(*)) * var_samp(effect['difference']), 0)
        ) as difference_se,
        sqrt(avg(effect['se_with'] * effect['se_with'])) as with_se,
        sqrt(
            avg(effect['se_without'] * effect['se_without'])
            + coalesce((1 + 1.0 / count(*)) * var_samp(effect['without']), 0)
        ) as without_se,
        avg((effect['ci_high'] - effect['ci_low']) / 2 / nullif(effect['se'], 0)) as quantile,
        min(effect['df']) as df,
        min(effect['n']) as households_sampled,
        min(effect['g_min']) as g_min,
        max(effect['g_max']) as g_max,
        avg(effect['deff']) as weight_deff,
        max(effect['lonely']) as lonely,
        max(effect['status']) as status
    from measured
    group by survey_id, effect['scale'], effect['measure']
),

explained as (
    select
        pooled.*,
        survey.iso3,
        survey.survey_year,
        case
            when survey.without_errors
                then 'the survey has no sampling units; SET envoi.sampling = ''simple_random'' takes each household for one'
            when $lonely_psu = 'error' and pooled.lonely > 0
                then
                    case pooled.lonely when 1 then 'one stratum has' else cast(pooled.lonely as varchar) || ' strata have' end
                    || ' one sampling unit; SET envoi.lonely_psu = ''adjust'' or ''certainty'''
            when pooled.df = 0 then 'there are as many strata as sampling units, so no degrees of freedom'
        end as errors_missing
    from pooled
    inner join survey on pooled.survey_id = survey.survey_id
)

select
    survey_id,
    iso3,
    survey_year,
    scale,
    measure,
    with_remittances,
    without_remittances,
    difference,
    case when errors_missing is null then with_se end as with_se,
    case when errors_missing is null then without_se end as without_se,
    case when errors_missing is null then difference_se end as difference_se,
    case when errors_missing is null then difference - quantile * difference_se end as difference_ci_low,
    case when errors_missing is null then difference + quantile * difference_se end as difference_ci_high,
    case when errors_missing is null then df end as df,
    households_sampled,
    draws,
    g_min,
    g_max,
    weight_deff,
    status,
    errors_missing
from explained
