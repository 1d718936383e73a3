with

flow as (
    select sender_iso3, receiver_iso3, year, method, remittance_usd
    from lake.corridor_flow
    where remittance_usd > 0
),

named as (
    select iso3, max(name_en) as name_en
    from lake.country
    where valid_to is null
    group by iso3
)

select
    flow.sender_iso3,
    sender.name_en as sender_name_en,
    flow.receiver_iso3,
    receiver.name_en as receiver_name_en,
    flow.year,
    flow.method,
    flow.remittance_usd,
    row_number() over (
        partition by flow.year, flow.method
        order by flow.remittance_usd desc, flow.sender_iso3, flow.receiver_iso3
    ) as rank,
    flow.remittance_usd / sum(flow.remittance_usd) over (partition by flow.year, flow.method, flow.receiver_iso3)
        as receiver_share,
    flow.remittance_usd / sum(flow.remittance_usd) over (partition by flow.year, flow.method, flow.sender_iso3)
        as sender_share
from flow
left join named as sender on flow.sender_iso3 = sender.iso3
left join named as receiver on flow.receiver_iso3 = receiver.iso3
