-- Growth is from the calendar year before, not from the last year that
-- reported: a gap gives NULL. A total over rows with growth is a total over a
-- matched panel; a total over all rows is not, where the last year is partial.
with

current_year as (
    select iso3, name_en, year, income_group, remittance_usd
    from mart.remittance_vs_oda
    where remittance_usd is not null
),

year_before as (
    select iso3, year + 1 as year, remittance_usd
    from current_year
)

select
    current_year.iso3,
    current_year.name_en,
    current_year.year,
    current_year.income_group,
    current_year.remittance_usd,
    year_before.remittance_usd as remittance_previous_usd,
    case
        when year_before.remittance_usd > 0
            then current_year.remittance_usd / year_before.remittance_usd - 1
    end as growth
from current_year
left join year_before on current_year.iso3 = year_before.iso3 and current_year.year = year_before.year
