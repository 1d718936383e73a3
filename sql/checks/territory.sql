-- Figures of an economy for years before it existed or after it ended:
-- back-cast by the publisher, or of a larger territory.
with

economy as (
    select iso3, name_en, valid_from, valid_to
    from lake.country
),

whole as (
    select
        iso3,
        min(valid_from) as valid_from,
        count(*) - count(valid_from) as open_start,
        max(valid_to) as valid_to,
        count(*) - count(valid_to) as open_end
    from economy
    group by iso3
),

spanned as (
    select
        observation.indicator,
        observation.iso3,
        min(cast(date_part('year', observation.period) as int)) as first,
        max(cast(date_part('year', observation.period) as int)) as last,
        count(*) as years,
        min(whole.valid_from) as valid_from,
        min(whole.valid_to) as valid_to
    from lake.observation
    inner join whole on observation.iso3 = whole.iso3
    where
        observation.frequency = 'A'
        and (
            whole.open_start = 0 and date_part('year', observation.period) < date_part('year', whole.valid_from)
            or whole.open_end = 0 and date_part('year', observation.period) > date_part('year', whole.valid_to)
        )
    group by observation.indicator, observation.iso3
)

select
    'observation' as table_name,
    indicator,
    iso3,
    last as year,
    cast(years as double) as value,
    cast(null as double) as expected,
    case
        when valid_from is not null and first < date_part('year', valid_from)
            then concat(
                'years before its first day, ', cast(valid_from as varchar), ': ', cast(years as varchar),
                ', from ', cast(first as varchar)
            )
        else
            concat(
                'years after its last day, ', cast(valid_to as varchar), ': ', cast(years as varchar),
                ', to ', cast(last as varchar)
            )
    end as finding
from spanned
order by indicator, iso3
