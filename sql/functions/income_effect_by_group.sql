-- The effect of remittances in groups of families with its errors, long. Groups of a kind are of the same
-- families: they add up to all within a kind, not across kinds.
with

survey as (
    select survey_id, iso3, survey_year, without_errors, household_is_psu, stratum, psu
    from survey_design($sampling)
),

family as (
    select
        survey.survey_id,
        income.urban,
        income.region,
        income.quintile,
        income.size_class,
        income.weight,
        income.weight_without,
        income.size_persons,
        income.remittance_lcu,
        income.household_income_lcu,
        income.household_income_without_lcu,
        income.equivalence,
        income.line_lcu,
        coalesce(income.stratum, survey.stratum) as stratum,
        coalesce(income.psu, case when $sampling = 'simple_random' and survey.household_is_psu then income.household_id else survey.psu end) as psu
    from family_income($poverty_line, $equivalence_scale, $counterfactual, $seed) as income
    inner join survey on income.survey_id = survey.survey_id
    where
        income.weight > 0
        and income.income_with_lcu is not null
        and (income.income_without_lcu is not null or income.weight_without = 0)
),

-- A family is in a group of every kind.
member as (
    select
        placed.*,
        case group_kind
            when 'all' then 'all'
            when 'area' then case when urban then 'urban' when not urban then 'rural' end
            when 'region' then region
            when 'quintile' then cast(quintile as varchar)
            else size_class
        end as group_name
    from (
        select family.*, unnest(['all', 'area', 'region', 'quintile', 'size']) as group_kind
        from family
    ) as placed
),

-- Errors of a group are those of a domain: sampling units without a family of it count too.
unit as (
    select distinct
        survey.survey_id,
        coalesce(drawn.stratum, survey.stratum) as stratum,
        coalesce(drawn.psu, case when $sampling = 'simple_random' and survey.household_is_psu then drawn.household_id else survey.psu end) as psu
    from lake.household as drawn
    inner join survey on drawn.survey_id = survey.survey_id
    where drawn.weight > 0
),

possible as (
    select survey.survey_id, fixed.group_kind, fixed.group_name
    from survey
    cross join (
        values
            ('all', 'all'), ('area', 'urban'), ('area', 'rural'),
            ('quintile', '1'), ('quintile', '2'), ('quintile', '3'), ('quintile', '4'), ('quintile', '5'),
            ('size', '1-2'), ('size', '3-4'), ('size', '5-6'), ('size', '7+')
    ) as fixed (group_kind, group_name)
    union all
    select distinct survey.survey_id, 'region' as group_kind, drawn.region as group_name
    from lake.household as drawn
    inner join survey on drawn.survey_id = survey.survey_id
    where drawn.region is not null
),

counted as (
    select
        survey_id, group_kind, group_name, stratum, psu, true as inside, weight, weight_without, size_persons,
        remittance_lcu, household_income_lcu, household_income_without_lcu, equivalence, line_lcu
    from member
    where group_name is not null
    union all
    select
        unit.survey_id, possible.group_kind, possible.group_name, unit.stratum, unit.psu, false as inside,
        null as weight, null as weight_without, null as size_persons, null as remittance_lcu,
        null as household_income_lcu, null as household_income_without_lcu, null as equivalence, null as line_lcu
    from unit
    inner join possible on unit.survey_id = possible.survey_id
),

measured as (
    select
        survey_id,
        group_kind,
        group_name,
        unnest(
            transfer_effect(
                household_income_lcu,
                remittance_lcu,
                equivalence,
                line_lcu,
                weight,
                size_persons,
                stratum,
                psu,
                counterfactual => case when $counterfactual = 'regression' then household_income_without_lcu end,
                without_factor => case when $counterfactual = 'ipw' then weight_without / weight end,
                domain => inside,
                lonely_psu => case $lonely_psu when 'certainty' then 'certainty' else 'adjust' end
            )
        ) as effect
    from counted
    group by survey_id, group_kind, group_name
),

explained as (
    select
        measured.survey_id,
        survey.iso3,
        survey.survey_year,
        measured.group_kind,
        measured.group_name,
        measured.effect,
        case
            when survey.without_errors
                then 'the survey has no sampling units; SET envoi.sampling = ''simple_random'' takes each household for one'
            when $lonely_psu = 'error' and measured.effect['lonely'] > 0
                then
                    case measured.effect['lonely']
                        when 1 then 'one stratum has'
                        else cast(measured.effect['lonely'] as varchar) || ' strata have'
                    end
                    || ' one sampling unit; SET envoi.lonely_psu = ''adjust'' or ''certainty'''
            when measured.effect['df'] = 0 then 'there are as many strata as sampling units, so no degrees of freedom'
        end as errors_missing
    from measured
    inner join survey on measured.survey_id = survey.survey_id
)

select
    survey_id,
    iso3,
    survey_year,
    group_kind,
    group_name,
    effect['measure'] as measure,
    effect['with'] as with_remittances,
    effect['without'] as without_remittances,
    effect['difference'] as difference,
    case when errors_missing is null then effect['se_with'] end as with_se,
    case when errors_missing is null then effect['se_without'] end as without_se,
    case when errors_missing is null then effect['se'] end as difference_se,
    case when errors_missing is null then effect['ci_low'] end as difference_ci_low,
    case when errors_missing is null then effect['ci_high'] end as difference_ci_high,
    case when errors_missing is null then effect['df'] end as df,
    effect['n'] as households_sampled,
    effect['status'] as status,
    errors_missing
from explained
