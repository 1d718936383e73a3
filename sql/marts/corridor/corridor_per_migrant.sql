-- Money over migrants of the same pair. Stocks are for mid-years, so the newest
-- stock not later than the flow counts.
with

flow as (
    select sender_iso3, receiver_iso3, year, method, remittance_usd
    from lake.corridor_flow
),

stock as (
    select destination_iso3, origin_iso3, year as stock_year, stock_persons
    from lake.migrant_stock
    where sex = 'both'
),

paired as (
    select
        flow.sender_iso3,
        flow.receiver_iso3,
        flow.year,
        flow.method,
        flow.remittance_usd,
        stock.stock_year,
        stock.stock_persons,
        row_number() over (
            partition by flow.sender_iso3, flow.receiver_iso3, flow.year, flow.method
            order by stock.stock_year desc
        ) as newest
    from flow
    inner join stock
        on
            flow.sender_iso3 = stock.destination_iso3
            and flow.receiver_iso3 = stock.origin_iso3
            and flow.year >= stock.stock_year
)

select
    sender_iso3,
    receiver_iso3,
    year,
    method,
    remittance_usd,
    stock_year,
    stock_persons,
    remittance_usd / nullif(stock_persons, 0) as remittance_per_migrant_usd
from paired
where newest = 1
