//! Tables of which a change builds the touched parts anew, and nothing else.
//!
//! What changed is told from files: those that the last build read, which the manifest names, and those
//! that are there now. The time column's least and greatest value in files that came or went gives the days
//! that may be touched. Whether building these anew gives the whole table is told from the plan
//! (`Session::sliced`); where it is not, or anything else changed, the table is built whole.

use std::collections::HashMap;
use std::sync::Arc;

use envoi::lake::Manifest;
use envoi::lake::lake::{DataFile, InputFile};
use envoi::library::quoted;
use envoi::{Answer, Bounds, Draft, Result, Session, Shape, Slice, SliceBy};

use super::write::{Layout, NULLS, Written, write};
use super::{Context, How, by_part};
use crate::plan::spans::number;
use crate::plan::{Days, Why};
use crate::project::{Incremental, Model};

/// Table of a session with the keys that changed.
const KEYS: &str = "envoi changed keys";

/// Files that came or went.
#[derive(Debug)]
pub(crate) struct Changed {
    session: Session,
}

/// The table that an incremental model follows, with its schema.
pub(crate) fn followed(model: &Model) -> Option<String> {
    let name = &model.config.incremental.as_ref()?.input;
    if name.contains('.') {
        return Some(name.clone());
    }
    let known = || model.tables.iter().find(|t| t.rsplit('.').next() == Some(name)).cloned();
    Some(if model.reads.contains(name) {
        format!("model.{name}")
    } else {
        known().unwrap_or_else(|| format!("lake.{name}"))
    })
}

/// The files of the followed input as they are recorded.
pub(super) async fn files(
    context: &Context,
    model: &Model,
    manifest: &Manifest,
    input: &str,
) -> Result<Vec<InputFile>> {
    let mut all = Vec::new();
    let time = model.config.incremental.as_ref().and_then(|i| i.time.clone());
    let known = manifest.model(&model.name).and_then(|m| m.inputs.iter().find(|i| i.table == input));
    for file in context.prints.files(manifest, input) {
        let before = known.and_then(|i| i.files.iter().find(|f| f.path == file.path && f.sha256 == file.sha256));
        all.push(match (before, &time) {
            (Some(before), _) => before.clone(),
            (None, Some(time)) => context.factory.runtime().lake().input_file(&file, time).await?,
            (None, None) => {
                InputFile { path: file.path.clone(), sha256: file.sha256.clone(), days: None, nulls: false }
            }
        });
    }
    Ok(all)
}

fn by(config: &Incremental) -> SliceBy {
    match (&config.time, config.granularity()) {
        (Some(time), Some(every)) => {
            SliceBy::Time { input: time.clone(), output: config.output().unwrap_or(time).to_owned(), every }
        }
        _ => SliceBy::Keys(config.key.clone()),
    }
}

/// How much of the table is built, and why.
pub(super) async fn how(
    context: &Context,
    session: &Session,
    draft: &Draft,
    model: &Model,
    manifest: &Arc<Manifest>,
    why: &Why,
    remaining: Option<&Days>,
) -> Result<(How, String)> {
    let (Some(config), Some(input)) = (&model.config.incremental, followed(model)) else {
        return Ok((How::Whole, why.to_string()));
    };
    let sliced = session.sliced(draft, &input, &by(config))?;
    let by_time = config.time.is_some();
    let whole = |because: Option<&str>| {
        let how = if by_time { How::Days { now: Days::all(), later: Days::default(), step: None } } else { How::Whole };
        (how, because.map_or_else(|| why.to_string(), |b| format!("{why}; built whole: {b}")))
    };
    if let Err(because) = sliced {
        return Ok(whole(Some(&because)));
    }
    let Some(every) = config.granularity().filter(|_| by_time) else {
        return keyed(context, model, manifest, config, &input, (why, draft), &whole).await;
    };
    let late = config.late.map_or(0, crate::project::Span::days);
    let touched = match touched(context, model, manifest, &input, why, draft).await? {
        Ok(days) => days.whole(every, late),
        Err(because) if because.is_empty() => Days::all(),
        Err(because) => return Ok(whole(Some(&because))),
    };
    let pending = manifest.model(&model.name).map(|m| Days::from_list(&m.pending)).unwrap_or_default();
    let fresh = matches!(why, Why::New | Why::Query(_));
    let todo = if fresh { Days::all() } else { touched.union(&pending) };
    let (now, later) = match (remaining, context.asked.days()) {
        (Some(left), _) => (left.clone(), todo.without(left)),
        (None, Some(asked)) => {
            let asked = asked.whole(every, 0);
            // One that was interrupted goes on where it stopped.
            let left = asked.without(&asked.without(&pending));
            let now = if fresh || left.is_empty() { asked } else { left };
            (now.clone(), todo.without(&now))
        }
        (None, None) => (todo, Days::default()),
    };
    let each = now.each(every);
    let step = each.as_ref().filter(|all| context.stepwise && all.len() > 1).and_then(|all| all.first().cloned());
    let reason = match &each {
        _ if now.is_all() => why.to_string(),
        Some(all) => format!("{why}; {} {}s from {}", all.len(), every.name(), now.label()),
        None => format!("{why}; from {}", now.label()),
    };
    Ok((How::Days { now, later, step }, reason))
}

