-- Where the survey tells no strata, all units are of one. Where it tells no sampling units, every household is one if
-- asked for, else all are one, which has no error.
select
    survey_id,
    iso3,
    survey_year,
    without_psu = households_sampled and $sampling = 'design' as without_errors,
    without_psu = households_sampled and $sampling = 'simple_random' as household_is_psu,
    case when without_stratum = households_sampled then '' end as stratum,
    case when without_psu = households_sampled and $sampling = 'design' then '' end as psu,
    capture_ratio
from survey_summary()
