-- Growth between neighbouring years is that of the economies in both; its running
-- sum of logarithms carries a value from where it is known to where it is not.
with

facts as (
    select
        grp, country,
        cast(year as int) as year,
        cast(value as double) as value,
        cast(proxy as double) as proxy
    from $data as given (grp, country, year, value, proxy)
    where country is not null and year is not null
),

benchmark as (
    select
        grp,
        sum(value) filter (where proxy is not null) / nullif(sum(proxy) filter (where value is not null), 0) as ratio,
        sum(proxy) filter (where value is null) / nullif(sum(proxy), 0) as missing
    from facts
    where year = $benchmark
    group by grp
),

neighbours as (
    select
        this.grp,
        this.year,
        sum(this.value) / nullif(sum(before.value), 0) as growth
    from facts as this
    inner join facts as before
        on (this.grp is not distinct from before.grp) and this.country = before.country and this.year = before.year + 1
    where this.value is not null and before.value is not null
    group by this.grp, this.year
),

years as (
    select distinct grp, year
    from facts
),

-- Level: logarithm of the chained total, and how many years of the chain are broken so far.
chain as (
    select
        years.grp,
        years.year,
        sum(case when neighbours.growth > 0 then ln(neighbours.growth) else 0 end)
            over (partition by years.grp order by years.year) as level,
        sum(case when neighbours.growth > 0 then 0 else 1 end)
            over (partition by years.grp order by years.year) as broken
    from years
    left join neighbours on (years.grp is not distinct from neighbours.grp) and years.year = neighbours.year
),

anchored as (
    select
        facts.grp,
        facts.country,
        facts.year,
        coalesce(
            facts.value,
            case when facts.year = $benchmark and benchmark.missing <= $most_missing then facts.proxy * benchmark.ratio end
        ) as value,
        facts.value is not null as known,
        chain.level,
        chain.broken,
        benchmark.missing
    from facts
    left join benchmark on (facts.grp is not distinct from benchmark.grp)
    left join chain on (facts.grp is not distinct from chain.grp) and facts.year = chain.year
),

-- The nearest value between here and the benchmark year, that year included.
sources as (
    select
        gap.grp,
        gap.country,
        gap.year,
        source.value * exp(gap.level - source.level) as value,
        row_number() over (
            partition by gap.grp, gap.country, gap.year order by abs(gap.year - source.year)
        ) as nearness
    from anchored as gap
    inner join anchored as source
        on
            (gap.grp is not distinct from source.grp)
            and gap.country = source.country
            and gap.broken = source.broken
    where
        gap.value is null
        and source.value > 0
        and gap.missing <= $most_missing
        and (
            source.year between $benchmark and gap.year
            or source.year between gap.year and $benchmark
        )
)

select
    anchored.grp as group_code,
    anchored.country,
    anchored.year,
    coalesce(anchored.value, sources.value) as filled,
    not anchored.known and coalesce(anchored.value, sources.value) is not null as imputed,
    anchored.missing as benchmark_missing
from anchored
left join sources
    on
        (anchored.grp is not distinct from sources.grp)
        and anchored.country = sources.country
        and anchored.year = sources.year
        and sources.nearness = 1
