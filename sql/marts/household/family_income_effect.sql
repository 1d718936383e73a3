-- The effect of remittances in groups of families. Groups of a kind are of the same
-- families: they add up to all within a kind, not across kinds.
with

survey as (
    select
        survey_id, iso3, survey_year, currency,
        without_psu = households_sampled and $sampling = 'design' as without_errors,
        case when without_stratum = households_sampled then '' end as stratum,
        -- Where the survey has no sampling units: one for all, which has no error, or one a household.
        without_psu = households_sampled as each_drawn,
        case when without_psu = households_sampled and $sampling = 'design' then '' end as psu
    from survey_summary()
),

family as (
    select
        survey.survey_id,
        income.urban,
        income.region,
        income.quintile,
        income.size_class,
        income.receives,
        income.weight,
        income.weight_without,
        income.size_persons,
        income.remittance_lcu,
        income.household_income_lcu,
        income.household_income_without_lcu,
        income.equivalence,
        income.line_lcu,
        coalesce(income.stratum, survey.stratum) as stratum,
        coalesce(income.psu, case when $sampling = 'simple_random' and survey.each_drawn then income.household_id else survey.psu end) as psu
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
        coalesce(drawn.psu, case when $sampling = 'simple_random' and survey.each_drawn then drawn.household_id else survey.psu end) as psu
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
        survey_id, group_kind, group_name, stratum, psu, true as inside, receives, weight, weight_without, size_persons,
        remittance_lcu, household_income_lcu, household_income_without_lcu, equivalence, line_lcu
    from member
    where group_name is not null
    union all
    select
        unit.survey_id, possible.group_kind, possible.group_name, unit.stratum, unit.psu, false as inside,
        null as receives, null as weight, null as weight_without, null as size_persons, null as remittance_lcu,
        null as household_income_lcu, null as household_income_without_lcu, null as equivalence, null as line_lcu
    from unit
    inner join possible on unit.survey_id = possible.survey_id
),

grouped as (
    select
        survey_id,
        group_kind,
        group_name,
        count(weight) as households_sampled,
        sum(weight) as households,
        sum(weight * size_persons) as persons,
        sum(weight * remittance_lcu) as remittance_lcu,
        sum(weight * household_income_lcu) as income_lcu,
        min(line_lcu) as line_lcu,
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
        ) as effects
    from counted
    group by survey_id, group_kind, group_name
),

measured as (
    select
        survey_id, group_kind, group_name, households_sampled, households, persons, remittance_lcu, income_lcu, line_lcu,
        unnest(effects) as effect
    from grouped
),

effect as (
    select
        survey_id,
        group_kind,
        group_name,
        min(households_sampled) as households_sampled,
        min(households) as households,
        min(persons) as persons,
        min(remittance_lcu) as remittance_lcu,
        min(income_lcu) as income_lcu,
        min(line_lcu) as line_lcu,
        max(effect['with']) filter (where effect['measure'] = 'receiving_households') as receiving_household_share,
        max(effect['se_with']) filter (where effect['measure'] = 'receiving_households') as receiving_household_share_se,
        max(effect['with']) filter (where effect['measure'] = 'mean') as mean_income_with_lcu,
        max(effect['without']) filter (where effect['measure'] = 'mean') as mean_income_without_lcu,
        max(effect['with']) filter (where effect['measure'] = 'headcount') as headcount_with,
        max(effect['without']) filter (where effect['measure'] = 'headcount') as headcount_without,
        max(effect['difference']) filter (where effect['measure'] = 'headcount') as headcount_difference,
        max(effect['se']) filter (where effect['measure'] = 'headcount') as headcount_difference_se,
        max(effect['ci_low']) filter (where effect['measure'] = 'headcount') as headcount_difference_ci_low,
        max(effect['ci_high']) filter (where effect['measure'] = 'headcount') as headcount_difference_ci_high,
        max(effect['with']) filter (where effect['measure'] = 'gap') as gap_with,
        max(effect['without']) filter (where effect['measure'] = 'gap') as gap_without,
        max(effect['difference']) filter (where effect['measure'] = 'gap') as gap_difference,
        max(effect['se']) filter (where effect['measure'] = 'gap') as gap_difference_se,
        max(effect['with']) filter (where effect['measure'] = 'gini') as gini_with,
        max(effect['without']) filter (where effect['measure'] = 'gini') as gini_without,
        max(effect['difference']) filter (where effect['measure'] = 'gini') as gini_difference,
        max(effect['se']) filter (where effect['measure'] = 'gini') as gini_difference_se,
        min(effect['df']) as df,
        max(effect['lonely']) as lonely
    from measured
    group by survey_id, group_kind, group_name
),

explained as (
    select
        effect.*,
        survey.iso3,
        survey.survey_year,
        survey.currency,
        case
            when survey.without_errors
                then 'the survey has no sampling units; SET envoi.sampling = ''simple_random'' takes each household for one'
            when $lonely_psu = 'error' and effect.lonely > 0
                then
                    cast(effect.lonely as varchar)
                    || ' strata have one sampling unit; SET envoi.lonely_psu = ''adjust'' or ''certainty'''
        end as errors_missing
    from effect
    inner join survey on effect.survey_id = survey.survey_id
)

select
    survey_id,
    iso3,
    survey_year,
    group_kind,
    group_name,
    households_sampled,
    households,
    persons,
    receiving_household_share,
    case when errors_missing is null then receiving_household_share_se end as receiving_household_share_se,
    remittance_lcu / nullif(income_lcu, 0) as remittance_income_share,
    mean_income_with_lcu,
    mean_income_without_lcu,
    headcount_with,
    headcount_without,
    headcount_difference,
    case when errors_missing is null then headcount_difference_se end as headcount_difference_se,
    case when errors_missing is null then headcount_difference_ci_low end as headcount_difference_ci_low,
    case when errors_missing is null then headcount_difference_ci_high end as headcount_difference_ci_high,
    gap_with,
    gap_without,
    gap_difference,
    case when errors_missing is null then gap_difference_se end as gap_difference_se,
    gini_with,
    gini_without,
    gini_difference,
    case when errors_missing is null then gini_difference_se end as gini_difference_se,
    case when errors_missing is null then df end as df,
    errors_missing,
    currency,
    line_lcu,
    $poverty_line as poverty_line,
    $equivalence_scale as equivalence_scale,
    $counterfactual as counterfactual,
    $sampling as sampling,
    $lonely_psu as lonely_psu
from explained
