//! What readers may run at all.

use std::sync::Arc;

use envoi::{DisclosureRules, Role};

use super::{Lines, ask, lake, owner, reader, refused, role, rows, session};
use crate::lakes::blocking;

#[test]
fn rules_that_protect_nobody_are_refused() {
    let rules = DisclosureRules::default();
    for wrong in [
        DisclosureRules { min_households: 1, ..rules.clone() },
        DisclosureRules { max_share: f64::NAN, ..rules.clone() },
        DisclosureRules { max_share: 1.5, ..rules.clone() },
        DisclosureRules { order_factor: 0, ..rules },
    ] {
        assert!(Role::new("analyst", wrong).unwrap_err().to_string().contains("rules of disclosure"));
    }
}

#[test]
fn statements_are_refused_by_their_plan() {
    blocking(async {
        let reader = reader().await;
        for (sql, part) in [
            ("create table t as select 1", "readers may not run"),
            ("create view v as select 1", "readers may not run"),
            ("create external table t stored as csv location '/etc/passwd'", "readers may not run"),
            ("drop table household", "readers may not run"),
            ("create schema s", "readers may not run"),
            ("insert into fx_rate select * from fx_rate", "readers may not run"),
            ("copy (select 1) to '/tmp/envoi_reader.csv'", "readers may not run"),
            ("explain copy (select 1) to '/tmp/envoi_reader.csv'", "readers may not run"),
            ("explain analyze copy (select 1) to '/tmp/envoi_reader.csv'", "readers may not run"),
            ("explain analyze insert into fx_rate select * from fx_rate", "readers may not run"),
            ("prepare p as insert into fx_rate select * from fx_rate", "readers may not run"),
            ("begin", "not supported"),
            ("select * from '/etc/passwd'", "does not exist"),
            ("select * from read_csv('/etc/passwd')", "does not exist"),
            ("select * from \"x.parquet\"", "does not exist"),
            ("set datafusion.runtime.memory_limit = '100G'", "is not one that readers may change"),
            ("set datafusion.execution.batch_size = 1", "is not one that readers may change"),
            ("set datafusion.catalog.location = '/'", "is not one that readers may change"),
            ("reset datafusion.execution.batch_size", "is not one that readers may change"),
            ("show all", "readers see settings of `envoi` only"),
            ("show datafusion.runtime.temp_directory", "readers see settings of `envoi` only"),
            ("select * from information_schema.df_settings", "readers see settings of `envoi` only"),
            (
                "select value from information_schema.df_settings where name = 'envoi.as_of' or true",
                "readers see settings",
            ),
        ] {
            refused(&reader, sql, part).await;
        }
        assert!(!std::path::Path::new("/tmp/envoi_reader.csv").exists());
    });
}

