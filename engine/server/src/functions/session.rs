//! Who asks, where, and on what.

use super::call::{Answer, Call, Definition, Returns};
use crate::catalogue::{Cell, keyword_column, setting};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition::lenient("version", Returns::Text, version),
    Definition::lenient("current_database", Returns::Name, database),
    Definition::lenient("current_catalog", Returns::Name, database),
    Definition::lenient("current_user", Returns::Name, user),
    Definition::lenient("session_user", Returns::Name, user),
    Definition::lenient("current_role", Returns::Name, user),
    Definition::lenient("system_user", Returns::Text, user),
    Definition::lenient("user", Returns::Name, user),
    Definition::lenient("getpgusername", Returns::Name, user),
    Definition::lenient("current_schema", Returns::Name, |c| Ok(c.snapshot.path.first().cloned().into())),
    Definition::strict("current_schemas", Returns::Names, schemas),
    Definition::strict("current_setting", Returns::Text, current_setting),
    Definition::lenient("pg_backend_pid", Returns::Int4, |c| Ok(c.snapshot.server.pid.into())),
    Definition::lenient("pg_is_in_recovery", Returns::Bool, |_| Ok(false.into())),
    Definition::lenient("pg_is_wal_replay_paused", Returns::Bool, |_| Ok(false.into())),
    Definition::lenient("pg_postmaster_start_time", Returns::Timestamp, started),
    Definition::lenient("pg_conf_load_time", Returns::Timestamp, started),
    Definition::lenient("txid_current", Returns::Int8, |_| Ok(1.into())),
    Definition::lenient("txid_current_if_assigned", Returns::Int8, |_| Ok(Cell::Null)),
    Definition::lenient("pg_current_xact_id", Returns::Int8, |_| Ok(1.into())),
    Definition::lenient("pg_my_temp_schema", Returns::Oid, |_| Ok(0.into())),
    Definition::strict("pg_is_other_temp_schema", Returns::Bool, |_| Ok(false.into())),
    Definition::lenient("inet_server_addr", Returns::Text, |_| Ok(Cell::Null)),
    Definition::lenient("inet_server_port", Returns::Int4, |_| Ok(Cell::Null)),
    Definition::lenient("inet_client_addr", Returns::Text, client),
    Definition::lenient("inet_client_port", Returns::Int4, |_| Ok(Cell::Null)),
    Definition::strict("pg_get_userbyid", Returns::Name, user_by_id),
    Definition::strict("pg_encoding_to_char", Returns::Name, encoding_name),
    Definition::strict("pg_char_to_encoding", Returns::Int4, encoding_number),
    Definition::lenient("envoi_keywords", Returns::Texts, |_| Ok(keyword_column(0).into())),
    Definition::lenient("envoi_keyword_codes", Returns::Texts, |_| Ok(keyword_column(1).into())),
    Definition::lenient("pg_client_encoding", Returns::Name, |_| Ok("UTF8".into())),
    Definition::lenient("getdatabaseencoding", Returns::Name, |_| Ok("UTF8".into())),
    Definition::strict("pg_encoding_max_length", Returns::Int4, |_| Ok(4.into())),
];

fn version(call: &Call<'_>) -> Answer {
    // Clients read the number after the first word; what is in brackets would be taken for a build.
    Ok(format!("PostgreSQL {} on {}", call.snapshot.server.version, std::env::consts::ARCH).into())
}

fn database(call: &Call<'_>) -> Answer {
    Ok((&call.snapshot.server.database).into())
}

fn user(call: &Call<'_>) -> Answer {
    Ok((&call.snapshot.server.current_user).into())
}

fn started(call: &Call<'_>) -> Answer {
    Ok(call.snapshot.server.started.into())
}

fn client(call: &Call<'_>) -> Answer {
    let server = &call.snapshot.server;
    let own = server.activity.iter().find(|a| a.pid == server.pid);
    Ok(own.and_then(|a| a.address.clone()).into())
}

fn schemas(call: &Call<'_>) -> Answer {
    let implicit = (call.cell(0) == &Cell::Bool(true)).then(|| "pg_catalog".to_owned());
    Ok(implicit.into_iter().chain(call.snapshot.path.iter().cloned()).collect::<Vec<_>>().into())
}

fn current_setting(call: &Call<'_>) -> Answer {
    let name = call.text(0).unwrap_or_default();
    match setting(call.snapshot, name) {
        Some(value) => Ok(value.into()),
        None if call.cell(1) == &Cell::Bool(true) => Ok(Cell::Null),
        None => Err(format!("unrecognized configuration parameter \"{name}\"")),
    }
}

fn user_by_id(call: &Call<'_>) -> Answer {
    let oid = call.oid(0).unwrap_or_default();
    let name = call.snapshot.role(oid).map_or_else(|| format!("unknown (OID={oid})"), str::to_owned);
    Ok(name.into())
}

/// Encodings by number; the server has but UTF-8.
const ENCODINGS: [(i64, &str); 8] = [
    (0, "SQL_ASCII"),
    (1, "EUC_JP"),
    (2, "EUC_CN"),
    (6, "UTF8"),
    (8, "LATIN1"),
    (9, "LATIN2"),
    (16, "LATIN9"),
    (24, "WIN1252"),
];

fn encoding_name(call: &Call<'_>) -> Answer {
    let number = call.number(0);
    Ok(ENCODINGS.iter().find(|(n, _)| Some(*n) == number).map_or("", |(_, name)| name).into())
}

fn encoding_number(call: &Call<'_>) -> Answer {
    let asked = call.text(0).unwrap_or_default().to_uppercase().replace('-', "");
    Ok(ENCODINGS.iter().find(|(_, name)| *name == asked).map_or(-1, |(n, _)| *n).into())
}
