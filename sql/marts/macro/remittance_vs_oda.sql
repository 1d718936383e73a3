-- Remittances and aid side by side. ODA is the World Bank's series where the
-- lake has it, else DAC2A measure 206: never a mixture of the two, because
-- DT.ODA.ALLD.CD also counts official aid.
with

annual as (
    select
        iso3,
        cast(date_part('year', period) as int) as year,
        indicator,
        value
    from lake.observation
    where
        frequency = 'A'
        and indicator in ('BX.TRF.PWKR.CD.DT', 'DT.ODA.ALLD.CD', 'NY.GDP.MKTP.CD', 'SP.POP.TOTL')
),

dac as (
    select
        recipient_iso3 as iso3,
        year,
        aid_usd
    from lake.aid_flow
    where
        donor_code = 'ALLD'
        and measure = '206'
        and price_basis = 'V'
        and flow_type = 'D'
        and not exists (select 1 from lake.indicator where indicator = 'DT.ODA.ALLD.CD')
),

facts as (
    select iso3, year, indicator, value from annual
    union all
    select iso3, year, 'DT.ODA.ALLD.CD' as indicator, aid_usd as value from dac
),

wide as (
    select
        iso3,
        year,
        max(value) filter (where indicator = 'BX.TRF.PWKR.CD.DT') as remittance_usd,
        max(value) filter (where indicator = 'DT.ODA.ALLD.CD') as oda_usd,
        max(value) filter (where indicator = 'NY.GDP.MKTP.CD') as gdp_usd,
        max(value) filter (where indicator = 'SP.POP.TOTL') as population_persons
    from facts
    group by iso3, year
),

economy as (
    select
        iso3,
        max(group_code) filter (where group_kind = 'region') as wb_region,
        max(group_code) filter (where group_kind = 'income') as income_group
    from lake.country_group
    where valid_to is null and group_kind in ('region', 'income')
    group by iso3
),

named as (
    select iso3, max(name_en) as name_en
    from lake.country
    where valid_to is null
    group by iso3
)

select
    wide.iso3,
    named.name_en,
    wide.year,
    economy.wb_region,
    economy.income_group,
    wide.remittance_usd,
    wide.oda_usd,
    remit_oda_ratio(wide.remittance_usd, wide.oda_usd) as remit_oda_ratio,
    remit_exceeds_oda(wide.remittance_usd, wide.oda_usd) as remit_exceeds_oda,
    wide.remittance_usd = 0 as remittance_is_zero,
    wide.gdp_usd,
    wide.remittance_usd / nullif(wide.gdp_usd, 0) as remittance_gdp_share,
    wide.oda_usd / nullif(wide.gdp_usd, 0) as oda_gdp_share,
    wide.population_persons,
    wide.remittance_usd / nullif(wide.population_persons, 0) as remittance_per_head_usd,
    wide.oda_usd / nullif(wide.population_persons, 0) as oda_per_head_usd
from wide
left join economy on wide.iso3 = economy.iso3
left join named on wide.iso3 = named.iso3
where wide.remittance_usd is not null or wide.oda_usd is not null
