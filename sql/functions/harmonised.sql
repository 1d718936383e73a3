-- A territory is followed through time by the function harmonise: of an economy of
-- today it says who held its territory on a day.
with

facts as (
    select iso3, period, frequency, unit, value, source_id, vintage
    from lake.observation
    where indicator = $indicator and value is not null
),

today as (
    select distinct iso3
    from lake.country
    where valid_to is null
),

-- Who reported, with what has joined another counted to it.
reported as (
    select
        coalesce(today.iso3, harmonise(facts.iso3, 'merge', facts.period)) as iso3,
        facts.period,
        facts.frequency,
        facts.source_id,
        max(facts.unit) as unit,
        max(facts.vintage) as vintage,
        sum(facts.value) as value,
        array_agg(distinct facts.iso3 order by facts.iso3) as reported_by
    from facts
    left join today on facts.iso3 = today.iso3
    group by 1, 2, 3, 4
),

periods as (
    select distinct period, frequency, source_id
    from facts
),

-- Whose territory every economy of today was, period by period.
held as (
    select
        today.iso3,
        periods.period,
        periods.frequency,
        periods.source_id,
        harmonise(today.iso3, 'merge', periods.period) as holder
    from today
    cross join periods
),

-- What each of today's reported itself, beside the others of the same holder and the holder.
beside as (
    select
        held.*,
        own.value,
        own.unit,
        own.vintage,
        own.reported_by,
        whole.value as whole_value,
        whole.unit as whole_unit,
        whole.vintage as whole_vintage,
        whole.reported_by as whole_reported_by,
        count(*) over (partition by held.holder, held.period, held.frequency, held.source_id) as members,
        count(own.value) over (partition by held.holder, held.period, held.frequency, held.source_id) as reporting
    from held
    left join reported as own
        on
            held.iso3 = own.iso3
            and held.period = own.period
            and held.frequency = own.frequency
            and held.source_id = own.source_id
    left join reported as whole
        on
            held.holder = whole.iso3
            and held.period = whole.period
            and held.frequency = whole.frequency
            and held.source_id = whole.source_id
),

-- The economies whose figures were once one, and how they divide it when all first report.
families as (
    select distinct holder, iso3
    from held
    where iso3 <> holder or holder in (select h.holder from held as h where h.iso3 <> h.holder)
),

together as (
    select
        families.holder,
        families.iso3,
        reported.period,
        reported.frequency,
        reported.source_id,
        reported.value,
        count(*) over (partition by families.holder, reported.period, reported.frequency, reported.source_id) as reporting,
        sum(reported.value) over (partition by families.holder, reported.period, reported.frequency, reported.source_id) as total,
        (select count(*) from families as f where f.holder = families.holder) as members
    from families
    inner join reported on families.iso3 = reported.iso3
    -- What the holder reports while it holds the others is not its own share.
    where harmonise(families.iso3, 'merge', reported.period) = families.iso3
),

shares as (
    select holder, iso3, frequency, source_id, value / total as share
    from together
    where reporting = members and total > 0
    qualify row_number() over (partition by holder, iso3, frequency, source_id order by period) = 1
),

as_reported as (
    select
        iso3, period, frequency, value, unit,
        false as estimate, false as partial, make_array(iso3) as reported_by, source_id, vintage
    from facts
),

merged as (
    select
        harmonise(facts.iso3, 'merge') as iso3,
        facts.period,
        facts.frequency,
        sum(facts.value) as value,
        max(facts.unit) as unit,
        false as estimate,
        array_agg(distinct facts.iso3 order by facts.iso3) as reported_by,
        facts.source_id,
        max(facts.vintage) as vintage
    from facts
    group by harmonise(facts.iso3, 'merge'), facts.period, facts.frequency, facts.source_id
),

-- Members of the merged economy that were there in the period and are not in its sum.
absent as (
    select distinct harmonise(held.iso3, 'merge') as iso3, held.period, held.frequency, held.source_id
    from held
    left join facts as own
        on
            held.iso3 = own.iso3
            and held.period = own.period
            and held.frequency = own.frequency
            and held.source_id = own.source_id
    left join reported as holders
        on
            held.holder = holders.iso3
            and held.period = holders.period
            and held.frequency = holders.frequency
            and held.source_id = holders.source_id
    where own.value is null and holders.value is null
),

divided as (
    select
        beside.iso3,
        beside.period,
        beside.frequency,
        -- Its own, if every part of the holder reports apart or the holder does not report.
        case when beside.apart then beside.value else coalesce(beside.whole_value * shares.share, beside.value) end
            as value,
        case when beside.apart then beside.unit else beside.whole_unit end as unit,
        not beside.apart and shares.share is not null as estimate,
        not beside.apart and shares.share is null as partial,
        case when beside.apart then beside.reported_by else beside.whole_reported_by end as reported_by,
        beside.source_id,
        case when beside.apart then beside.vintage else beside.whole_vintage end as vintage
    from (select *, reporting = members or whole_value is null as apart from beside) as beside
    left join shares
        on
            beside.holder = shares.holder
            and beside.iso3 = shares.iso3
            and beside.frequency = shares.frequency
            and beside.source_id = shares.source_id
)

select iso3, period, frequency, value, unit, estimate, partial, reported_by, source_id, vintage
from as_reported
where $mode = 'as_reported'

union all

select
    merged.iso3, merged.period, merged.frequency, merged.value, merged.unit, merged.estimate,
    absent.iso3 is not null as partial,
    merged.reported_by, merged.source_id, merged.vintage
from merged
left join absent
    on
        merged.iso3 = absent.iso3
        and merged.period = absent.period
        and merged.frequency = absent.frequency
        and merged.source_id = absent.source_id
where $mode = 'merge'

union all

select iso3, period, frequency, value, unit, estimate, partial, reported_by, source_id, vintage
from divided
where $mode = 'split' and value is not null
