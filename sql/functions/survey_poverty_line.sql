-- One line for each survey, per equivalent adult and year, with the steps to it.
with

survey as (
    select survey_id, iso3, survey_year, currency from survey_summary()
),

-- Relative to the distribution of persons by equivalised income with remittances.
statistic as (
    select
        survey_id,
        case $poverty_line_statistic
            when 'mean' then sum(income_with_lcu * weight * size_persons) / sum(weight * size_persons)
            else quantile(income_with_lcu, 0.5, weight * size_persons)
        end as statistic_lcu
    from household_income(equivalence_scale => $equivalence_scale, counterfactual => 'subtraction')
    where $poverty_line_kind = 'relative' and income_with_lcu is not null
    group by survey_id
),

annual as (
    select iso3, cast(date_part('year', period) as int) as year, indicator, value
    from lake.observation
    where
        frequency = 'A'
        and indicator in ('PA.NUS.PRVT.PP', 'PA.NUS.PPP', 'FP.CPI.TOTL', 'FP.CPI.TOTL.ZG')
),

-- Of private consumption where the lake has it, else of the whole economy.
ppp as (
    select
        iso3,
        coalesce(
            max(value) filter (where indicator = 'PA.NUS.PRVT.PP'),
            max(value) filter (where indicator = 'PA.NUS.PPP')
        ) as ppp_lcu_per_dollar,
        case
            when count(*) filter (where indicator = 'PA.NUS.PRVT.PP') > 0 then 'PA.NUS.PRVT.PP'
            else 'PA.NUS.PPP'
        end as ppp_indicator
    from annual
    where year = $poverty_line_price_year and indicator in ('PA.NUS.PRVT.PP', 'PA.NUS.PPP')
    group by iso3
),

-- The index of the survey's year over that of the price year, else the rates between them chained.
cpi_index as (
    select survey.survey_id, max(now.value) / max(base.value) as cpi_factor
    from survey
    inner join annual as now
        on survey.iso3 = now.iso3 and survey.survey_year = now.year and now.indicator = 'FP.CPI.TOTL'
    inner join annual as base
        on survey.iso3 = base.iso3 and base.year = $poverty_line_price_year and base.indicator = 'FP.CPI.TOTL'
    group by survey.survey_id
),

cpi_chained as (
    select
        survey.survey_id,
        exp(
            sum(ln(1 + rate.value / 100)) * case when min(survey.survey_year) < $poverty_line_price_year then -1 else 1 end
        ) as cpi_factor
    from survey
    inner join annual as rate
        on
            survey.iso3 = rate.iso3
            and rate.indicator = 'FP.CPI.TOTL.ZG'
            and rate.value > -100
            and rate.year > least(survey.survey_year, $poverty_line_price_year)
            and rate.year <= greatest(survey.survey_year, $poverty_line_price_year)
    group by survey.survey_id
    having count(*) = abs(min(survey.survey_year) - $poverty_line_price_year)
),

economy as (
    select iso3, max(currency) as currency
    from lake.country
    where valid_to is null
    group by iso3
),

stepped as (
    select
        survey.survey_id,
        survey.iso3,
        survey.survey_year,
        survey.currency,
        statistic.statistic_lcu,
        case when $poverty_line_kind = 'ppp' then $poverty_line_amount / 365 end as ppp_dollars_a_day,
        case when $poverty_line_kind = 'ppp' then $poverty_line_price_year end as price_year,
        case when $poverty_line_kind = 'ppp' then ppp.ppp_lcu_per_dollar end as ppp_lcu_per_dollar,
        case when $poverty_line_kind = 'ppp' then ppp.ppp_indicator end as ppp_indicator,
        case
            when $poverty_line_kind <> 'ppp' then null
            when survey.survey_year = $poverty_line_price_year then 1.0
            else coalesce(cpi_index.cpi_factor, cpi_chained.cpi_factor)
        end as cpi_factor,
        case
            when $poverty_line_kind <> 'ppp' or survey.survey_year = $poverty_line_price_year then null
            when cpi_index.cpi_factor is not null then 'FP.CPI.TOTL'
            when cpi_chained.cpi_factor is not null then 'FP.CPI.TOTL.ZG'
        end as cpi_indicator,
        economy.currency as economy_currency
    from survey
    left join statistic on survey.survey_id = statistic.survey_id
    left join ppp on survey.iso3 = ppp.iso3
    left join cpi_index on survey.survey_id = cpi_index.survey_id
    left join cpi_chained on survey.survey_id = cpi_chained.survey_id
    left join economy on survey.iso3 = economy.iso3
),

reasoned as (
    select
        stepped.*,
        case
            when $poverty_line_kind = 'relative' and statistic_lcu is null
                then 'no household has a weight, an income, members and what the equivalence scale asks for'
            when $poverty_line_kind = 'relative' and statistic_lcu <= 0
                then 'the ' || $poverty_line_statistic || ' income is zero or less'
            when $poverty_line_kind = 'local' and $poverty_line_currency not in ('lcu', currency)
                then 'the line is in ' || $poverty_line_currency || ', the survey in ' || currency
            when $poverty_line_kind = 'ppp' and economy_currency <> currency
                then 'purchasing power parities are in ' || economy_currency || ', the survey in ' || currency
            when $poverty_line_kind = 'ppp' and ppp_lcu_per_dollar is null
                then 'the lake has no PA.NUS.PRVT.PP or PA.NUS.PPP of ' || iso3 || ' ' || cast($poverty_line_price_year as varchar)
            when $poverty_line_kind = 'ppp' and cpi_factor is null
                then
                    'the lake has no FP.CPI.TOTL or FP.CPI.TOTL.ZG of ' || iso3 || ' from '
                    || cast(least(survey_year, $poverty_line_price_year) as varchar) || ' to '
                    || cast(greatest(survey_year, $poverty_line_price_year) as varchar)
        end as line_missing
    from stepped
)

select
    survey_id,
    iso3,
    survey_year,
    currency,
    $poverty_line as poverty_line,
    case
        when line_missing is not null then null
        when $poverty_line_kind = 'relative' then $poverty_line_amount * statistic_lcu
        when $poverty_line_kind = 'local' then $poverty_line_amount
        else $poverty_line_amount * ppp_lcu_per_dollar * cpi_factor
    end as line_lcu,
    statistic_lcu,
    ppp_dollars_a_day,
    price_year,
    ppp_lcu_per_dollar,
    ppp_indicator,
    cpi_factor,
    cpi_indicator,
    line_missing
from reasoned
