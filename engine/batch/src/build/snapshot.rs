//! Snapshots: every version of a row, with the days it was valid from and to.
//!
//! Time comes from the data: from `updated_at`, or else from the newest edition that was read. So the
//! same editions, taken one after the other, give the same history whenever that is done.

use std::sync::Arc;

use envoi::lake::Manifest;
use envoi::library::quoted;
use envoi::{Draft, Error, Result, Session};

use super::Context;
use crate::project::Model;
use crate::testing::violations;

/// Rows that cannot be told apart, or have no time, would be kept again and again.
pub(super) async fn sound(session: &Session, model: &Model) -> Result<()> {
    let Some(config) = &model.config.snapshot else { return Ok(()) };
    let query = model.compiled.trim_end().trim_end_matches(';');
    let key = config.key.iter().map(|k| quoted(k)).collect::<Vec<_>>().join(", ");
    let twice =
        format!("select {key}, count(*) as rows from (\n{query}\n) group by {key} having count(*) > 1 order by {key}");
    if let Some(found) = violations(session, &twice).await? {
        return Err(Error::user(format!("[snapshot] `key` does not identify a row: {found}"))
            .with_hint("name more columns, or let the query give one row for each"));
    }
    let Some(time) = &config.updated_at else { return Ok(()) };
    let without = format!("select {key} from (\n{query}\n) where {} is null order by {key}", quoted(time));
    match violations(session, &without).await? {
        Some(found) => Err(Error::user(format!("[snapshot] `updated_at` is NULL: {found}"))),
        None => Ok(()),
    }
}

/// The query of the whole history, over what it was before.
pub(super) async fn query(context: &Context, draft: &Draft, model: &Model, manifest: &Arc<Manifest>) -> Result<String> {
    let Some(config) = &model.config.snapshot else {
        return Err(Error::new(envoi::Class::Internal, "internal error, please report: no [snapshot]"));
    };
    let names: Vec<String> = draft.schema.fields().iter().map(|f| f.name().clone()).collect();
    for column in config.key.iter().chain(&config.check).chain(&config.updated_at) {
        if !names.contains(column) {
            return Err(Error::user(format!("[snapshot] names column `{column}`, which the query does not give"))
                .with_hint(format!("there are `{}`", names.join("`, `"))));
        }
    }
    if let Some(taken) = names.iter().find(|n| ["valid_from", "valid_to"].contains(&n.as_str())) {
        return Err(Error::user(format!(
            "a snapshot has a column `{taken}` of its own; give the query's another name"
        )));
    }
    let vintage = draft.reads.tables.iter().flat_map(|t| context.prints.editions(manifest, t)).map(|(_, v)| v).max();
    let (now, gone) = match (&config.updated_at, vintage) {
        (Some(column), vintage) => {
            let of = draft.schema.field_with_name(column).map(|f| f.data_type().to_string()).unwrap_or_default();
            let end = vintage.map(|v| format!("arrow_cast(date '{v}', '{of}')"));
            (format!("new.{}", quoted(column)), end)
        }
        (None, Some(vintage)) => (format!("date '{vintage}'"), Some(format!("date '{vintage}'"))),
        (None, None) => {
            return Err(Error::user("nothing that the snapshot reads has an edition, so its rows have no time")
                .with_hint("`updated_at` in [snapshot] names a column that has one"));
        }
    };
    let of = |table: &str| names.iter().map(|n| format!("{table}.{}", quoted(n))).collect::<Vec<_>>().join(", ");
    let steps = format!(
        "with new as (select *, true as \"there\" from (\n{}\n))",
        model.compiled.trim_end().trim_end_matches(';')
    );
    let Some(before) = manifest.model(&model.name).filter(|m| m.materialisation == "snapshot") else {
        return Ok(format!(
            "{steps}\nselect {}, {now} as valid_from, case when false then {now} end as valid_to from new",
            of("new")
        ));
    };
    let old: Vec<&str> =
        before.columns.iter().map(|c| c.name.as_str()).filter(|n| !["valid_from", "valid_to"].contains(n)).collect();
    if old != names.iter().map(String::as_str).collect::<Vec<_>>() {
        return Err(Error::user(format!(
            "the query gives columns `{}`, the snapshot has `{}`",
            names.join("`, `"),
            old.join("`, `")
        ))
        .with_hint("what it has seen cannot be seen again; give the new query a name of its own"));
    }
    let both = config.key.iter().map(|k| format!("(old.{0} is not distinct from new.{0})", quoted(k)));
    let both = both.collect::<Vec<_>>().join(" and ");
    let checked: Vec<&String> = match (&config.updated_at, config.check.as_slice()) {
        (Some(column), _) => vec![column],
        (None, []) => names.iter().filter(|n| !config.key.contains(n)).collect(),
        (None, check) => check.iter().collect(),
    };
    // A state that is older than the one that is known says nothing new.
    let changed = if config.updated_at.is_some() { ">" } else { "is distinct from" };
    let differs = checked.iter().map(|c| format!("(new.{0} {changed} old.{0})", quoted(c))).collect::<Vec<_>>();
    let differs = if differs.is_empty() { "false".to_owned() } else { differs.join(" or ") };
    let end = match gone.filter(|_| !config.keep_deleted) {
        // What was dated after the edition in which it is gone ends when it begins.
        Some(gone) => format!("when new.there is null then greatest({gone}, old.valid_from)"),
        None => String::new(),
    };
    // Of two states of one day the earlier is valid for no time, but it was seen, so it is kept. A state begins when the
    // one before it ended at the earliest: a row that is back, or an older edition, says nothing of before.
    let again = config.key.iter().map(|k| format!("(last.{0} is not distinct from new.{0})", quoted(k)));
    let again = again.collect::<Vec<_>>().join(" and ");
    let sql = format!(
        "{steps},
past as (select * from model.{name} where valid_to is not null),
open as (select *, true as \"held\" from model.{name} where valid_to is null),
last as (select {keys}, max(valid_to) as valid_to from past group by {keys})
select {past}, past.valid_from, past.valid_to from past
union all
select {olds}, old.valid_from,
    case {end} when new.there and ({differs}) then greatest({now}, old.valid_from) else old.valid_to end as valid_to
from open as old left join new on {both}
union all
select {news}, greatest({now}, old.valid_from, last.valid_to) as valid_from, case when false then {now} end as valid_to
from new left join open as old on {both} left join last on {again}
where old.held is null or ({differs})",
        name = model.name,
        keys = config.key.iter().map(|k| quoted(k)).collect::<Vec<_>>().join(", "),
        past = of("past"),
        olds = of("old"),
        news = of("new"),
    );
    Ok(sql)
}
