select
    indicator,
    cast(date_part('year', period) as int) as year,
    frequency,
    count(distinct iso3) as economies,
    count(*) filter (where obs_status is distinct from 'A') as not_actual,
    min(vintage) as oldest_vintage,
    max(vintage) as newest_vintage
from {{ source('observation') }}
group by indicator, cast(date_part('year', period) as int), frequency
