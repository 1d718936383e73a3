with

facts as (
    select
        iso3,
        cast(year as int) as year,
        cast(value_usd as double) as value_usd
    from $data as given (iso3, year, value_usd)
),

known as (
    select
        indicator, iso3,
        cast(year as int) as year,
        cast(value as double) as value
    from $figures as given (indicator, iso3, year, value)
    where value > 0
),

-- Prices by place; of a deflator of one place all economies take the same.
prices as (
    select iso3, year, value
    from known
    where
        indicator = case $method
            when 'dac' then 'DAC.DEFLATOR'
            when 'us_gdp' then 'NY.GDP.DEFL.ZS'
            when 'recipient_cpi' then 'FP.CPI.TOTL'
            else 'PA.NUS.PPP'
        end
),

rates as (
    select iso3, year, value
    from known
    where indicator = 'PA.NUS.FCRF'
),

placed as (
    select
        iso3, year, value_usd,
        case $method when 'dac' then 'DAC' when 'us_gdp' then 'USA' else iso3 end as place
    from facts
)

select
    placed.iso3,
    placed.year,
    placed.value_usd,
    placed.value_usd * case $method
        when 'recipient_cpi' then rates.value * base.value / now.value
        when 'ppp' then rates.value / now.value
        else base.value / now.value
    end as real_value,
    case $method
        when 'recipient_cpi' then 'local currency at prices of ' || cast(cast($base_year as int) as varchar)
        when 'ppp' then 'international dollars'
        else 'US dollars of ' || cast(cast($base_year as int) as varchar)
    end as unit
from placed
left join prices as now on placed.place = now.iso3 and placed.year = now.year
left join prices as base on placed.place = base.iso3 and base.year = cast($base_year as int)
left join rates on placed.iso3 = rates.iso3 and placed.year = rates.year
