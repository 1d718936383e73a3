//! Each way that rows are kept.

use crate::support::{World, blocking};

const MONTHLY: &str =
    "materialisation = \"incremental\"\n[incremental]\ninput = \"transfer\"\ntime = \"sent_at\"\ncolumn = \"month\"\n";
const BY_MONTH: &str =
    "select date_trunc('month', sent_at) as month, count(*) as n, sum(amount_usd) as usd from transfer group by 1";

#[test]
fn tables_and_views() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h1", 2.0), (2, "h2", 3.0)]).await;
        world.file("big.sql", "select transfer_id, amount_usd from transfer where amount_usd > {{ var('least', 2) }}");
        world.file("v.sql", "/* toml\nmaterialisation = \"view\"\ndescription = \"one row for all\"\n*/\nselect count(*) as n, sum(amount_usd) as usd from {{ ref('big') }}");
        world.file("t.sql", "select n + 1 as m from v");
        world.file(
            "big.toml",
            "description = \"Large transfers\"\n[[column]]\nname = \"amount_usd\"\nunit = \"dollars\"\n",
        );
        assert_eq!(world.ran().await, ["big: published (new)", "v: published (new)", "t: published (new)"]);
        assert_eq!(world.rows("select * from big").await, ["a1 3.0"]);
        assert_eq!(world.rows("select * from model.v").await, ["1 3.0"]);
        assert_eq!(world.rows("select m from t").await, ["2"]);
        assert_eq!(world.manifest().await.version, 2);
        assert_eq!(
            world.ran().await,
            ["big: unchanged (unchanged)", "v: unchanged (unchanged)", "t: unchanged (unchanged)"]
        );
        assert_eq!(world.manifest().await.version, 2);
        // New input: what reads it is built, through a view too.
        world.transfers("b", "2024-06-01", &[(3, "h3", 5.0)]).await;
        let said = world.ran().await;
        assert!(said.iter().all(|s| s.contains(": published (input")), "{said:?}");
        assert_eq!(world.rows("select m from t").await, ["3"]);
        let names = world.factory.owner().await.unwrap().names().await.unwrap();
        let big = names.tables.iter().find(|t| t.schema == "model" && t.name == "big").unwrap();
        assert_eq!((big.kind, big.description.as_deref()), ("table", Some("Large transfers")));
        assert_eq!(big.columns[1].unit.as_deref(), Some("dollars"));
        let old = world.rows("select count(*) from big for version as of 2").await;
        assert_eq!(old, ["1"]);
        world.is_sound().await;
    });
}

#[test]
fn what_is_said_changes_without_the_rows() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x union all select 2");
        world.ran().await;
        let before = world.manifest().await.model_files("a");
        world.file("a.toml", "owner = \"me\"\n[[test]]\nunique = [\"x\"]\n");
        assert_eq!(world.ran().await, ["a: published (what is said of it changed)"]);
        let after = world.manifest().await;
        assert_eq!(after.model_files("a"), before);
        assert_eq!(after.model("a").unwrap().owner.as_deref(), Some("me"));
    });
}

#[test]
fn volatile_queries_are_always_built() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select now() as at");
        world.ran().await;
        assert_eq!(world.ran().await, ["a: published (its query gives other rows at other times)"]);
    });
}

#[test]
fn partitions_have_files_of_their_own() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h1", 2.0), (2, "h2", 3.0), (3, "h1", 4.0)]).await;
        world.file("p.sql", "select household_id, amount_usd from transfer");
        world.file("p.toml", "partition_by = [\"household_id\"]\nsort = [\"amount_usd\"]");
        world.ran().await;
        let files = world.manifest().await.model_files("p");
        let parts: Vec<(&str, u64)> = files.iter().map(|f| (f.series.as_str(), f.rows)).collect();
        assert_eq!(parts, [("household_id=h1", 2), ("household_id=h2", 1)]);
    });
}

