-- What a newer edition says differently. An economy and period that one of the
-- two lacks is there too: publishers add and withdraw figures without a word.
with

old_edition as (
    select source_id, iso3, period, frequency, unit, value, vintage
    from lake.observation for timestamp as of $old
    where indicator = $indicator
),

new_edition as (
    select source_id, iso3, period, frequency, unit, value, vintage
    from lake.observation for timestamp as of $new
    where indicator = $indicator
)

select
    coalesce(n.iso3, o.iso3) as iso3,
    coalesce(n.period, o.period) as period,
    coalesce(n.frequency, o.frequency) as frequency,
    o.value as old_value,
    n.value as new_value,
    n.value / nullif(o.value, 0) - 1 as change,
    case
        when o.value is null then 'added'
        when n.value is null then 'removed'
        else 'revised'
    end as kind,
    coalesce(n.unit, o.unit) as unit,
    coalesce(n.source_id, o.source_id) as source_id,
    o.vintage as old_vintage,
    n.vintage as new_vintage
from old_edition as o
full join new_edition as n
    on
        o.source_id = n.source_id
        and o.iso3 = n.iso3
        and o.period = n.period
        and o.frequency = n.frequency
where o.value is distinct from n.value
