//! What there is for a role that there is not everything for: the same answers as over a copy of
//! the lake without the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use envoi::lake::Lake;
use envoi::lake::lake::{Change, NewFile};
use envoi::lake::tables;
use envoi::{Config, DisclosureRules, Grants, Role, Session, SessionFactory};

use crate::lakes::{blocking, rows, sample_lake, session};

async fn factory(lake: &Path) -> SessionFactory {
    let flags = vec![("lake.url", lake.display().to_string(), "--lake")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    envoi::open(&config).await.unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn filters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(table, sql)| ((*table).to_owned(), (*sql).to_owned())).collect()
}

async fn reader(lake: &Path, grants: Grants) -> Session {
    let role = Role::new("anna", DisclosureRules::default()).unwrap().with_grants(grants);
    let factory = factory(lake).await;
    factory.check(&role).await.unwrap();
    factory.reader(&role).await.unwrap()
}

/// Rows of a query in an order that no query has to ask for.
async fn sorted(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let mut all = rows(session, sql).await;
    all.sort();
    all
}

/// The message of an error, and its hint.
async fn refused(session: &Session, sql: &str) -> String {
    let answer = async { session.run(sql).await?.collect().await }.await;
    let error = answer.err().unwrap_or_else(|| panic!("not refused: {sql}"));
    format!("{}; {}", error.message(), error.hint().unwrap_or_default())
}

const CONDITIONS: &[(&str, &str)] = &[
    ("lake.observation", "iso3 in ('MEX', 'IND', 'SLV', 'PHL') or period < date '2015-01-01'"),
    ("lake.aid_flow", "recipient_iso3 <> 'IND'"),
    ("lake.corridor_flow", "sender_iso3 = 'USA' and remittance_usd > 1e8"),
    ("lake.migrant_stock", "stock_persons % 2 = 0"),
];

/// The sample lake without the rows that `CONDITIONS` keep back.
fn copy() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        blocking(async move { without(sample_lake(), &root).await });
        folder
    };
    FOLDER.get_or_init(write).path()
}

async fn without(from: &Path, to: &Path) {
    let lake = Lake::open(&from.display().to_string()).unwrap();
    let manifest = lake.current().await.unwrap().unwrap();
    let owner = session(from, &[]).await;
    let mut files = Vec::new();
    for file in &manifest.files {
        let path: PathBuf = from.join(&file.path);
        let condition = CONDITIONS.iter().find(|(table, _)| *table == format!("{}.{}", file.schema, file.table));
        let new = match condition {
            Some((_, condition)) => {
                let sql = format!("select * from '{}' where {condition}", path.display());
                let batches = owner.run(&sql).await.unwrap().collect().await.unwrap();
                let Some(first) = batches.first() else { continue };
                let all = arrow::compute::concat_batches(&first.schema(), &batches).unwrap();
                let table = tables::table(&file.table).unwrap();
                NewFile::of(table, &file.series, &file.source_id, file.vintage, &all).unwrap()
            }
            None => NewFile {
                schema: if file.schema == "lake" { "lake" } else { "staging" },
                table: file.table.clone(),
                series: file.series.clone(),
                source_id: file.source_id.clone(),
                vintage: file.vintage,
                rows: file.rows,
                lead: file.lead.clone(),
                from: file.from.clone(),
                content: lake.store().get(&file.path).await.unwrap().unwrap().into(),
            },
        };
        files.push(new);
    }
    let change = Change { operation: "copy".to_owned(), files, sources: manifest.sources.clone(), ..Change::default() };
    Lake::open(&to.display().to_string()).unwrap().publish(change).await.unwrap();
}

#[test]
fn rows_that_are_kept_back_are_not_there() {
    const QUERIES: &[&str] = &[
        "select count(*) from lake.observation",
        "select count(*), min(iso3), max(value) from observation where iso3 >= 'M'",
        "select indicator, count(distinct iso3), sum(value) from lake.observation group by 1 order by 1",
        "with o as (select * from observation) select iso3, max(period) from o group by iso3 order by 1",
        "select iso3 from lake.country where exists (select 1 from lake.observation o where o.iso3 = country.iso3) order by 1",
        "select iso3, (select max(value) from lake.observation o where o.iso3 = c.iso3) from lake.country c order by 1",
        "select * from mart.remittance_vs_oda order by iso3, year",
        "select * from remittance_vs_oda_by_group",
        "select sender_iso3, receiver_iso3, remittance_usd from corridor_ranking",
        "select count(*) from lake.aid_flow where recipient_iso3 in ('IND', 'MEX')",
        "select * from lake.corridor_flow where remittance_usd < 2e9",
        "select a.iso3, b.iso3 from lake.observation a join lake.observation b using (indicator, period) where a.iso3 < b.iso3",
        "select count(*) from (select iso3 from lake.observation union select recipient_iso3 from lake.aid_flow) as t",
        "select * from harmonised('BX.TRF.PWKR.CD.DT', 'merge')",
        "select sum(stock_persons), count(*) from lake.migrant_stock",
        "select iso3, value from lake.observation order by value desc limit 5",
        "select 1 from lake.observation limit 1",
        "select iso3, row_number() over (partition by indicator order by value, iso3, period) from lake.observation",
    ];
    blocking(async {
        let owner = session(copy(), &[]).await;
        let grants = Grants { rows: filters(CONDITIONS), ..Grants::default() };
        let reader = reader(sample_lake(), grants).await;
        let whole = session(sample_lake(), &[]).await;
        let mut differ = 0;
        for sql in QUERIES {
            let wanted = sorted(&owner, sql).await;
            assert_eq!(sorted(&reader, sql).await, wanted, "{sql}");
            assert!(!wanted.is_empty(), "{sql}");
            differ += usize::from(sorted(&whole, sql).await != wanted);
        }
        assert!(differ >= 14, "the conditions keep nothing back: {differ}");
    });
}

