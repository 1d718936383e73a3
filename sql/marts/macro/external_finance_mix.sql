-- Shares are given only where all three flows are known: a missing flow counted
-- as zero would raise the others. Negative flows make shares meaningless.
with

flow as (
    select iso3, name_en, year, remittance_usd, oda_usd
    from mart.remittance_vs_oda
),

investment as (
    select iso3, cast(date_part('year', period) as int) as year, value as fdi_usd
    from lake.observation
    where indicator = 'BX.KLT.DINV.CD.WD' and frequency = 'A'
),

joined as (
    select
        flow.iso3,
        flow.name_en,
        flow.year,
        flow.remittance_usd,
        flow.oda_usd,
        investment.fdi_usd,
        case
            when flow.remittance_usd >= 0 and flow.oda_usd >= 0 and investment.fdi_usd >= 0
                then nullif(flow.remittance_usd + flow.oda_usd + investment.fdi_usd, 0)
        end as total_usd
    from flow
    left join investment on flow.iso3 = investment.iso3 and flow.year = investment.year
)

select
    iso3,
    name_en,
    year,
    remittance_usd,
    oda_usd,
    fdi_usd,
    remittance_usd / total_usd as remittance_share,
    oda_usd / total_usd as oda_share,
    fdi_usd / total_usd as fdi_share
from joined
