-- Groups that have another name, and economies that are in another group, than
-- in the editions of the day.
with

before as (
    select group_kind, group_code, group_name, iso3
    from lake.country_group for timestamp as of $since
    where valid_to is null
),

after as (
    select group_kind, group_code, group_name, iso3
    from lake.country_group
    where valid_to is null
),

name_before as (
    select group_kind, group_code, max(group_name) as group_name
    from before
    group by group_kind, group_code
),

name_after as (
    select group_kind, group_code, max(group_name) as group_name
    from after
    group by group_kind, group_code
)

select
    'country_group' as table_name,
    name_after.group_code as indicator,
    cast(null as varchar) as iso3,
    cast(null as int) as year,
    cast(null as double) as value,
    cast(null as double) as expected,
    concat(name_after.group_kind, ' `', name_before.group_name, '` is now `', name_after.group_name, '`') as finding
from name_after
inner join name_before
    on name_after.group_kind = name_before.group_kind and name_after.group_code = name_before.group_code
where name_after.group_name <> name_before.group_name
union all
select
    'country_group' as table_name,
    after.group_kind as indicator,
    after.iso3,
    cast(null as int) as year,
    cast(null as double) as value,
    cast(null as double) as expected,
    concat('was in ', before.group_code, ', is now in ', after.group_code) as finding
from after
inner join before on after.group_kind = before.group_kind and after.iso3 = before.iso3
where after.group_code <> before.group_code and after.group_kind in ('region', 'income')
order by indicator, iso3
