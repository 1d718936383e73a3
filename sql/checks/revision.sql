-- Figures that the newest editions changed by more than a tenth since the day.
with

before as (
    select source_id, indicator, iso3, period, frequency, value, vintage
    from lake.observation for timestamp as of $since
)

select
    'observation' as table_name,
    after.indicator,
    after.iso3,
    cast(date_part('year', after.period) as int) as year,
    after.value,
    before.value as expected,
    concat(
        'revised by ', cast(round(100 * (after.value / before.value - 1), 1) as varchar), ' % between the editions of ',
        cast(before.vintage as varchar), ' and ', cast(after.vintage as varchar)
    ) as finding
from lake.observation as after
inner join before
    on
        after.source_id = before.source_id
        and after.indicator = before.indicator
        and after.iso3 = before.iso3
        and after.period = before.period
        and after.frequency = before.frequency
where before.value <> 0 and abs(after.value - before.value) > 0.1 * abs(before.value)
order by abs(after.value / before.value - 1) desc, after.indicator, after.iso3, after.period
