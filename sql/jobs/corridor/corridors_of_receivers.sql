select
    receiver_iso3,
    year,
    method,
    count(*) as corridors,
    sum(remittance_usd) as remittance_usd,
    max(receiver_share) as largest_share
from {{ source('mart', 'corridor_ranking') }}
group by receiver_iso3, year, method
