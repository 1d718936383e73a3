//! What a run publishes, and what it does not.

use envoi_batch::record::{ModelStatus, RunRecord, RunStatus};

use crate::support::{World, blocking, said};

#[test]
fn a_failing_test_blocks_its_model_and_what_reads_it() {
    blocking(async {
        let mut world = World::new();
        world.file("good.sql", "select 1 as x");
        world.file("bad.sql", "select 1 as x union all select 1");
        world.file("bad.toml", "[[test]]\nunique = [\"x\"]\n");
        world.file("below.sql", "select x from bad").file("far.sql", "select x from below");
        let record = world.run().await;
        assert_eq!(record.status, RunStatus::Failed);
        let failure = record.failure.clone().unwrap();
        assert_eq!((failure.model.as_str(), failure.step.as_str()), ("bad", "test"));
        assert_eq!(failure.blocked, ["below", "far"]);
        assert!(failure.message.contains("test `unique (x)` failed: 1 row"), "{}", failure.message);
        let manifest = world.manifest().await;
        assert_eq!(manifest.models.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["good"]);
        world.is_sound().await;
        // The record of the run is in the lake.
        let path = format!("run/{}.json", record.run_id);
        let stored = world.lake.store().get(&path).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<RunRecord>(&stored).unwrap(), record);
    });
}

#[test]
fn a_warning_does_not_block() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x union all select 1");
        world.file("a.toml", "[[test]]\nunique = [\"x\"]\nseverity = \"warn\"\n");
        let record = world.run().await;
        assert_eq!(record.status, RunStatus::Success);
        let test = &record.models[0].tests[0];
        assert!(!test.passed && !test.blocks && test.found.is_some());
    });
}

#[test]
fn every_kind_of_test() {
    blocking(async {
        let check = async |toml: &str, passes: bool| {
            let mut world = World::new();
            world.file("a.sql", "select 'x' as k, 10.0 as v union all select 'y', 20.0");
            world.file("other.sql", "select 'x' as k, 31.0 as total");
            world.file("a.toml", toml);
            world.options.selectors = vec!["other".into()];
            world.ran().await;
            world.options.selectors = vec!["a".into()];
            let record = world.run().await;
            assert_eq!(record.status == RunStatus::Success, passes, "{toml}: {:?}", record.models[0]);
        };
        check("[[test]]\nnot_null = [\"k\"]", true).await;
        check("[[test]]\ncolumn = \"k\"\naccepted_values = [\"x\"]", false).await;
        check("[[test]]\nexpression = \"v > 15\"", false).await;
        check("[[test]]\nexpression = \"v > 5\"", true).await;
        check("[[test]]\ncolumn = \"k\"\nrelationships = \"model.other.k\"", false).await;
        check("[[test]]\nrow_count = { min = 2, max = 2 }", true).await;
        check("[[test]]\nrow_count = { min = 3 }", false).await;
        check("[[test]]\nrow_count = { same_as = \"model.other\" }", false).await;
        check("[[test]]\n[test.reconcile]\ntotal = \"sum(v)\"\nagainst = \"select total from model.other\"\n", false)
            .await;
        check("[[test]]\n[test.reconcile]\ntotal = \"sum(v)\"\nagainst = \"select total from model.other\"\ntolerance = 0.05\n", true).await;
        check("[[test]]\n[test.reconcile]\ntotal = \"sum(v)\"\nby = [\"k\"]\nagainst = \"select k, total from model.other\"\ntolerance = 0.05\n", false).await;
        check("[[freshness]]\ntable = \"transfer\"\nmax_age = \"1 day\"\n", false).await;
        check("[[freshness]]\ntable = \"transfer\"\nmax_age = \"1 day\"\nseverity = \"warn\"\n", true).await;
    });
}

#[test]
fn unit_tests_run_before_anything_is_built() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h1", 2.0)]).await;
        world.file(
            "a.sql",
            "select household_id, sum(amount_usd) as usd from {{ source('transfer') }} group by household_id",
        );
        let given = |usd: &str| {
            format!(
                "[[unit_test]]\nname = \"sums\"\nexpect = [{{ household_id = \"p\", usd = {usd} }}]\n[unit_test.given]\n\"lake.transfer\" = [{{ household_id = \"p\", amount_usd = 1.5 }}, {{ household_id = \"p\", amount_usd = 2.0 }}]\n"
            )
        };
        world.file("a.toml", &given("3.5"));
        world.ran().await;
        assert_eq!(world.rows("select usd from a").await, ["2.0"]);
        world.file("a.toml", &given("4.0"));
        let record = world.run().await;
        let message = record.failure.unwrap().message;
        assert!(message.contains("unit test `sums` failed: there is no row household_id p, usd 4.0"), "{message}");
        world.file("a.toml", "");
        world.file("tests/a.toml", &given("3.5").replace("name =", "model = \"a\"\nname ="));
        world.ran().await;
    });
}

#[test]
fn a_failing_query_is_that_models_failure() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x");
        world.file("b.sql", "select cast('zz' || x as bigint) as y from a");
        world.file("b.toml", "retries = 2");
        let record = world.run().await;
        let failed = record.models.iter().find(|m| m.name == "b").unwrap();
        assert_eq!(failed.status, ModelStatus::Failed);
        assert_eq!(world.manifest().await.models.len(), 1);
        assert_eq!(said(&record)[0], "a: published (new)");
    });
}

#[test]
fn memory_and_time_are_bounded() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select v, count(*) as n from (select unnest(range(0, 400000)) as v) group by v");
        world.file("a.toml", "memory = \"1MiB\"");
        let record = world.run().await;
        assert_eq!(record.status, RunStatus::Failed);
        assert_eq!(record.failure.unwrap().step, "build");
    });
}