#[test]
fn months_that_change_are_built_and_no_others() {
    blocking(async {
        let mut world = World::new();
        world.transfers("jan", "2024-06-01", &[(1, "h1", 2.0)]).await;
        world.transfers("feb", "2024-06-01", &[(40, "h1", 3.0)]).await;
        world.file("m.sql", BY_MONTH).file("m.toml", MONTHLY);
        assert_eq!(world.ran().await, ["m: published (new)"]);
        let before = world.manifest().await.model_files("m");
        world.transfers("late", "2024-06-01", &[(45, "h2", 5.0)]).await;
        assert_eq!(world.ran().await, ["m: published (input transfer changed; 1 months from 2024-02-01)"]);
        assert_eq!(
            world.rows("select cast(month as date), n, usd from m order by 1").await,
            ["2024-01-01 1 2.0", "2024-02-01 2 8.0"]
        );
        let after = world.manifest().await.model_files("m");
        assert_eq!((before.len(), after.len()), (2, 2));
        assert_eq!(before[0], after[0]);
        // Rows that are taken back touch their month too.
        world.transfers("jan", "2024-06-01", &[(70, "h1", 1.0)]).await;
        assert_eq!(world.ran().await, ["m: published (input transfer changed; 2 months from 2024-01-01)"]);
        assert_eq!(
            world.rows("select cast(month as date), n from m order by 1").await,
            ["2024-02-01 2", "2024-03-01 1"]
        );
        world.is_sound().await;
    });
}

#[test]
fn a_query_over_months_is_built_whole() {
    blocking(async {
        let mut world = World::new();
        world.transfers("jan", "2024-06-01", &[(1, "h1", 2.0)]).await;
        let total = "select date_trunc('month', sent_at) as month, sum(count(*)) over () as n from transfer group by 1";
        world.file("m.sql", total).file("m.toml", MONTHLY);
        world.ran().await;
        world.transfers("feb", "2024-06-01", &[(40, "h1", 3.0)]).await;
        let said = world.ran().await;
        assert!(said[0].contains("built whole: its `over` puts rows of different months"), "{said:?}");
        assert_eq!(world.rows("select n from m").await, ["2", "2"]);
    });
}

#[test]
fn keys_that_change_are_built_and_no_others() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h1", 2.0), (2, "h2", 3.0)]).await;
        world.file(
            "k.sql",
            "select household_id, count(*) as n, sum(amount_usd) as usd from transfer group by household_id",
        );
        world.file("k.toml", "materialisation = \"incremental\"\nsort = [\"household_id\"]\n[incremental]\ninput = \"transfer\"\nkey = [\"household_id\"]\n");
        world.ran().await;
        world.transfers("b", "2024-06-01", &[(3, "h2", 5.0), (4, "h3", 1.0)]).await;
        assert_eq!(world.ran().await, ["k: published (input transfer changed; 2 keys)"]);
        assert_eq!(world.rows("select * from k order by 1").await, ["h1 1 2.0", "h2 2 8.0", "h3 1 1.0"]);
        world.transfers("a", "2024-06-01", &[(1, "h1", 4.0)]).await;
        assert_eq!(world.ran().await, ["k: published (input transfer changed; 2 keys)"]);
        assert_eq!(world.rows("select * from k order by 1").await, ["h1 1 4.0", "h2 1 5.0", "h3 1 1.0"]);
        world.is_sound().await;
    });
}

#[test]
fn backfills_say_what_is_left() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0), (40, "h", 2.0), (70, "h", 3.0)]).await;
        world.file("m.sql", BY_MONTH).file("m.toml", MONTHLY);
        world.options.from = Some("2024-02-01".parse().unwrap());
        world.options.to = Some("2024-03-01".parse().unwrap());
        assert_eq!(world.ran().await, ["m: published (new; 1 months from 2024-02-01)"]);
        assert_eq!(world.rows("select n, usd from m").await, ["1 2.0"]);
        world.options.from = None;
        world.options.to = None;
        let said = world.ran().await;
        assert!(said[0].starts_with("m: published (partitions left to build"), "{said:?}");
        assert_eq!(world.rows("select usd from m order by 1").await, ["1.0", "2.0", "3.0"]);
        assert_eq!(world.ran().await, ["m: unchanged (unchanged)"]);
    });
}