/// Whether a table is read by tests alone: its rows change none of the model's.
fn only_tested(model: &Model, draft: &Draft, table: &str) -> bool {
    model.tested.contains(table) && !draft.reads.tables.contains(table)
}

/// How often a file is there: two series may have equal ones.
fn counts<'a>(sums: impl Iterator<Item = &'a String>) -> HashMap<&'a String, usize> {
    let mut counts = HashMap::new();
    for sum in sums {
        *counts.entry(sum).or_default() += 1;
    }
    counts
}

/// Days that may be touched; an empty reason: all, as is plain.
async fn touched(
    context: &Context,
    model: &Model,
    manifest: &Arc<Manifest>,
    input: &str,
    why: &Why,
    draft: &Draft,
) -> Result<std::result::Result<Days, String>> {
    if matches!(why, Why::New | Why::Query(_) | Why::FullRefresh) {
        return Ok(Err(String::new()));
    }
    if *why == Why::Volatile {
        return Ok(Err("its query gives other rows at other times".to_owned()));
    }
    let Some(published) = manifest.model(&model.name) else { return Ok(Err(String::new())) };
    let others = published.inputs.iter().filter(|i| i.table != input && !only_tested(model, draft, &i.table));
    for other in others {
        if context.prints.of(manifest, &other.table).as_ref() != Some(&other.fingerprint) {
            return Ok(Err(format!("input {} changed", other.table)));
        }
    }
    let Some(before) = published.inputs.iter().find(|i| i.table == input) else {
        return Ok(Err(format!("`{input}` was not read before")));
    };
    let after = files(context, model, manifest, input).await?;
    let (held, there) = (counts(before.files.iter().map(|f| &f.sha256)), counts(after.iter().map(|f| &f.sha256)));
    let same = |file: &&InputFile| held.get(&file.sha256) == there.get(&file.sha256);
    let changed = before.files.iter().chain(&after).filter(|file| !same(file));
    let mut days = Days::default();
    for file in changed {
        let Some((first, last)) = file.days else {
            return Ok(Err(format!("`{}` does not say which days it holds", file.path)));
        };
        days = days.union(&Days::of(first, last.saturating_add(1))).union(&Days::nulls(file.nulls));
    }
    Ok(Ok(days))
}

/// Builds some days; the other partitions stay as they are.
pub(super) async fn days(
    context: &Context,
    session: &Session,
    draft: &Draft,
    model: &Model,
    held: &[DataFile],
    now: &Days,
) -> Result<Written> {
    let Some(config) = &model.config.incremental else {
        return Err(envoi::Error::new(envoi::Class::Internal, "internal error, please report: no [incremental]"));
    };
    let (time, part) = (config.time.clone().unwrap_or_default(), config.output().unwrap_or_default().to_owned());
    let parts = vec![part];
    let every = config.granularity();
    let layout = Layout { sort: model.config.sort.clone(), parts: parts.clone(), every, within: Some(now.clone()) };
    let slice =
        (!now.is_all()).then(|| Slice::Time { column: time, days: now.spans().to_vec(), nulls: now.has_nulls() });
    let input = followed(model).unwrap_or_default();
    let shape =
        Shape { sort: model.config.sort.clone(), parts, every, slice: slice.map(|slice| (input, slice)), beside: None };
    let answer = session.shaped(draft, shape).await?;
    let mut written = write(answer, &layout, &context.stage, &model.name, held, context.packers()).await?;
    let kept = held.iter().filter(|f| !now.has(part_day(&f.series)) && f.rows > 0).cloned();
    let kept: Vec<DataFile> = if now.is_all() { Vec::new() } else { kept.collect() };
    written.files.retain(|f| f.rows > 0 || kept.is_empty());
    written.files.extend(kept);
    written.files = by_part(written.files);
    Ok(written)
}

/// The first day of a partition by its name.
fn part_day(name: &str) -> Option<i64> {
    if name == NULLS { None } else { name.parse().ok().map(number) }
}

