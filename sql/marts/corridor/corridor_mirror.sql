-- A receiver's total in the bilateral matrix against its balance of payments.
with

matrix as (
    select receiver_iso3 as iso3, year, method, sum(remittance_usd) as matrix_usd, count(*) as senders
    from lake.corridor_flow
    where remittance_usd > 0
    group by receiver_iso3, year, method
),

balance as (
    select iso3, cast(date_part('year', period) as int) as year, value as balance_usd
    from lake.observation
    where indicator = 'BX.TRF.PWKR.CD.DT' and frequency = 'A'
)

select
    matrix.iso3,
    matrix.year,
    matrix.method,
    matrix.senders,
    matrix.matrix_usd,
    balance.balance_usd,
    (matrix.matrix_usd - balance.balance_usd)
    / nullif((abs(matrix.matrix_usd) + abs(balance.balance_usd)) / 2, 0) as asymmetry
from matrix
left join balance on matrix.iso3 = balance.iso3 and matrix.year = balance.year
