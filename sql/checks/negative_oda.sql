-- Repayments above grants and new loans: right, but no denominator of a ratio.
select
    'observation' as table_name,
    indicator,
    iso3,
    cast(date_part('year', period) as int) as year,
    value,
    cast(null as double) as expected,
    'net ODA is negative: repayments exceed grants' as finding
from lake.observation
where indicator = 'DT.ODA.ALLD.CD' and value < 0
union all
select
    'aid_flow' as table_name,
    concat('DAC2A.', measure) as indicator,
    recipient_iso3 as iso3,
    year,
    aid_usd as value,
    cast(null as double) as expected,
    concat('donor ', donor_code, ': negative, repayments exceed grants') as finding
from lake.aid_flow
where aid_usd < 0
order by table_name, year desc, iso3
