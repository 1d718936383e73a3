-- How much an economy leans on remittances. Stocks of emigrants are for
-- mid-years five years apart, so the latest of the four years before counts.
with

flow as (
    select iso3, name_en, year, remittance_usd, remittance_gdp_share, remittance_per_head_usd
    from mart.remittance_vs_oda
    where remittance_usd is not null
),

export as (
    select iso3, cast(date_part('year', period) as int) as year, value as export_usd
    from lake.observation
    where indicator = 'NE.EXP.GNFS.CD' and frequency = 'A'
),

emigrant as (
    select iso3, year as stock_year, stock_persons
    from lake.migrant_stock_total
    where role = 'origin' and sex = 'both'
)

select
    flow.iso3,
    flow.name_en,
    flow.year,
    flow.remittance_usd,
    flow.remittance_gdp_share,
    flow.remittance_usd / nullif(export.export_usd, 0) as remittance_export_share,
    flow.remittance_per_head_usd,
    emigrant.stock_year as emigrant_year,
    emigrant.stock_persons as emigrant_persons,
    flow.remittance_usd / nullif(emigrant.stock_persons, 0) as remittance_per_emigrant_usd
from flow
left join export on flow.iso3 = export.iso3 and flow.year = export.year
left join emigrant
    on flow.iso3 = emigrant.iso3 and flow.year >= emigrant.stock_year and flow.year < emigrant.stock_year + 5
