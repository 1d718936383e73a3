-- Zeros for three years or more in a series that has other values: most often
-- nothing was reported.
with

marked as (
    select
        source_id,
        indicator,
        iso3,
        cast(date_part('year', period) as int) as year,
        value,
        row_number() over (partition by source_id, indicator, iso3 order by period)
        - row_number() over (partition by source_id, indicator, iso3, value = 0 order by period) as island
    from lake.observation
    where frequency = 'A' and value is not null
),

run as (
    select indicator, iso3, min(year) as first, max(year) as last, count(*) as years
    from marked
    where value = 0
    group by source_id, indicator, iso3, island
),

other as (
    select indicator, iso3, max(value) as greatest
    from lake.observation
    where frequency = 'A' and value > 0
    group by indicator, iso3
)

select
    'observation' as table_name,
    run.indicator,
    run.iso3,
    run.last as year,
    cast(0 as double) as value,
    other.greatest as expected,
    concat(
        '0 for ', cast(run.years as varchar), ' years, ', cast(run.first as varchar), ' to ', cast(run.last as varchar)
    ) as finding
from run
inner join other on run.indicator = other.indicator and run.iso3 = other.iso3
where run.years >= 3 and (run.indicator like '%.CD%' or run.indicator like '%FLOW')
order by other.greatest desc, run.indicator, run.iso3, run.last
