//! From facts to the lake's tables: sorted, checked for duplicates, encoded, bucket by bucket.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use chrono::NaiveDate;

use super::facts::{BUCKETS, Buckets, Fact};
use super::registry::Names;
use super::shape::Shape;
use crate::country::Match;
use crate::error::{Error, Place, Result};
use crate::import::cells::first_of;
use crate::import::rows::days;
use crate::lake::{Content, NewFile, Spool};
use crate::tables::{AGGREGATE_OBSERVATION, AID_FLOW, INDICATOR, OBSERVATION, TableDef};

/// What all rows have in common.
pub(super) struct Edition<'a> {
    pub(super) file: &'a str,
    /// Name of the column of values.
    pub(super) column: &'a str,
    pub(super) source_id: &'a str,
    pub(super) vintage: NaiveDate,
}

/// The files, and what is in them.
#[derive(Default)]
pub(super) struct Made {
    pub(super) files: Vec<NewFile>,
    pub(super) economies: usize,
    pub(super) aggregates: usize,
    pub(super) places: BTreeSet<String>,
    pub(super) years: Option<(i32, i32)>,
}

impl Made {
    fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.economies += other.economies;
        self.aggregates += other.aggregates;
        self.places.extend(other.places);
        self.span(other.years);
    }

    fn span(&mut self, years: Option<(i32, i32)>) {
        let Some((first, last)) = years else { return };
        let (a, b) = self.years.unwrap_or((first, last));
        self.years = Some((a.min(first), b.max(last)));
    }
}

/// Names in their order, so that facts sort by numbers.
struct Order {
    place: Vec<u32>,
    flow: Vec<u32>,
    indicator: Vec<u32>,
}

impl Order {
    fn of(names: &Names) -> Self {
        let shapes = |text: &dyn Fn(&Shape) -> &str| ranks(names.shapes.iter().map(text));
        Self {
            place: ranks(names.places.iter().map(|(code, found)| shown(code, found))),
            flow: shapes(&|s| &s.flow),
            indicator: shapes(&|s| &s.indicator),
        }
    }
}

/// For each text its place among all, equal ones alike.
fn ranks<'a>(all: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let all: Vec<&str> = all.collect();
    let ordered: BTreeMap<&str, u32> = all.iter().copied().collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
    all.iter().filter_map(|text| ordered.get(text).copied()).collect()
}

/// What stands in the table for a place: two codes can be one economy.
fn shown<'a>(code: &'a str, found: &'a Match) -> &'a str {
    match found {
        Match::Economy(iso3) => iso3.as_ref(),
        Match::Aggregate { .. } => code,
    }
}

/// A fact with what it sorts by: series and table, then the table's own order.
struct Keyed {
    group: u64,
    key: (u32, u32, i32, u32),
    fact: Fact,
}

const AID: u64 = 0;
const ECONOMY: u64 = 1;
const AGGREGATE: u64 = 2;

