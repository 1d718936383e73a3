select
    sender_iso3,
    receiver_iso3,
    date_trunc('month', sent_at) as month,
    count(*) as transfers,
    sum(amount_usd) as amount_usd,
    sum(fee_usd) as fee_usd
from {{ source('transfer') }}
where status is distinct from 'failed'
group by sender_iso3, receiver_iso3, date_trunc('month', sent_at)
