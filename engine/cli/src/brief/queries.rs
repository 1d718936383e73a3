//! The questions the brief asks, over marts and the lake's own tables.
//!
//! Dates are cast to text here, so that the mapping reads one type whatever
//! the lake stores. Years are numbers and economies codes out of the lake's own
//! list: the user's text never goes into a statement.

/// One row per year: how many economies have what.
pub(crate) const COVERAGE: &str = "
select
    year,
    count(remittance_usd) as with_remittance,
    count(oda_usd) as with_oda,
    count(remittance_usd + oda_usd) as with_both,
    count(remittance_gdp_share) as with_gdp_share
from mart.remittance_vs_oda
group by year
order by year";

/// One row per group and year.
pub(crate) const GROUPS: &str = "
select
    group_kind, group_code, group_name, year, economies, economies_with_both, economies_exceeding,
    remittance_usd, oda_usd, remit_oda_ratio, coverage_share
from mart.remittance_vs_oda_by_group
order by group_kind, group_code, year";

/// An economy in a year, with what the brief shows of it.
const ECONOMY: &str = "
select
    iso3, name_en, year, income_group, remittance_usd, oda_usd, remit_oda_ratio, remit_exceeds_oda,
    remittance_gdp_share, remittance_per_head_usd, oda_per_head_usd
from mart.remittance_vs_oda";

/// One row per economy of a year.
pub(crate) fn economies(year: i32) -> String {
    format!("{ECONOMY}\nwhere year = {year}\norder by iso3")
}

/// One row per year of an economy.
pub(crate) fn series(iso3: &str) -> String {
    format!("{ECONOMY}\nwhere iso3 = '{iso3}'\norder by year")
}

/// Economies by code and name, to recognise the one asked for.
pub(crate) const NAMES: &str = "
select iso3, max(name_en) as name_en
from (
    select iso3, name_en from mart.remittance_vs_oda
    union all
    select distinct iso3, country_name(iso3) as name_en from lake.household
)
group by iso3
order by iso3";

/// One row per year after this one: the panel of economies that also have the
/// year before.
pub(crate) fn panels(after: i32) -> String {
    format!(
        "
select
    year,
    count(*) as economies,
    sum(remittance_usd) as remittance_usd,
    sum(remittance_previous_usd) as previous_usd
from mart.remittance_growth
where growth is not null and year > {after}
group by year
order by year"
    )
}

/// The largest corridors of the newest year: so many of all, or all into and
/// out of an economy.
pub(crate) fn corridors(of: Corridors<'_>) -> String {
    let (which, limit) = match of {
        Corridors::Largest(n) => (String::new(), format!("\nlimit {n}")),
        Corridors::Of(iso3) => {
            (format!("\n    and (sender_iso3 = '{iso3}' or receiver_iso3 = '{iso3}')"), String::new())
        }
    };
    format!(
        "
select
    sender_iso3, sender_name_en, receiver_iso3, receiver_name_en, year, remittance_usd,
    receiver_share, sender_share
from mart.corridor_ranking
where method = 'published_matrix'
    and remittance_usd > 0
    and year = (select max(year) from mart.corridor_ranking where method = 'published_matrix'){which}
order by remittance_usd desc, sender_iso3, receiver_iso3{limit}"
    )
}

/// Which corridors.
pub(crate) enum Corridors<'a> {
    /// The largest of all.
    Largest(usize),
    /// Those of this economy.
    Of(&'a str),
}

/// Which edition of which dataset feeds which figure. ODA is DAC2A where the
/// World Bank's series is not loaded, as in `mart.remittance_vs_oda`.
pub(crate) const FEEDS: &str = "
select indicator as figure, source_id, cast(max(vintage) as varchar) as vintage
from lake.observation
where indicator in ('BX.TRF.PWKR.CD.DT', 'DT.ODA.ALLD.CD', 'NY.GDP.MKTP.CD', 'SP.POP.TOTL')
group by indicator, source_id
union all
select 'aid_flow' as figure, source_id, cast(max(vintage) as varchar) as vintage
from lake.aid_flow
where measure = '206' and not exists (select 1 from lake.indicator where indicator = 'DT.ODA.ALLD.CD')
group by source_id
union all
select 'corridor' as figure, source_id, cast(max(vintage) as varchar) as vintage
from lake.corridor_flow
where method = 'published_matrix'
group by source_id
union all
select 'group' as figure, source_id, cast(max(vintage) as varchar) as vintage
from lake.country_group
where group_kind in ('income', 'region')
group by source_id
union all
select distinct 'household' as figure, source_id, cast(vintage as varchar) as vintage
from lake.household";

/// What is known of each dataset and edition.
pub(crate) const SOURCES: &str = "
select
    source_id, provider, dataset, cast(vintage as varchar) as vintage, licence, citation, url, caveats
from lake.source
order by source_id, vintage desc";