async fn keyed(
    context: &Context,
    model: &Model,
    manifest: &Arc<Manifest>,
    config: &Incremental,
    input: &str,
    (why, draft): (&Why, &Draft),
    whole: &(dyn Fn(Option<&str>) -> (How, String) + Sync),
) -> Result<(How, String)> {
    let Some(published) = manifest.model(&model.name) else { return Ok(whole(None)) };
    match why {
        Why::Inputs(_) => {}
        Why::Volatile => return Ok(whole(Some("its query gives other rows at other times"))),
        _ => return Ok(whole(None)),
    }
    for other in published.inputs.iter().filter(|i| i.table != input && !only_tested(model, draft, &i.table)) {
        if context.prints.of(manifest, &other.table).as_ref() != Some(&other.fingerprint) {
            return Ok(whole(Some(&format!("input {} changed", other.table))));
        }
    }
    let Some(before) = published.inputs.iter().find(|i| i.table == input) else { return Ok(whole(None)) };
    let after = context.prints.files(manifest, input);
    let lake = context.factory.runtime().lake();
    let (held, there) = (counts(before.files.iter().map(|f| &f.sha256)), counts(after.iter().map(|f| &f.sha256)));
    let same = |sha256: &String| held.get(sha256) == there.get(sha256);
    let mut changed: Vec<DataFile> = after.iter().filter(|a| !same(&a.sha256)).cloned().collect();
    for gone in before.files.iter().filter(|f| !same(&f.sha256)) {
        let Some(found) = old_file(lake, manifest, input, gone).await? else {
            return Ok(whole(Some(&format!("`{}`, which it was built from, is gone", gone.path))));
        };
        changed.push(found);
    }
    if changed.is_empty() {
        return Ok(whole(Some("what changed in its input is not known")));
    }
    // A version of the lake in which the table is these files alone.
    let mut alone = Manifest::clone(manifest);
    let (schema, table) = input.split_once('.').unwrap_or(("lake", input));
    alone.files.retain(|f| f.schema != schema || f.table != table);
    alone.files.extend(changed.into_iter().enumerate().map(|(i, mut file)| {
        if schema != "model" {
            file.series = format!("changed {i}");
        }
        file.lead = None;
        file
    }));
    let session = context.factory.over(Arc::new(alone), Bounds::default()).await?;
    let columns: Vec<String> = config.key.iter().map(|k| quoted(k)).collect();
    let answer = session.run(&format!("select distinct {} from {input}", columns.join(", "))).await?;
    let schema = Arc::clone(&answer.schema);
    let rows = answer.collect().await?;
    let count: usize = rows.iter().map(arrow::array::RecordBatch::num_rows).sum();
    let session = context.session(model, manifest).await?;
    session.put_rows(KEYS, schema, rows)?;
    Ok((How::Keys(Changed { session }), format!("{why}; {count} keys")))
}

/// A file that the table had, where it can still be read.
async fn old_file(
    lake: &envoi::lake::Lake,
    manifest: &Manifest,
    input: &str,
    gone: &InputFile,
) -> Result<Option<DataFile>> {
    let (schema, table) = input.split_once('.').unwrap_or(("lake", input));
    // An older version knows its size; the newest that has it is near.
    for version in lake.versions().await?.into_iter().rev() {
        if version > manifest.version {
            continue;
        }
        let old = lake.version(version).await?;
        let same = |f: &&DataFile| f.schema == schema && f.table == table && f.path == gone.path;
        if let Some(file) = old.files.iter().find(same) {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

/// The rows of changed keys, with all others as they are.
pub(super) async fn keys(draft: &Draft, model: &Model, changed: &Changed, shape: Shape) -> Result<Answer> {
    let config = model.config.incremental.as_ref();
    let keys: &[String] = config.map(|c| c.key.as_slice()).unwrap_or_default();
    let columns: Vec<String> = draft.schema.fields().iter().map(|f| format!("old.{}", quoted(f.name()))).collect();
    let same: Vec<String> =
        keys.iter().map(|k| format!("(old.{0} is not distinct from changed.{0})", quoted(k))).collect();
    let others = format!(
        "select {} from model.{} as old left anti join {} as changed on {}",
        columns.join(", "),
        model.name,
        quoted(KEYS),
        same.join(" and ")
    );
    let slice = Slice::Keys { columns: keys.to_vec(), table: KEYS.to_owned() };
    let input = followed(model).unwrap_or_default();
    let shape = Shape { slice: Some((input, slice)), beside: Some(others), ..shape };
    let draft = changed.session.draft(&model.compiled).await?;
    changed.session.shaped(&draft, shape).await
}