#[test]
fn partitions_of_a_backfill_are_published_one_by_one() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0), (40, "h", 2.0), (70, "h", 3.0)]).await;
        world.file("m.sql", BY_MONTH).file("m.toml", MONTHLY).file("project.toml", "publish = \"each\"");
        world.options.from = Some("2024-01-01".parse().unwrap());
        world.options.to = Some("2024-04-01".parse().unwrap());
        let record = world.run().await;
        // The record is of all of them.
        let model = &record.models[0];
        assert_eq!(model.reason, "new; 3 months from 2024-01-01");
        let steps: Vec<_> = model.steps.iter().map(|s| (s.partition.as_str(), s.rows, s.version)).collect();
        assert_eq!(steps, [("2024-01-01", 1, 2), ("2024-02-01", 2, 3), ("2024-03-01", 3, 4)]);
        assert_eq!((model.attempts, model.rows), (3, Some(3)));
        assert!((model.seconds - model.steps.iter().map(|s| s.seconds).sum::<f64>()).abs() < 1e-9);
        // One version of the import, three of the months.
        assert_eq!(world.manifest().await.version, 4);
        assert_eq!(world.rows("select usd from m order by 1").await, ["1.0", "2.0", "3.0"]);
    });
}

/// As templates of other tools have it: what they narrow a query by would empty partitions that are built whole.
#[test]
fn a_template_does_not_narrow_what_the_engine_narrows() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h", 1.0), (8, "h", 1.0)]).await;
        let sql = "select date_trunc('month', sent_at) as month, count(*) as n from transfer\n{% if is_incremental() %} where sent_at >= (select max(month) from {{ this }}) and sent_at > '2024-01-05' {% endif %}\ngroup by 1";
        world.file("m.sql", sql).file("m.toml", MONTHLY);
        world.ran().await;
        world.transfers("b", "2024-06-01", &[(2, "h", 2.0), (40, "h", 2.0)]).await;
        world.ran().await;
        let months = "select cast(month as date), n from m order by 1";
        assert_eq!(world.rows(months).await, ["2024-01-01 3", "2024-02-01 1"]);
    });
}

#[test]
fn snapshots_keep_every_version_of_a_row() {
    blocking(async {
        let mut world = World::new();
        world.file("s.sql", "select household_id, amount_usd from transfer");
        world.file(
            "s.toml",
            "materialisation = \"snapshot\"\nsort = [\"household_id\"]\n[snapshot]\nkey = [\"household_id\"]\n",
        );
        world.transfers("a", "2024-01-01", &[(1, "h1", 1.0), (1, "h2", 1.0)]).await;
        world.ran().await;
        world.transfers("a", "2024-02-01", &[(1, "h1", 1.0), (1, "h2", 2.0), (1, "h3", 3.0)]).await;
        world.ran().await;
        world.transfers("a", "2024-03-01", &[(1, "h2", 2.0), (1, "h3", 4.0)]).await;
        world.ran().await;
        let history = world.rows("select * from s order by household_id, valid_from").await;
        assert_eq!(
            history,
            [
                "h1 1.0 2024-01-01 2024-03-01",
                "h2 1.0 2024-01-01 2024-02-01",
                "h2 2.0 2024-02-01 NULL",
                "h3 3.0 2024-02-01 2024-03-01",
                "h3 4.0 2024-03-01 NULL",
            ]
        );
        assert_eq!(world.ran().await, ["s: unchanged (unchanged)"]);
        // Of two states of one day the earlier is kept too, and so is what is gone on the day it came.
        world.transfers("a", "2024-03-01", &[(1, "h2", 2.0), (1, "h3", 5.0), (1, "h4", 1.0)]).await;
        world.ran().await;
        world.transfers("a", "2024-03-01", &[(1, "h2", 2.0), (1, "h3", 5.0)]).await;
        world.ran().await;
        let sql = "select * from s where household_id in ('h3', 'h4') order by household_id, valid_from, amount_usd";
        assert_eq!(
            world.rows(sql).await,
            [
                "h3 3.0 2024-02-01 2024-03-01",
                "h3 4.0 2024-03-01 2024-03-01",
                "h3 5.0 2024-03-01 NULL",
                "h4 1.0 2024-03-01 2024-03-01",
            ]
        );
    });
}

