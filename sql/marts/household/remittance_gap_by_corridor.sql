-- What the balance of payments has and the survey has not, by sender of the corridor
-- matrix: of the survey's year, else of the nearest year that the lake has.
with

summary as (
    select
        survey_id,
        iso3,
        survey_year,
        capture_ratio,
        balance_remittance_usd,
        survey_remittance_lcu / lcu_per_usd as survey_remittance_usd
    from survey_summary()
    where capture_ratio is not null
),

flow as (
    select sender_iso3, receiver_iso3, year, sum(remittance_usd) as remittance_usd
    from lake.corridor_flow
    where method = 'published_matrix' and remittance_usd > 0
    group by sender_iso3, receiver_iso3, year
),

distance as (
    select
        summary.survey_id,
        flow.year,
        row_number() over (
            partition by summary.survey_id
            order by abs(flow.year - summary.survey_year), flow.year
        ) as place
    from summary
    inner join (select distinct receiver_iso3, year from flow) as flow on summary.iso3 = flow.receiver_iso3
),

shared as (
    select
        summary.survey_id,
        summary.iso3,
        summary.survey_year,
        flow.sender_iso3,
        distance.year as matrix_year,
        flow.remittance_usd / sum(flow.remittance_usd) over (partition by summary.survey_id) as sender_share,
        summary.capture_ratio,
        summary.balance_remittance_usd,
        summary.survey_remittance_usd
    from summary
    inner join distance on summary.survey_id = distance.survey_id and distance.place = 1
    inner join flow on summary.iso3 = flow.receiver_iso3 and distance.year = flow.year
)

select
    survey_id,
    iso3,
    survey_year as year,
    sender_iso3,
    matrix_year,
    sender_share,
    sender_share * balance_remittance_usd as balance_remittance_usd,
    sender_share * survey_remittance_usd as survey_remittance_usd,
    sender_share * (balance_remittance_usd - survey_remittance_usd) as gap_usd,
    capture_ratio
from shared
