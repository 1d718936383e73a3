-- Counts and totals are over economies that have both values, so that a group
-- with few reports is not compared with itself minus its missing members.
with

member as (
    select iso3, group_kind, group_code, group_name
    from lake.country_group
    where valid_to is null and group_kind in ('region', 'income')
),

lmic as (
    select iso3 from member where group_kind = 'income' and group_code in ('LIC', 'LMC', 'UMC')
),

listed as (
    select 'lmic' as group_kind, 'LMY' as group_code, 'Low & middle income' as group_name, iso3
    from lmic
    union all
    select member.group_kind, member.group_code, member.group_name, member.iso3
    from member
    inner join lmic on member.iso3 = lmic.iso3
),

size as (
    select group_kind, group_code, min(group_name) as group_name, count(*) as economies
    from listed
    group by group_kind, group_code
),

fact as (
    select
        iso3,
        year,
        remittance_usd,
        oda_usd,
        remit_exceeds_oda,
        remittance_usd is not null and oda_usd is not null as has_both
    from mart.remittance_vs_oda
),

summed as (
    select
        listed.group_kind,
        listed.group_code,
        fact.year,
        count(fact.remittance_usd) as economies_with_remittance,
        count(fact.oda_usd) as economies_with_oda,
        count(*) filter (where fact.has_both) as economies_with_both,
        count(*) filter (where fact.remit_exceeds_oda) as economies_exceeding,
        sum(fact.remittance_usd) filter (where fact.has_both) as remittance_usd,
        sum(fact.oda_usd) filter (where fact.has_both) as oda_usd
    from listed
    inner join fact on listed.iso3 = fact.iso3
    group by listed.group_kind, listed.group_code, fact.year
)

select
    summed.group_kind,
    summed.group_code,
    size.group_name,
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
inner join size on summed.group_kind = size.group_kind and summed.group_code = size.group_code
