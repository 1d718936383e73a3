-- The same quantity by two publishers: DAC2A measure 206 of all donors, current
-- prices, and the World Bank's copy of it.
with

dac as (
    select recipient_iso3 as iso3, year, aid_usd
    from lake.aid_flow
    where donor_code = 'ALLD' and measure = '206' and price_basis = 'V' and flow_type = 'D'
),

bank as (
    select iso3, cast(date_part('year', period) as int) as year, value
    from lake.observation
    where indicator = 'DT.ODA.ALLD.CD' and frequency = 'A'
)

select
    'aid_flow' as table_name,
    'DT.ODA.ALLD.CD' as indicator,
    bank.iso3,
    bank.year,
    bank.value,
    dac.aid_usd as expected,
    concat(
        'World Bank and OECD differ by ',
        cast(round(100 * abs(bank.value - dac.aid_usd) / abs(dac.aid_usd), 2) as varchar), ' %'
    ) as finding
from bank
inner join dac on bank.iso3 = dac.iso3 and bank.year = dac.year
where dac.aid_usd <> 0 and abs(bank.value - dac.aid_usd) > 0.001 * abs(dac.aid_usd)
order by abs(bank.value - dac.aid_usd) desc, bank.iso3, bank.year
