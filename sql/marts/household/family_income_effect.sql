-- The effect of remittances in groups of families. Groups of a kind are of the same
-- families: they add up to all within a kind, not across kinds.
with

family as (
    select
        survey_id, iso3, survey_year, currency, weight, urban, region, quintile, size_class, receives,
        weight * size_persons as persons, weight_without * size_persons as persons_without, remittance_lcu,
        household_income_lcu,
        income_with_lcu, income_without_lcu, line_lcu
    from family_income($poverty_line, $equivalence_scale, $counterfactual, $seed)
    where weight > 0 and income_with_lcu is not null and (income_without_lcu is not null or weight_without = 0)
),

grouped as (
    select
        survey_id,
        min(iso3) as iso3,
        min(survey_year) as survey_year,
        urban,
        region,
        quintile,
        size_class,
        case
            when grouping(urban) = 0 then 'area'
            when grouping(region) = 0 then 'region'
            when grouping(quintile) = 0 then 'quintile'
            when grouping(size_class) = 0 then 'size'
            else 'all'
        end as group_kind,
        count(*) as households_sampled,
        sum(weight) as households,
        sum(persons) as persons,
        sum(case when receives then weight else 0 end) as households_receiving,
        sum(weight * remittance_lcu) as remittance_lcu,
        sum(weight * household_income_lcu) as income_lcu,
        sum(persons * income_with_lcu) as with_lcu,
        sum(persons_without * income_without_lcu) as without_lcu,
        sum(persons_without) as persons_without,
        fgt(income_with_lcu, line_lcu, 0, persons) as headcount_with,
        fgt(income_without_lcu, line_lcu, 0, persons_without) as headcount_without,
        fgt(income_with_lcu, line_lcu, 1, persons) as gap_with,
        fgt(income_without_lcu, line_lcu, 1, persons_without) as gap_without,
        gini(income_with_lcu, persons) as gini_with,
        gini(income_without_lcu, persons_without) as gini_without,
        min(currency) as currency,
        min(line_lcu) as line_lcu
    from family
    group by grouping sets (
        (survey_id), (survey_id, urban), (survey_id, region), (survey_id, quintile), (survey_id, size_class)
    )
),

named as (
    select
        grouped.*,
        case group_kind
            when 'all' then 'all'
            when 'area' then case when urban then 'urban' when not urban then 'rural' end
            when 'region' then region
            when 'quintile' then cast(quintile as varchar)
            else size_class
        end as group_name
    from grouped
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
    households_receiving / households as receiving_household_share,
    remittance_lcu / nullif(income_lcu, 0) as remittance_income_share,
    with_lcu / persons as mean_income_with_lcu,
    without_lcu / persons_without as mean_income_without_lcu,
    headcount_with,
    headcount_without,
    headcount_with - headcount_without as headcount_difference,
    gap_with,
    gap_without,
    gini_with,
    gini_without,
    currency,
    line_lcu,
    $poverty_line as poverty_line,
    $equivalence_scale as equivalence_scale,
    $counterfactual as counterfactual
from named
where group_name is not null
