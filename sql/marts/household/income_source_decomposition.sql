-- What is in the total and in no source that the survey tells apart is `other`.
with

source as (
    select
        survey_id,
        iso3,
        survey_year,
        weight * size_persons as persons,
        (12 / months) / ($equivalence_scale_number) as factor,
        income_total as total,
        coalesce(income_labour, 0) as labour,
        coalesce(income_farm, 0) as farm,
        coalesce(income_transfer, 0) as transfer,
        remittance,
        coalesce(remittance_domestic, 0) as remittance_domestic
    from lake.household
    where remittance is not null
),

decomposed as (
    select
        survey_id,
        min(iso3) as iso3,
        min(survey_year) as survey_year,
        unnest(
            gini_by_source(
                total * factor,
                named_struct(
                    'labour', labour * factor,
                    'farm', farm * factor,
                    'transfer', transfer * factor,
                    'remittance', remittance * factor,
                    'remittance_domestic', remittance_domestic * factor,
                    'other', (total - labour - farm - transfer - remittance - remittance_domestic) * factor
                ),
                persons
            )
        ) as part
    from source
    group by survey_id
)

select
    survey_id,
    iso3,
    survey_year,
    part['source'] as source,
    part['s'] as income_share,
    part['g'] as source_gini,
    part['r'] as gini_correlation,
    part['g'] * part['r'] as concentration,
    part['share'] as inequality_share,
    part['elasticity'] as gini_elasticity,
    $equivalence_scale as equivalence_scale
from decomposed
where part['s'] <> 0
