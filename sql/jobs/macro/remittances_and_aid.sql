select
    iso3,
    name_en,
    year,
    wb_region,
    income_group,
    remittance_usd,
    oda_usd,
    remit_oda_ratio,
    remit_exceeds_oda,
    gdp_usd,
    remittance_gdp_share,
    oda_gdp_share
from {{ source('mart', 'remittance_vs_oda') }}