/// Conditions of all kinds, over all of them: a query with one equals it over the copy.
#[test]
fn conditions_meet_conditions() {
    const PARTS: &[&str] = &[
        "iso3 = 'MEX'",
        "iso3 < 'M'",
        "value > 1e9",
        "period = date '2020-01-01'",
        "unit is not null",
        "indicator like 'BX%'",
        "length(iso3) = 3",
        "obs_status is null",
        "value between 1e6 and 1e10",
    ];
    blocking(async {
        let owner = session(copy(), &[]).await;
        let reader = reader(sample_lake(), Grants { rows: filters(CONDITIONS), ..Grants::default() }).await;
        for (at, left) in PARTS.iter().enumerate() {
            for right in PARTS.iter().skip(at + 1) {
                for joint in ["and", "or", "and not"] {
                    let sql = format!(
                        "select count(*), count(value), min(iso3), max(period) from lake.observation where {left} {joint} ({right})"
                    );
                    assert_eq!(rows(&reader, &sql).await, rows(&owner, &sql).await, "{sql}");
                }
            }
        }
    });
}

/// What fails for rows that are kept back would tell of them, and so would their number.
#[test]
fn rows_that_are_kept_back_tell_nothing() {
    blocking(async {
        let grants = Grants {
            rows: filters(&[("lake.observation", "iso3 <> 'MEX'"), ("mart.remittance_vs_oda", "iso3 <> 'MEX'")]),
            ..Grants::default()
        };
        let reader = reader(sample_lake(), grants).await;
        for table in ["lake.observation", "mart.remittance_vs_oda"] {
            // Fails for Mexico alone.
            let sql = format!(
                "select count(*) > 0 from {table} where cast(case iso3 when 'MEX' then 'x' else '1' end as int) = 1"
            );
            assert_eq!(rows(&reader, &sql).await, [["true"]]);
            let sql = format!("select count(*) from {table} where iso3 = 'MEX'");
            assert_eq!(rows(&reader, &sql).await, [["0"]]);
            let said = refused(&reader, &format!("explain analyze select * from {table}")).await;
            assert!(said.contains("kept from you"), "{said}");
            let plan = rows(&reader, &format!("explain select count(*) from {table}")).await;
            assert!(format!("{plan:?}").contains("Granted"), "{plan:?}");
        }
    });
}

#[test]
fn tables_that_may_not_be_named() {
    blocking(async {
        let grants =
            Grants { schemas: Some(set(&["mart"])), tables: Some(set(&["lake.country"])), ..Grants::default() };
        let reader = reader(sample_lake(), grants).await;
        // Marts read what their reader may not name.
        let owner = session(sample_lake(), &[]).await;
        for sql in ["select count(*) from remittance_vs_oda", "select count(*) from lake.country"] {
            assert_eq!(rows(&reader, sql).await, rows(&owner, sql).await);
        }
        for sql in [
            "select * from lake.observation",
            "select * from observation",
            "select * from envoi.lake.observation",
            "select * from \"observation@2020-01-01\"",
            "select * from lake.observation for version as of 1",
            "with a as (select * from lake.observation) select * from a",
            "select (select max(value) from lake.observation)",
            "select * from lake.country where iso3 in (select iso3 from lake.observation)",
            "explain select * from lake.observation",
            "describe lake.observation",
            "prepare p as select * from lake.observation",
            "select * from harmonised('BX.TRF.PWKR.CD.DT', 'merge')",
            "select * from lake.source",
        ] {
            let said = refused(&reader, sql).await;
            assert!(said.contains("permission denied for table `lake."), "{sql}: {said}");
        }
        let listed =
            rows(&reader, "select table_schema, table_name from information_schema.tables where table_schema = 'lake'")
                .await;
        assert_eq!(listed, [["lake", "country"]]);
    });
}

