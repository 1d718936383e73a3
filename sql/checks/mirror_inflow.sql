-- A receiver's total in the bilateral matrix against recorded inflows of the same year.
with

matrix as (
    select receiver_iso3 as iso3, year, sum(remittance_usd) as matrix_usd
    from lake.corridor_flow
    where method = 'published_matrix'
    group by receiver_iso3, year
),

inflow as (
    select indicator, iso3, cast(date_part('year', period) as int) as year, value
    from lake.observation
    where indicator in ('KNOMAD.INFLOW', 'BX.TRF.PWKR.CD.DT') and frequency = 'A'
)

select
    'corridor_flow' as table_name,
    inflow.indicator,
    inflow.iso3,
    inflow.year,
    matrix.matrix_usd as value,
    inflow.value as expected,
    concat(
        'the matrix is ', cast(round(100 * abs(matrix.matrix_usd / inflow.value - 1), 1) as varchar),
        case when matrix.matrix_usd > inflow.value then ' % above' else ' % below' end, ' the recorded inflow'
    ) as finding
from inflow
inner join matrix on inflow.iso3 = matrix.iso3 and inflow.year = matrix.year
where inflow.value > 0 and abs(matrix.matrix_usd - inflow.value) > 0.05 * inflow.value
order by abs(matrix.matrix_usd - inflow.value) desc, inflow.indicator, inflow.iso3, inflow.year
