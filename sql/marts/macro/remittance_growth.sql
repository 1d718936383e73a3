-- Growth is from the calendar year before, not from the last year that
-- reported: a gap gives NULL. A total over rows with growth is a total over a
-- matched panel; a total over all rows is not, where the last year is partial.
with

reported as (
    select
        iso3,
        name_en,
        year,
        income_group,
        remittance_usd,
        lag(year) over (partition by iso3 order by year) as last_year,
        lag(remittance_usd) over (partition by iso3 order by year) as last_usd
    from mart.remittance_vs_oda
    where remittance_usd is not null
),

matched as (
    select
        iso3,
        name_en,
        year,
        income_group,
        remittance_usd,
        case when last_year = year - 1 then last_usd end as remittance_previous_usd
    from reported
)

select
    iso3,
    name_en,
    year,
    income_group,
    remittance_usd,
    remittance_previous_usd,
    case when remittance_previous_usd > 0 then remittance_usd / remittance_previous_usd - 1 end as growth
from matched
