-- Economies with a value, of those in each income group of today, in the ten
-- newest years of every annual indicator.
with

member as (
    select iso3, max(group_code) as income_group
    from lake.country_group
    where group_kind = 'income' and valid_to is null
    group by iso3
),

size as (
    select income_group, count(*) as economies from member group by income_group
),

counted as (
    select
        observation.indicator,
        cast(date_part('year', observation.period) as int) as year,
        member.income_group,
        count(observation.value) as economies
    from lake.observation
    inner join member on observation.iso3 = member.iso3
    where observation.frequency = 'A'
    group by observation.indicator, cast(date_part('year', observation.period) as int), member.income_group
),

newest as (
    select indicator, max(year) as year from counted group by indicator
)

select
    'observation' as table_name,
    counted.indicator,
    cast(null as varchar) as iso3,
    counted.year,
    cast(counted.economies as double) as value,
    cast(size.economies as double) as expected,
    concat(
        counted.income_group, ': ', cast(counted.economies as varchar), ' of ',
        cast(size.economies as varchar), ' economies'
    ) as finding
from counted
inner join size on counted.income_group = size.income_group
inner join newest on counted.indicator = newest.indicator
where counted.year > newest.year - 10
order by counted.indicator, counted.year desc, counted.income_group