#[test]
fn other_versions_can_be_read_for_what_is_not_run() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x").file("b.sql", "select x from a");
        world.ran().await;
        world.file("a.sql", "select 2 as x");
        world.ran().await;
        world.options.selectors = vec!["b".into()];
        world.options.defer = Some(1);
        assert_eq!(world.ran().await, ["b: published (input model.a changed)"]);
        assert_eq!(world.rows("select b.x, a.x from b, a").await, ["1 2"]);
    });
}

#[test]
fn publishing_each_by_itself() {
    blocking(async {
        let mut world = World::new();
        world.file("project.toml", "publish = \"each\"\n");
        world.file("a.sql", "select 1 as x").file("b.sql", "select x from a").file("c.sql", "select x from b");
        world.ran().await;
        assert_eq!(world.manifest().await.version, 3);
    });
}

#[test]
fn exports_stand_beside_the_lake() {
    blocking(async {
        let mut world = World::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        world.file("a.sql", "select 2 as x union all select 1");
        world.file("a.toml", &format!("sort = [\"x\"]\ntarget = '{path}'\nformat = \"csv\"\n"));
        world.ran().await;
        assert_eq!(std::fs::read_to_string(folder.path().join("a.csv")).unwrap(), "csv\n1\n2\n");
        let label: envoi_batch::export::Label =
            serde_json::from_slice(&std::fs::read(folder.path().join("a.csv.envoi.json")).unwrap()).unwrap();
        assert_eq!((label.rows, label.lake_version, label.files.len()), (2, 1, 1));
        // What is there already, as large as it was, is left alone.
        std::fs::write(folder.path().join("a.csv"), "mine 1\n\n").unwrap();
        world.ran().await;
        assert_eq!(std::fs::read_to_string(folder.path().join("a.csv")).unwrap(), "mine 1\n\n");
        world.file("a.sql", "select 3 as x");
        world.ran().await;
        assert_eq!(std::fs::read_to_string(folder.path().join("a.csv")).unwrap(), "csv\n3\n");
    });
}

#[test]
fn what_an_as_of_reader_may_not_see() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-06-01", &[(1, "h1", 2.0)]).await;
        world.file("a.sql", "select count(*) as n from transfer");
        world.ran().await;
        let session = world.factory.owner().await.unwrap();
        session.run("set envoi.as_of = '2024-01-01'").await.unwrap();
        let error = session.run("select n from model.a").await.unwrap_err().to_string();
        assert!(error.contains("up to 2024-06-01") && error.contains("--lake-version"), "{error}");
    });
}

#[test]
fn fail_fast_begins_nothing_more() {
    blocking(async {
        let mut world = World::new();
        world.options.jobs = 1;
        world.options.fail_fast = true;
        world.file("a.sql", "select cast('zz' as bigint) + random() as y").file("b.sql", "select 1 as x");
        let record = world.run().await;
        assert_eq!(record.models[1].status, ModelStatus::Blocked);
        assert_eq!(record.status, RunStatus::Failed);
    });
}

#[test]
fn a_stopped_run_publishes_nothing() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x");
        let cancel = envoi_batch::Canceller::new();
        cancel.cancel();
        let packer = std::sync::Arc::new(crate::support::Texts);
        let record = envoi_batch::run(&world.factory, &world.sources, &world.options, packer, &(), &cancel.token())
            .await
            .unwrap();
        assert_eq!((record.status, record.published_version), (RunStatus::Cancelled, None));
        assert!(world.lake.versions().await.unwrap().is_empty());
        assert!(world.lake.store().list("model").await.unwrap().is_empty());
    });
}

#[test]
fn models_of_households_are_their_owners_alone() {
    blocking(async {
        let mut world = World::new();
        world.file("h.sql", "select count(*) as n from household").file("below.sql", "select n from h");
        world.file("open.sql", "select n from below").file("open.toml", "release = true");
        world.file("after.sql", "select n from open");
        world.ran().await;
        let role = envoi::Role::new("reader", envoi::DisclosureRules::default()).unwrap();
        let reader = world.factory.reader(&role).await.unwrap();
        for hidden in ["h", "below"] {
            let error = reader.run(&format!("select n from model.{hidden}")).await.unwrap_err().to_string();
            assert!(error.contains("made of households") && error.contains("release"), "{error}");
        }
        for shown in ["open", "after"] {
            let rows = reader.run(&format!("select n from {shown}")).await.unwrap().collect().await.unwrap();
            assert_eq!(rows[0].num_rows(), 1);
        }
        let listed = "select table_name from information_schema.tables where table_schema = 'model' order by 1";
        assert_eq!(world.rows(listed).await, ["after", "below", "h", "open"]);
        let rows = reader.run(listed).await.unwrap().collect().await.unwrap();
        assert_eq!(rows.iter().map(|b| b.num_rows()).sum::<usize>(), 2);
    });
}

#[test]
fn two_hundred_models_are_looked_at_without_planning_one() {
    blocking(async {
        let mut world = World::new();
        world.file("m0.sql", "select 1 as x");
        for i in 1..200 {
            world.file(&format!("m{i}.sql"), &format!("select x + 1 as x from m{}", i - 1));
        }
        world.ran().await;
        let version = world.manifest().await.version;
        // Every one of them would fail if it were planned: the lake's files are gone.
        std::fs::remove_dir_all(world.folder.path().join("model")).unwrap();
        assert!(world.ran().await.iter().all(|s| s.ends_with(": unchanged (unchanged)")));
        assert_eq!(world.manifest().await.version, version);
    });
}
