//! Whether something is found by its name alone.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::{operators, type_visible};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("pg_table_is_visible", Returns::Bool, |c| {
        Ok(c.oid(0).and_then(|o| c.snapshot.visible(o)).into())
    }),
    Definition::strict("pg_type_is_visible", Returns::Bool, |c| Ok(c.oid(0).and_then(type_visible).into())),
    Definition::strict("pg_function_is_visible", Returns::Bool, |c| {
        let own = |o: u32| c.snapshot.functions.contains_key(&o);
        Ok(c.oid(0).and_then(|o| c.snapshot.procedure(o).map(|p| p.in_catalogue || own(o))).into())
    }),
    Definition::strict("pg_operator_is_visible", Returns::Bool, |c| {
        Ok(c.oid(0).and_then(|o| operators().get(o)).map(|_| true).into())
    }),
    // Everything of these kinds is in `pg_catalog`, which is always searched.
    Definition::strict("pg_collation_is_visible", Returns::Bool, always),
    Definition::strict("pg_conversion_is_visible", Returns::Bool, always),
    Definition::strict("pg_opclass_is_visible", Returns::Bool, always),
    Definition::strict("pg_opfamily_is_visible", Returns::Bool, always),
    Definition::strict("pg_statistics_obj_is_visible", Returns::Bool, always),
    Definition::strict("pg_ts_config_is_visible", Returns::Bool, always),
    Definition::strict("pg_ts_dict_is_visible", Returns::Bool, always),
    Definition::strict("pg_ts_parser_is_visible", Returns::Bool, always),
    Definition::strict("pg_ts_template_is_visible", Returns::Bool, always),
    Definition::strict("pg_relation_is_publishable", Returns::Bool, |_| Ok(false.into())),
    Definition::strict("pg_relation_is_updatable", Returns::Int4, |_| Ok(0.into())),
    Definition::strict("pg_column_is_updatable", Returns::Bool, |_| Ok(false.into())),
];

fn always(_: &Call<'_>) -> Answer {
    Ok(true.into())
}