/// Makes the tables, on `threads` threads.
pub(super) fn tables(buckets: &Buckets, names: &Names, edition: &Edition<'_>, threads: usize) -> Result<Made> {
    let spool = if buckets.spilled() { Some(Spool::new()?) } else { None };
    let order = Order::of(names);
    let next = AtomicUsize::new(0);
    let all: Mutex<Result<Made>> = Mutex::new(Ok(Made::default()));
    let work = || {
        loop {
            let bucket = next.fetch_add(1, Ordering::Relaxed);
            if bucket >= BUCKETS {
                break;
            }
            let made = buckets.take(bucket).and_then(|facts| one(facts, names, &order, edition, spool.as_ref()));
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            match (all.as_mut(), made) {
                (Ok(all), Ok(made)) => all.add(made),
                (Ok(_), Err(e)) => *all = Err(e),
                (Err(first), Err(e)) if row_of(&e) < row_of(first) => *all = Err(e),
                (Err(_), _) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut made = all.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    made.files.sort_by(|a, b| (&a.table, &a.series).cmp(&(&b.table, &b.series)));
    Ok(made)
}

fn row_of(error: &Error) -> Option<u64> {
    if let Error::Data { place, .. } = error { place.row } else { None }
}

fn one(
    facts: Vec<Fact>,
    names: &Names,
    order: &Order,
    edition: &Edition<'_>,
    spool: Option<&Arc<Spool>>,
) -> Result<Made> {
    let lost = || Error::Internal("a fact names what is not there".to_owned());
    let mut made = Made::default();
    let mut keyed = Vec::with_capacity(facts.len());
    for fact in facts {
        let (shape, place) = (fact.shape as usize, fact.place as usize);
        let (known, (_, found)) = names.shapes.get(shape).zip(names.places.get(place)).ok_or_else(lost)?;
        let series = names.series_of.get(shape).copied().ok_or_else(lost)?;
        let by = |ranks: &[u32], at: usize| ranks.get(at).copied().unwrap_or_default();
        let (place, indicator) = (by(&order.place, place), by(&order.indicator, shape));
        let (table, key) = match (found, known.aid) {
            (Match::Economy(_), true) => (AID, (place, 0, fact.year, by(&order.flow, shape))),
            (Match::Economy(_), false) => (ECONOMY, (indicator, place, fact.year, 0)),
            (Match::Aggregate { .. }, _) => (AGGREGATE, (indicator, place, fact.year, 0)),
        };
        match found {
            Match::Economy(iso3) => {
                made.economies += 1;
                made.span(Some((fact.year, fact.year)));
                if !made.places.contains(iso3.as_ref() as &str) {
                    made.places.insert(iso3.to_string());
                }
            }
            Match::Aggregate { .. } => made.aggregates += 1,
        }
        keyed.push(Keyed { group: u64::from(series) << 2 | table, key, fact });
    }
    keyed.sort_unstable_by_key(|k| (k.group, k.key, k.fact.row));
    for rows in keyed.chunk_by(|a, b| a.group == b.group) {
        let Some(first) = rows.first() else { continue };
        let series = names.series.get((first.group >> 2) as usize).ok_or_else(lost)?;
        let table = match first.group & 3 {
            AID => &AID_FLOW,
            ECONOMY => &OBSERVATION,
            _ => &AGGREGATE_OBSERVATION,
        };
        let columns = Columns { rows, names, edition }.of(table)?;
        if let Some([a, b]) =
            rows.windows(2).find_map(|w| <&[Keyed; 2]>::try_from(w).ok().filter(|[a, b]| a.key == b.key))
        {
            return Err(duplicate(table, &columns, a, b, rows, edition));
        }
        let mut all = vec![NewFile::of(table, series, edition.source_id, edition.vintage, &columns)?];
        if first.group & 3 == ECONOMY {
            all.push(indicators(rows, names, series, edition)?);
        }
        for mut file in all {
            if let Some(spool) = spool {
                file.content = Content::Spooled(spool.append(&file.content.read()?)?);
            }
            made.files.push(file);
        }
    }
    Ok(made)
}

/// Rows of one table and series, in its order.
struct Columns<'a> {
    rows: &'a [Keyed],
    names: &'a Names,
    edition: &'a Edition<'a>,
}

impl<'a> Columns<'a> {
    fn of(&self, table: &TableDef) -> Result<RecordBatch> {
        let dates = || -> Result<ArrayRef> {
            let mut known = HashMap::new();
            let mut all = Vec::with_capacity(self.rows.len());
            for row in self.rows {
                let year = row.fact.year;
                let day = match known.get(&year) {
                    Some(day) => *day,
                    None => {
                        let day = days(first_of(year, Place::file(self.edition.file).row(row.fact.row))?);
                        known.insert(year, day);
                        day
                    }
                };
                all.push(day);
            }
            Ok(Arc::new(Date32Array::from(all)))
        };
        let columns = table.columns.iter().map(|column| -> Result<ArrayRef> {
            Ok(match column.name {
                "donor_code" => self.of_shape(|s| Some(&s.donor)),
                "measure" => self.of_shape(|s| Some(&s.measure)),
                "flow_type" => self.of_shape(|s| Some(&s.flow)),
                "price_basis" => self.of_shape(|s| Some(&s.price)),
                "indicator" => self.of_shape(|s| Some(&s.indicator)),
                "unit" => self.of_shape(|s| Some(&s.unit)),
                "obs_status" => self.of_shape(|s| s.status.as_deref()),
                "recipient_iso3" | "iso3" | "aggregate_code" => self.of_place(shown),
                "aggregate_name" => self.of_place(|code, found| match found {
                    Match::Aggregate { name, .. } => name,
                    Match::Economy(_) => code,
                }),
                "frequency" => self.same("A"),
                "source_id" => self.same(self.edition.source_id),
                "year" => Arc::new(self.rows.iter().map(|r| r.fact.year).collect::<Int32Array>()),
                "period" => dates()?,
                "vintage" => Arc::new(Date32Array::from(vec![days(self.edition.vintage); self.rows.len()])),
                "value" | "aid_usd" => Arc::new(self.rows.iter().map(|r| r.fact.value).collect::<Float64Array>()),
                other => return Err(Error::Internal(format!("`{}.{other}` is not known", table.name))),
            })
        });
        Ok(RecordBatch::try_new(table.schema(), columns.collect::<Result<_>>()?)?)
    }

    fn of_shape(&self, text: impl Fn(&'a Shape) -> Option<&'a str>) -> ArrayRef {
        let one = |r: &Keyed| self.names.shapes.get(r.fact.shape as usize).and_then(&text);
        Arc::new(self.rows.iter().map(one).collect::<StringArray>())
    }

    fn of_place(&self, text: impl Fn(&'a str, &'a Match) -> &'a str) -> ArrayRef {
        let one = |r: &Keyed| self.names.places.get(r.fact.place as usize).map(|(code, found)| text(code, found));
        Arc::new(self.rows.iter().map(one).collect::<StringArray>())
    }

    fn same(&self, text: &str) -> ArrayRef {
        Arc::new(self.rows.iter().map(|_| Some(text)).collect::<StringArray>())
    }
}

/// What the indicators of a series mean, in the publisher's words.
fn indicators(rows: &[Keyed], names: &Names, series: &str, edition: &Edition<'_>) -> Result<NewFile> {
    let shapes = rows.iter().filter_map(|r| names.shapes.get(r.fact.shape as usize));
    let all: BTreeMap<&str, &Shape> = shapes.map(|s| (s.indicator.as_str(), s)).collect();
    let text = |of: &dyn Fn(&Shape) -> String| -> ArrayRef {
        Arc::new(all.values().map(|s| Some(of(s))).collect::<StringArray>())
    };
    let columns = INDICATOR.columns.iter().map(|column| -> Result<ArrayRef> {
        Ok(match column.name {
            "indicator" => text(&|s| s.indicator.clone()),
            "name" => text(&|s| s.name.clone()),
            "unit" => text(&|s| s.unit.clone()),
            "definition" => Arc::new(StringArray::new_null(all.len())),
            "source_id" => text(&|_| edition.source_id.to_owned()),
            "vintage" => Arc::new(Date32Array::from(vec![days(edition.vintage); all.len()])),
            other => return Err(Error::Internal(format!("`indicator.{other}` is not known"))),
        })
    });
    let batch = RecordBatch::try_new(INDICATOR.schema(), columns.collect::<Result<_>>()?)?;
    NewFile::of(&INDICATOR, series, edition.source_id, edition.vintage, &batch)
}

fn duplicate(
    table: &TableDef,
    columns: &RecordBatch,
    first: &Keyed,
    second: &Keyed,
    rows: &[Keyed],
    edition: &Edition<'_>,
) -> Error {
    let at = rows.iter().position(|r| r.fact == second.fact).unwrap_or_default();
    let key = crate::import::rows::key_of(table, columns, at);
    Error::data(
        Place::file(edition.file).row(second.fact.row).column(edition.column),
        format!("duplicate key ({key}): row {} has it already; remove one of the two", first.fact.row),
    )
}
