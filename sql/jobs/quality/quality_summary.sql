with

latest as (
    select indicator, max(year) as year
    from {{ ref('indicator_coverage') }}
    where frequency = 'A'
    group by indicator
)

select
    coverage.indicator,
    min(coverage.year) as first_year,
    max(coverage.year) as last_year,
    max(coverage.economies) as most_economies,
    max(case when coverage.year = latest.year then coverage.economies end) as economies_in_last_year,
    sum(coverage.not_actual) as not_actual
from {{ ref('indicator_coverage') }} as coverage
inner join latest on coverage.indicator = latest.indicator
where coverage.frequency = 'A'
group by coverage.indicator