#[test]
fn snapshots_by_a_column_of_time() {
    blocking(async {
        let mut world = World::new();
        world.file("s.sql", "select household_id, sent_at, amount_usd from transfer");
        world.file("s.toml", "materialisation = \"snapshot\"\n[snapshot]\nkey = [\"household_id\"]\nupdated_at = \"sent_at\"\nkeep_deleted = true\n");
        world.transfers("a", "2024-01-01", &[(0, "h1", 1.0)]).await;
        world.ran().await;
        world.transfers("a", "2024-02-01", &[(31, "h1", 2.0)]).await;
        world.ran().await;
        let history =
            world.rows("select amount_usd, cast(valid_from as date), cast(valid_to as date) from s order by 2").await;
        assert_eq!(history, ["1.0 2024-01-01 2024-02-01", "2.0 2024-02-01 NULL"]);
    });
}

#[test]
fn times_of_a_snapshot_do_not_overlap() {
    blocking(async {
        let mut world = World::new();
        world.file("s.sql", "select household_id, sent_at, amount_usd from transfer");
        world.file(
            "s.toml",
            "materialisation = \"snapshot\"\n[snapshot]\nkey = [\"household_id\"]\nupdated_at = \"sent_at\"\n",
        );
        world.file("t.sql", "select household_id, amount_usd from transfer");
        world.file("t.toml", "materialisation = \"snapshot\"\n[snapshot]\nkey = [\"household_id\"]\n");
        for (edition, rows) in [
            ("2024-02-01", &[(0, "h1", 1.0), (0, "h2", 1.0)][..]),
            ("2024-03-01", &[(0, "h2", 1.0)]),
            // It is back as it was, and changes.
            ("2024-04-01", &[(0, "h1", 1.0), (0, "h2", 1.0)]),
            ("2024-05-01", &[(31, "h1", 2.0), (0, "h2", 1.0)]),
        ] {
            world.transfers("a", edition, rows).await;
            world.ran().await;
        }
        let of_h1 = |name: &str| {
            format!(
                "select amount_usd, cast(valid_from as date), cast(valid_to as date) from {name} where household_id = 'h1' \
                 order by valid_from, valid_to nulls last"
            )
        };
        assert_eq!(
            world.rows(&of_h1("s")).await,
            ["1.0 2024-01-01 2024-03-01", "1.0 2024-03-01 2024-03-01", "2.0 2024-03-01 NULL"]
        );
        assert_eq!(
            world.rows(&of_h1("t")).await,
            ["1.0 2024-02-01 2024-03-01", "1.0 2024-04-01 2024-05-01", "2.0 2024-05-01 NULL"]
        );
        for name in ["s", "t"] {
            let wrong = format!("select count(*) from {name} where valid_to < valid_from");
            assert_eq!(world.rows(&wrong).await, ["0"]);
        }
    });
}

#[test]
fn other_editions_are_inputs_of_their_own() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-03-01", &[(1, "h1", 1.0)]).await;
        world.file("e.sql", "select count(*) as n from transfer for timestamp as of '2024-02-01'");
        world.file("v.sql", "select count(*) as n from transfer for version as of 1");
        world.ran().await;
        world.transfers("b", "2024-03-01", &[(1, "h2", 1.0)]).await;
        assert_eq!(world.ran().await, ["e: unchanged (unchanged)", "v: unchanged (unchanged)"]);
        // An older edition that comes later.
        world.transfers("a", "2024-01-01", &[(1, "h1", 1.0)]).await;
        let said = world.ran().await;
        assert!(said[0].starts_with("e: published (input") && said[1].starts_with("v: unchanged"), "{said:?}");
        assert_eq!(world.rows("select n from e").await, ["1"]);
    });
}

#[test]
fn one_of_two_equal_files_is_taken_back() {
    blocking(async {
        let mut world = World::new();
        world.file("m.sql", BY_MONTH).file("m.toml", MONTHLY);
        world.transfers("a", "2024-06-01", &[]).await;
        world.transfers("b", "2024-06-01", &[]).await;
        let mut twice = crate::support::change("a", "2024-06-01", &[(1, "h", 1.0)]);
        twice.files.push(envoi::lake::lake::NewFile { series: "b".into(), ..twice.files[0].clone() });
        world.lake.publish(twice).await.unwrap();
        world.ran().await;
        assert_eq!(world.rows("select n from m").await, ["2"]);
        world.transfers("b", "2024-06-01", &[]).await;
        world.ran().await;
        assert_eq!(world.rows("select n from m").await, ["1"]);
    });
}
