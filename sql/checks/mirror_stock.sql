-- Immigrants by the World Bank against UN DESA, which has every fifth year: the
-- years around are joined by a straight line.
with

desa as (
    select
        iso3,
        year,
        stock_persons,
        lead(year) over (partition by iso3 order by year) as next_year,
        lead(stock_persons) over (partition by iso3 order by year) as next_stock
    from lake.migrant_stock_total
    where source_id = 'undesa.migrant_stock' and role = 'destination' and sex = 'both'
),

bank as (
    select iso3, year, stock_persons
    from lake.migrant_stock_total
    where source_id = 'worldbank.migrant_stock' and role = 'destination' and sex = 'both'
),

compared as (
    select
        bank.iso3,
        bank.year,
        cast(bank.stock_persons as double) as value,
        case
            when desa.year = bank.year then cast(desa.stock_persons as double)
            else
                desa.stock_persons
                + (desa.next_stock - desa.stock_persons)
                * cast(bank.year - desa.year as double) / (desa.next_year - desa.year)
        end as expected
    from bank
    inner join desa on bank.iso3 = desa.iso3
    where desa.year = bank.year or (desa.year < bank.year and bank.year < desa.next_year)
)

select
    'migrant_stock_total' as table_name,
    cast(null as varchar) as indicator,
    iso3,
    year,
    value,
    expected,
    concat(
        'World Bank and UN DESA differ by ',
        cast(cast(round(100 * abs(value - expected) / expected) as int) as varchar), ' %'
    ) as finding
from compared
where expected >= 10000 and abs(value - expected) > 0.2 * expected
order by abs(value - expected) desc, iso3