#[test]
fn what_is_published_is_read_as_by_the_owner() {
    blocking(async {
        let reader = session(crate::lakes::sample_lake(), Some(&super::role())).await;
        for sql in [
            "select count(*) > 0 from observation",
            "select count(*) > 0 from remittance_vs_oda",
            "select count(*) > 0 from source",
            "select count(*) > 0 from information_schema.tables",
            "select count(*) > 0 from generate_series(1, 3)",
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select count(*) = 3 from n",
        ] {
            assert_eq!(rows(&reader, sql).await, [["true"]], "{sql}");
        }
        for sql in [
            "set envoi.as_of = '2024-01-01'",
            "set envoi.as_of = ''",
            "show envoi.as_of",
            "describe observation",
            "explain select * from observation",
            "explain analyze select count(*) from observation",
        ] {
            ask(&reader, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
        rows(&reader, "prepare p as select count(*) from observation where iso3 = $1").await;
        assert_eq!(rows(&reader, "execute p('XXX')").await, [["0"]]);
        assert!(reader.names().await.unwrap().tables.iter().any(|t| t.name == "household"));
    });
}

#[test]
fn explain_of_households_is_refused() {
    blocking(async {
        let reader = reader().await;
        for sql in [
            "explain select count(*) from household",
            "explain verbose select count(*) from household",
            "explain analyze select count(*) from household where region = 'G'",
            "explain analyze verbose select region from household",
            "explain format tree select count(*) from household",
        ] {
            refused(&reader, sql, "how a query over households runs").await;
        }
    });
}

#[test]
fn prepared_statements_are_held_to_the_same() {
    blocking(async {
        let reader = reader().await;
        refused(&reader, "prepare p as select * from household", "households are not shown").await;
        refused(&reader, "prepare p as select count(*) from household where income_total > $1", "few may meet").await;
        rows(&reader, "prepare p as select count(*) from household where region = $1 and survey_id = 'ton_2015'").await;
        assert_eq!(rows(&reader, "execute p('G')").await.len(), 0);
        assert_ne!(rows(&reader, "execute p('A')").await, [["NULL"]]);
    });
}

#[test]
fn every_statement_over_households_is_in_the_audit_log() {
    blocking(async {
        let lines = Arc::new(Lines::default());
        let audit = Some(Arc::clone(&lines) as Arc<dyn envoi::Audit>);
        let role = Role::audited("an\nalyst", DisclosureRules::default(), audit).unwrap();
        let reader = session(lake(), Some(&role)).await;
        rows(&reader, "select 1").await;
        rows(&reader, "select sum(weight) from household where region = 'secret\n'").await;
        let _ = ask(&reader, "select * from household where region = 'secret'").await;
        let _ = ask(&reader, "explain select count(*) from household").await;
        let lines = lines.0.lock().unwrap();
        let outcomes = ["outcome=answered cells=1", "outcome=refused reason=rule", "outcome=refused reason=explain"];
        assert_eq!(lines.len(), outcomes.len(), "{lines:?}");
        for (line, outcome) in lines.iter().zip(outcomes) {
            assert!(line.starts_with("microdata role=an\\nalyst ") && line.contains(outcome), "{line}");
            assert!(!line.contains("secret") && !line.contains('\n'), "{line}");
        }
    });
}

#[test]
fn budgets_are_of_the_role_and_end() {
    blocking(async {
        let rules = DisclosureRules { near_same_queries: 3, ..DisclosureRules::default() };
        let role = Role::new("analyst", rules).unwrap();
        let sql = |size: u32| {
            format!("select sum(weight) from household where survey_id = 'ton_2015' and size_persons <= {size}")
        };
        for size in 1..=3 {
            // Each in a session of its own.
            ask(&session(lake(), Some(&role)).await, &sql(size)).await.unwrap();
        }
        let reader = session(lake(), Some(&role)).await;
        refused(
            &reader,
            &sql(4),
            "role `analyst` has asked 3 queries over households that differ in their literals only",
        )
        .await;
        // What was asked before is answered again.
        ask(&reader, &sql(2)).await.unwrap();
        let cells = DisclosureRules { cells: 2, ..DisclosureRules::default() };
        let reader = session(lake(), Some(&Role::new("analyst", cells).unwrap())).await;
        rows(&reader, "select count(*) from household").await;
        let sql = "select region, urban, count(*) from household group by region, urban";
        refused(&reader, sql, "has seen cells of as many different sets").await;
        rows(&reader, "select count(*) from household").await;
    });
}

/// Rows that are not there for a role are no households of anybody, and rules hold for the others.
#[test]
fn households_that_are_kept_back_count_for_nothing() {
    blocking(async {
        let granted = |table: &str, sql: &str| {
            let rows = std::collections::BTreeMap::from([(table.to_owned(), sql.to_owned())]);
            role().with_grants(envoi::Grants { rows, ..envoi::Grants::default() })
        };
        let reader = session(lake(), Some(&granted("lake.household", "survey_id = 'wsm_2016'"))).await;
        let asked = "select survey_id, count(*), sum(weight) from household group by survey_id";
        let wanted = rows(&owner().await, &format!("select * from ({asked}) where survey_id = 'wsm_2016'")).await;
        assert_eq!(rows(&reader, asked).await, wanted);
        let surveys = rows(&reader, "select distinct survey_id from family_income_effect").await;
        assert_eq!(surveys, [["wsm_2016"]]);
        refused(&reader, "select * from household", "not shown one by one").await;
        // Of a mart of households.
        let reader = session(lake(), Some(&granted("mart.family_income", "survey_id = 'wsm_2016'"))).await;
        let asked = "select survey_id, count(*) from family_income group by survey_id";
        assert_eq!(rows(&reader, asked).await, [["wsm_2016", "400"]]);
        refused(&reader, "select * from family_income", "not shown one by one").await;
    });
}
