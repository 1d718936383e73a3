-- What is received against what is paid, over economies that report both in the
-- year: over different lists the difference would mostly be the lists.
with

annual as (
    select iso3, cast(date_part('year', period) as int) as year, indicator, value
    from lake.observation
    where frequency = 'A' and indicator in ('BX.TRF.PWKR.CD.DT', 'BM.TRF.PWKR.CD.DT')
),

wide as (
    select
        iso3,
        year,
        max(value) filter (where indicator = 'BX.TRF.PWKR.CD.DT') as received_usd,
        max(value) filter (where indicator = 'BM.TRF.PWKR.CD.DT') as paid_usd
    from annual
    group by iso3, year
),

matched as (
    select year, received_usd, paid_usd
    from wide
    where received_usd is not null and paid_usd is not null
)

select
    year,
    count(*) as economies,
    sum(received_usd) as received_usd,
    sum(paid_usd) as paid_usd,
    (sum(received_usd) - sum(paid_usd)) / nullif(sum(received_usd), 0) as discrepancy_share
from matched
group by year
