//! `has_..._privilege`: everything that is seen may be read, and nothing else done.

use super::call::{Answer, Call, Definition, Returns};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::strict("has_table_privilege", Returns::Bool, granted),
    Definition::strict("has_any_column_privilege", Returns::Bool, granted),
    Definition::strict("has_column_privilege", Returns::Bool, granted),
    Definition::strict("has_schema_privilege", Returns::Bool, granted),
    Definition::strict("has_database_privilege", Returns::Bool, granted),
    Definition::strict("has_function_privilege", Returns::Bool, granted),
    Definition::strict("has_sequence_privilege", Returns::Bool, granted),
    Definition::strict("has_language_privilege", Returns::Bool, granted),
    Definition::strict("has_tablespace_privilege", Returns::Bool, granted),
    Definition::strict("has_type_privilege", Returns::Bool, granted),
    Definition::strict("has_foreign_data_wrapper_privilege", Returns::Bool, granted),
    Definition::strict("has_server_privilege", Returns::Bool, granted),
    Definition::strict("has_parameter_privilege", Returns::Bool, granted),
    Definition::strict("pg_has_role", Returns::Bool, member),
    Definition::lenient("row_security_active", Returns::Bool, |_| Ok(false.into())),
];

/// Whether one of the privileges, the last argument, is a reader's: with a grant option none is.
fn granted(call: &Call<'_>) -> Answer {
    let asked = call.text(call.count().saturating_sub(1)).unwrap_or_default().to_uppercase();
    let reading = ["SELECT", "USAGE", "CONNECT", "EXECUTE"];
    Ok(asked.split(',').any(|one| reading.contains(&one.trim())).into())
}

/// Whether the session's role is, or may act as, another: only as itself.
fn member(call: &Call<'_>) -> Answer {
    let snapshot = call.snapshot;
    let named = |place: usize| match call.oid(place) {
        Some(oid) => snapshot.role(oid).map(str::to_owned),
        None => call.text(place).map(str::to_owned),
    };
    let (user, role) = match call.count() {
        0..=2 => (Some(snapshot.server.current_user.clone()), named(0)),
        _ => (named(0), named(1)),
    };
    Ok((user.is_some() && user == role).into())
}
