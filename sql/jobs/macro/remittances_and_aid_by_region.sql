select
    wb_region,
    year,
    count(*) as economies,
    sum(remittance_usd) as remittance_usd,
    sum(oda_usd) as oda_usd,
    count(*) filter (where remit_exceeds_oda) as economies_above
from {{ ref('remittances_and_aid') }}
where remittance_usd is not null and oda_usd is not null and wb_region is not null
group by wb_region, year
