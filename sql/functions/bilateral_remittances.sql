-- Weights are what migrants of an origin send from each host under the rule, each
-- over the sum of the origin's; the inflow is divided by them.
with

stock as (
    select origin, destination, sum(cast(migrants as double)) as migrants
    from $stock as given (origin, destination, migrants)
    where origin is not null and destination is not null and origin <> destination
    group by origin, destination
),

inflow as (
    select origin, sum(cast(flow as double)) as flow
    from $inflow as given (origin, flow)
    where origin is not null and flow is not null
    group by origin
),

given_income as (
    select economy, avg(cast(income as double)) as income
    from $income as given (economy, income)
    where economy is not null and income is not null
    group by economy
),

excluded as (
    select distinct origin, destination
    from $exclude as given (origin, destination)
),

region as (
    select iso3, min(wb_region) as wb_region
    from lake.country
    where valid_to is null and wb_region is not null
    group by iso3
),

region_income as (
    select region.wb_region, avg(given_income.income) as income
    from given_income
    inner join region on given_income.economy = region.iso3
    group by region.wb_region
),

host_income as (
    select hosts.destination, coalesce(own.income, mean.income) as income
    from (select distinct destination from stock) as hosts
    left join given_income as own on hosts.destination = own.economy
    left join region on hosts.destination = region.iso3 and $missing_income = 'region_mean'
    left join region_income as mean on region.wb_region = mean.wb_region
),

sent as (
    select
        stock.origin,
        stock.destination,
        stock.migrants * case
            when $rule = 1 then 1
            when $rule = 2 then host.income
            when host.income < home.income then home.income
            else home.income + power(host.income - home.income, $beta)
        end as amount
    from stock
    left join host_income as host on stock.destination = host.destination
    left join given_income as home on stock.origin = home.economy
    left join excluded on stock.origin = excluded.origin and stock.destination = excluded.destination
    where stock.migrants > 0 and excluded.origin is null
),

-- An income of zero gives rule 2 a weight of zero, which is a corridor without money.
weighted as (
    select origin, destination, amount / sum(amount) over (partition by origin) as weight
    from sent
    where amount > 0
)

select
    inflow.origin,
    weighted.destination,
    cast($rule as int) as rule,
    inflow.flow * coalesce(weighted.weight, 1) as flow_usd_mn,
    weighted.weight
from inflow
left join weighted on inflow.origin = weighted.origin
