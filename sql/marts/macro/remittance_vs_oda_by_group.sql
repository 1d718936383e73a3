-- Counts and totals are over economies that have both values, so that a group
-- with few reports is not compared with itself minus its missing members.
-- Grouping sets make all groups in one pass over the economies.
with

economy as (
    select
        iso3,
        max(group_code) filter (where group_kind = 'income') as income_group,
        max(group_code) filter (where group_kind = 'region') as wb_region,
        max(group_name) filter (where group_kind = 'income') as income_name,
        max(group_name) filter (where group_kind = 'region') as region_name
    from lake.country_group
    where valid_to is null and group_kind in ('income', 'region')
    group by iso3
),

size as (
    select
        income_group,
        wb_region,
        min(income_name) as income_name,
        min(region_name) as region_name,
        count(*) as economies
    from economy
    where income_group in ('LIC', 'LMC', 'UMC')
    group by grouping sets ((), (income_group), (wb_region))
),

fact as (
    select
        year,
        income_group,
        wb_region,
        remittance_usd,
        oda_usd,
        remit_exceeds_oda,
        remittance_usd is not null and oda_usd is not null as has_both
    from mart.remittance_vs_oda
    where income_group in ('LIC', 'LMC', 'UMC')
),

summed as (
    select
        year,
        income_group,
        wb_region,
        count(remittance_usd) as economies_with_remittance,
        count(oda_usd) as economies_with_oda,
        count(*) filter (where has_both) as economies_with_both,
        count(*) filter (where remit_exceeds_oda) as economies_exceeding,
        sum(remittance_usd) filter (where has_both) as remittance_usd,
        sum(oda_usd) filter (where has_both) as oda_usd
    from fact
    group by grouping sets ((year), (year, income_group), (year, wb_region))
)

select
    case
        when summed.income_group is not null then 'income'
        when summed.wb_region is not null then 'region'
        else 'lmic'
    end as group_kind,
    coalesce(summed.income_group, summed.wb_region, 'LMY') as group_code,
    case
        when summed.income_group is not null then size.income_name
        when summed.wb_region is not null then size.region_name
        else 'Low & middle income'
    end as group_name,
    summed.year,
    size.economies,
    summed.economies_with_remittance,
    summed.economies_with_oda,
    summed.economies_with_both,
    summed.economies_exceeding,
    summed.remittance_usd,
    summed.oda_usd,
    remit_oda_ratio(summed.remittance_usd, summed.oda_usd) as remit_oda_ratio,
    cast(summed.economies_with_both as double) / size.economies as coverage_share
from summed
inner join size
    on
        coalesce(summed.income_group, '') = coalesce(size.income_group, '')
        and coalesce(summed.wb_region, '') = coalesce(size.wb_region, '')
