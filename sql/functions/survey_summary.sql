-- What a survey counts, and the balance of payments beside what its households report.
with

survey as (
    select
        survey_id,
        min(iso3) as iso3,
        min(survey_year) as survey_year,
        min(currency) as currency,
        count(*) as households_sampled,
        sum(weight) as households,
        sum(weight * size_persons) as persons,
        sum(weight * remittance * (12 / months)) as survey_remittance_lcu,
        count(*) filter (where remittance > 0) as receivers_sampled,
        count(*) filter (where weight = 0) as without_weight,
        count(*) filter (where size_persons is null) as without_size,
        count(*) filter (where income_total is null) as without_income,
        count(*) filter (where remittance is null) as without_remittance,
        count(*) filter (where income_total < 0) as income_negative,
        count(*) filter (where remittance > income_total) as remittance_above_income,
        count(*) filter (where stratum is null) as without_stratum,
        count(*) filter (where psu is null) as without_psu
    from lake.household
    group by survey_id
),

annual as (
    select iso3, cast(date_part('year', period) as int) as year, indicator, value
    from lake.observation
    where
        frequency = 'A'
        and indicator in ('BX.TRF.PWKR.CD.DT', 'PA.NUS.FCRF')
),

economy as (
    select iso3, max(currency) as currency
    from lake.country
    where valid_to is null
    group by iso3
),

daily as (
    select currency, cast(date_part('year', day) as int) as year, avg(per_usd) as per_usd, count(*) as days
    from lake.fx_rate
    group by currency, cast(date_part('year', day) as int)
),

-- The publisher's annual rate is in the economy's own currency.
rated as (
    select
        survey.*,
        count(*) over (partition by survey.iso3, survey.survey_year) as surveys_of_year,
        paid.value as balance_remittance_usd,
        case
            when survey.currency = 'USD' then 1.0
            when economy.currency is null or economy.currency = survey.currency
                then coalesce(official.value, daily.per_usd)
            else daily.per_usd
        end as lcu_per_usd,
        case
            when survey.currency = 'USD' then 'the survey is in US dollars'
            when (economy.currency is null or economy.currency = survey.currency) and official.value is not null
                then 'PA.NUS.FCRF'
            when daily.per_usd is not null then 'fx_rate, mean of ' || cast(daily.days as varchar) || ' days'
        end as rate_source
    from survey
    left join annual as paid
        on survey.iso3 = paid.iso3 and survey.survey_year = paid.year and paid.indicator = 'BX.TRF.PWKR.CD.DT'
    left join annual as official
        on survey.iso3 = official.iso3 and survey.survey_year = official.year and official.indicator = 'PA.NUS.FCRF'
    left join economy on survey.iso3 = economy.iso3
    left join daily on survey.currency = daily.currency and survey.survey_year = daily.year
)

select
    survey_id,
    iso3,
    survey_year,
    currency,
    surveys_of_year,
    households_sampled,
    households,
    persons,
    receivers_sampled,
    without_weight,
    without_size,
    without_income,
    without_remittance,
    income_negative,
    remittance_above_income,
    without_stratum,
    without_psu,
    survey_remittance_lcu,
    balance_remittance_usd,
    lcu_per_usd,
    rate_source,
    balance_remittance_usd * lcu_per_usd as balance_remittance_lcu,
    survey_remittance_lcu / nullif(balance_remittance_usd * lcu_per_usd, 0) as capture_ratio,
    case
        when balance_remittance_usd is null
            then 'the lake has no BX.TRF.PWKR.CD.DT of ' || iso3 || ' ' || cast(survey_year as varchar)
        when lcu_per_usd is null
            then
                'the lake has no exchange rate of ' || currency || ' ' || cast(survey_year as varchar)
                || ' (PA.NUS.FCRF or table fx_rate)'
        when balance_remittance_usd <= 0 then 'remittances of the balance of payments are zero'
        when survey_remittance_lcu is null then 'the survey does not say what its households receive'
        when survey_remittance_lcu <= 0 and receivers_sampled > 0 then 'the households that receive have a weight of zero'
        when survey_remittance_lcu <= 0 then 'no household of the survey receives remittances'
    end as balance_missing
from rated
