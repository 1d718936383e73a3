-- Steps that stand out of the series' own: by a factor of three, and beyond ten
-- median absolute deviations of its yearly steps. The median is not moved by the
-- step that is sought. Small economies' first figures are left out.
with

step as (
    select
        indicator,
        iso3,
        cast(date_part('year', period) as int) as year,
        value,
        lag(value) over (partition by source_id, indicator, iso3 order by period) as before,
        lag(period) over (partition by source_id, indicator, iso3 order by period) as period_before,
        period
    from lake.observation
    where frequency = 'A' and value > 0 and unit in ('current US dollars', 'US$')
),

logged as (
    select indicator, iso3, year, value, before, ln(value / before) as step
    from step
    where before >= 1e6 and date_part('year', period) = date_part('year', period_before) + 1
),

usual as (
    select indicator, iso3, median(step) as middle, count(*) as steps
    from logged
    group by indicator, iso3
),

spread as (
    select logged.indicator, logged.iso3, median(abs(logged.step - usual.middle)) as deviation
    from logged
    inner join usual on logged.indicator = usual.indicator and logged.iso3 = usual.iso3
    group by logged.indicator, logged.iso3
)

select
    'observation' as table_name,
    logged.indicator,
    logged.iso3,
    logged.year,
    logged.value,
    logged.before as expected,
    concat(
        cast(round(exp(abs(logged.step)), 1) as varchar),
        case when logged.step > 0 then ' times the year before' else ' times less than the year before' end
    ) as finding
from logged
inner join usual on logged.indicator = usual.indicator and logged.iso3 = usual.iso3
inner join spread on logged.indicator = spread.indicator and logged.iso3 = spread.iso3
where
    usual.steps >= 5
    and abs(logged.step) > ln(3)
    and abs(logged.step - usual.middle) > 10 * spread.deviation
order by abs(logged.step) desc, logged.indicator, logged.iso3, logged.year
