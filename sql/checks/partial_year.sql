-- The newest year of a series in which far fewer economies report than the year before.
with

counted as (
    select
        indicator,
        cast(date_part('year', period) as int) as year,
        count(value) as economies
    from lake.observation
    where frequency = 'A'
    group by indicator, cast(date_part('year', period) as int)
),

compared as (
    select
        indicator,
        year,
        economies,
        lag(economies) over (partition by indicator order by year) as before,
        row_number() over (partition by indicator order by year desc) as back
    from counted
)

select
    'observation' as table_name,
    indicator,
    cast(null as varchar) as iso3,
    year,
    cast(economies as double) as value,
    cast(before as double) as expected,
    concat(
        cast(economies as varchar), ' economies, ', cast(before as varchar),
        ' the year before: compare over the economies that have both'
    ) as finding
from compared
where back = 1 and before >= 20 and economies < 0.9 * before
order by indicator