#[test]
fn columns_that_are_not_there() {
    blocking(async {
        let denied = BTreeMap::from([
            ("lake.country".to_owned(), set(&["m49", "name_fr"])),
            ("mart.remittance_vs_oda".to_owned(), set(&["oda_usd"])),
            ("lake.aid_flow".to_owned(), set(&["aid_usd"])),
        ]);
        let reader = reader(sample_lake(), Grants { denied, ..Grants::default() }).await;
        let owner = session(sample_lake(), &[]).await;
        let sql = "select iso3, iso2, name_en from lake.country";
        assert_eq!(sorted(&reader, sql).await, sorted(&owner, sql).await);
        let listed = rows(&reader, "describe lake.country").await;
        assert!(listed.iter().all(|row| row[0] != "m49" && row[0] != "name_fr"), "{listed:?}");
        for sql in ["select m49 from lake.country", "select count(*) from country where name_fr = 'Mexique'"] {
            let said = refused(&reader, sql).await;
            assert!(said.contains("does not exist"), "{said}");
        }
        // A mart that needs it is not there either, and says so.
        let said = refused(&reader, "select * from mart.remittance_vs_oda").await;
        assert!(
            said.contains("permission denied for table `mart.remittance_vs_oda`")
                && said.contains("lake.aid_flow.aid_usd"),
            "{said}"
        );
    });
}

#[test]
fn grants_that_cannot_be_kept() {
    let schemas = |names: &[&str]| Grants { schemas: Some(set(names)), ..Grants::default() };
    let tables = |names: &[&str]| Grants { tables: Some(set(names)), ..Grants::default() };
    let denied = |table: &str, column: &str| Grants {
        denied: BTreeMap::from([(table.to_owned(), set(&[column]))]),
        ..Grants::default()
    };
    let kept = |table: &str, sql: &str| Grants { rows: filters(&[(table, sql)]), ..Grants::default() };
    let cases = [
        (schemas(&["marts"]), "schema `marts` does not exist", "did you mean `mart`?"),
        (tables(&["lake.observatoin"]), "table `lake.observatoin` does not exist", "did you mean `observation`?"),
        (tables(&["observation"]), "schema `` does not exist", "lake, mart, model, staging"),
        (
            denied("lake.country", "currenzy"),
            "column `lake.country.currenzy` does not exist",
            "did you mean `currency`?",
        ),
        (denied("lake.household", "household_id"), "tells households apart", "no row of households"),
        (kept("lake.country", "iso4 = 'MEX'"), "`iso4 = 'MEX'`", "over the columns of the table"),
        (kept("lake.country", "iso3"), "no condition but a value", "over the columns"),
        (kept("lake.country", "iso3 = "), "the condition of `lake.country`", "over the columns"),
        (kept("lake.country", "iso3 in (select iso3 from lake.observation)"), "the condition", "without queries"),
        (kept("mart.remittance_vs_oda", "iso4 = 'MEX'"), "`iso4 = 'MEX'`", "over the columns"),
    ];
    blocking(async move {
        let factory = factory(sample_lake()).await;
        for (grants, what, hint) in cases {
            let role = Role::new("anna", DisclosureRules::default()).unwrap().with_grants(grants.clone());
            let error = factory.check(&role).await.expect_err(what);
            assert!(error.message().contains(what), "{}", error.message());
            assert!(error.hint().is_some_and(|h| h.contains(hint)), "{error:?}");
        }
    });
}

/// Sessions of one role share it; clones of its grants do not widen anything.
#[test]
fn what_is_granted_is_asked_of_grants() {
    let everything = Grants::default();
    assert!(everything.is_everything() && everything.allows("lake", "observation"));
    let some = Grants { tables: Some(set(&["lake.country"])), ..Grants::default() };
    assert!(some.allows("lake", "country") && !some.allows("lake", "observation") && !some.allows("mart", "country"));
    let none = Grants { schemas: Some(BTreeSet::new()), ..Grants::default() };
    assert!(!none.allows("mart", "remittance_vs_oda"));
    assert!(Arc::new(none).has_column("lake", "country", "iso3"));
}

/// Marts read tables, and marts, that their reader may not name.
#[test]
fn marts_alone() {
    blocking(async {
        let lake = sample_lake();
        let alone = reader(lake, Grants { schemas: Some(set(&["mart"])), ..Grants::default() }).await;
        let all = reader(lake, Grants::default()).await;
        let marts = rows(&alone, "select table_name from information_schema.tables where table_schema = 'mart'").await;
        assert!(marts.len() > 10, "{marts:?}");
        for mart in marts {
            let sql = format!("select count(*) from mart.{}", mart[0]);
            assert_eq!(rows(&alone, &sql).await, rows(&all, &sql).await, "{sql}");
        }
        assert!(refused(&alone, "select count(*) from lake.aid_flow").await.contains("permission denied"));
    });
}
