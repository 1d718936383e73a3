//! What is easily taken for done: rows that come again, tests of other models, age, files that are gone.

use envoi_batch::record::{ModelStatus, RunStatus};

use crate::support::{World, blocking};

const SNAPSHOT: &str = "materialisation = \"snapshot\"\n[snapshot]\nkey = [\"household_id\"]\n";

#[test]
fn rows_of_a_snapshot_can_be_told_apart() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-01-01", &[(1, "h1", 1.0), (2, "h1", 2.0), (3, "h2", 1.0)]).await;
        world.file("s.sql", "select household_id, amount_usd from transfer").file("s.toml", SNAPSHOT);
        let record = world.run().await;
        assert_eq!(record.status, RunStatus::Failed);
        let what = record.failure.unwrap().message;
        assert!(what.contains("does not identify a row") && what.contains("household_id h1, rows 2"), "{what}");
        assert!(world.lake.current().await.unwrap().unwrap().models.is_empty());
        let timed = format!("{SNAPSHOT}updated_at = \"at\"\n");
        world.file("s.sql", "select household_id, case when amount_usd > 1 then sent_at end as at from transfer where sent_at <> timestamp '2024-01-02 05:00:00'");
        world.file("s.toml", &timed);
        let what = world.run().await.failure.unwrap().message;
        assert!(what.contains("`updated_at` is NULL") && what.contains("household_id h2"), "{what}");
    });
}

#[test]
fn a_state_that_is_older_than_the_known_one_says_nothing_new() {
    blocking(async {
        let mut world = World::new();
        let timed = format!("{SNAPSHOT}updated_at = \"sent_at\"\n");
        world.file("s.sql", "select household_id, sent_at, amount_usd from transfer").file("s.toml", &timed);
        for (vintage, day, amount) in [("2024-02-01", 10, 1.0), ("2024-03-01", 5, 7.0), ("2024-04-01", 12, 2.0)] {
            world.transfers("a", vintage, &[(day, "h", amount)]).await;
            world.ran().await;
        }
        let history =
            "select amount_usd, cast(valid_from as date) as first, cast(valid_to as date) as last from s order by 2";
        assert_eq!(world.rows(history).await, ["1.0 2024-01-11 2024-01-13", "2.0 2024-01-13 NULL"]);
    });
}

/// `a` reads nothing of `b`: its test does.
#[test]
fn a_test_waits_for_the_models_that_it_reads_and_is_asked_again_when_they_change() {
    blocking(async {
        let mut world = World::new();
        world.file("z.sql", "select 1 as x union all select 2");
        world.file("a.sql", "select 1 as x union all select 2");
        world.file(
            "a.toml",
            "[[test]]\nrow_count = { same_as = \"z\" }\n[[test]]\ncolumn = \"x\"\nrelationships = \"model.z.x\"\n",
        );
        world.options.jobs = 2;
        assert_eq!(world.ran().await, ["z: published (new)", "a: published (new)"]);
        assert_eq!(world.ran().await, ["z: unchanged (unchanged)", "a: unchanged (unchanged)"]);
        world.file("z.sql", "select 1 as x");
        let record = world.run().await;
        let failure = record.failure.unwrap();
        assert_eq!((failure.model.as_str(), failure.step.as_str()), ("a", "test"));
        assert_eq!(
            record.models.iter().map(|m| m.status).collect::<Vec<_>>(),
            [ModelStatus::Published, ModelStatus::Failed]
        );
        // A circle through tests is one.
        world.file("z.toml", "[[test]]\nrow_count = { same_as = \"model.a\" }\n");
        let problems = world.problems().await;
        assert!(problems.iter().any(|p| p.to_string().contains("->")), "{problems:?}");
    });
}

#[test]
fn what_tests_ask_is_looked_at_before_anything_runs() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select 1 as x");
        world.file("a.toml", "[[test]]\nexpression = \"x >\"\n[[test]]\nrow_count = { same_as = \"model.nix\" }\n[[test]]\ncolumn = \"x\"\nrelationships = \"lake.contry.iso3\"\n");
        let problems: Vec<String> = world.problems().await.iter().map(ToString::to_string).collect();
        for part in ["asks `select 1 from model.a where (x >)`", "nix", "contry"] {
            assert!(problems.iter().any(|p| p.contains(part)), "{part}: {problems:?}");
        }
    });
}

/// A publisher that stops changes nothing, and that is the point.
#[test]
fn inputs_grow_old_though_nothing_changes() {
    blocking(async {
        let mut world = World::new();
        world.transfers("a", "2024-01-01", &[(1, "h", 1.0)]).await;
        world.file("f.sql", "select count(*) as n from transfer");
        world.file("f.toml", "[[freshness]]\ntable = \"transfer\"\nmax_age = \"1000 days\"\n");
        world.options.now = "2024-06-01T00:00:00Z".parse().unwrap();
        world.ran().await;
        world.options.now = "2027-06-01T00:00:00Z".parse().unwrap();
        let record = world.run().await;
        assert_eq!(record.status, RunStatus::Failed);
        assert!(record.failure.unwrap().message.contains("1247 days old"));
    });
}

#[test]
fn exports_that_are_gone_or_laid_out_otherwise_are_written_again() {
    blocking(async {
        let mut world = World::new();
        let target = tempfile::tempdir().unwrap();
        let file = target.path().join("a.csv");
        let toml = |more: &str| {
            format!("partition_by = [\"x\"]\n[[export]]\ntarget = {:?}\nformat = \"csv\"\n{more}", target.path())
        };
        world.file("a.sql", "select 1 as x union all select 2").file("a.toml", &toml(""));
        world.ran().await;
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        world.ran().await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        std::fs::write(&file, "junk").unwrap();
        world.ran().await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        world.file("a.toml", &toml("partitioned = true\n"));
        world.ran().await;
        assert!(target.path().join("a").is_dir() && !file.exists());
        let twice = toml(&format!("[[export]]\ntarget = {:?}\nformat = \"csv\"\n", target.path()));
        world.file("a.toml", &twice);
        assert!(world.problems().await[0].to_string().contains("two exports go to"));
    });
}

#[test]
fn what_an_incremental_model_follows_is_there() {
    blocking(async {
        let mut world = World::new();
        let sql = "select date_trunc('month', sent_at) as month, count(*) as n from transfer group by 1";
        let toml = |input: &str, time: &str| {
            format!(
                "materialisation = \"incremental\"\n[incremental]\ninput = \"{input}\"\ntime = \"{time}\"\ncolumn = \"month\"\n"
            )
        };
        for (input, time, part) in
            [("transferr", "sent_at", "did you mean `lake.transfer`"), ("transfer", "sentat", "sentat")]
        {
            world.file("m.sql", sql).file("m.toml", &toml(input, time));
            let problems = world.problems().await;
            assert!(problems.iter().any(|p| p.to_string().contains(part)), "{problems:?}");
        }
    });
}

#[test]
fn columns_of_tests_and_values_of_vars_are_as_they_are_written() {
    blocking(async {
        let mut world = World::new();
        world.file("a.sql", "select '{{ var('code') }}' as \"Big Name\", {{ var('n') }} as \"select\"");
        world.file("a.toml", "[[test]]\nnot_null = [\"Big Name\", \"select\"]\n[[test]]\nunique = [\"Big Name\"]\n[[test]]\ncolumn = \"Big Name\"\naccepted_values = [\"00012\"]\n");
        world.options.vars = [("code".to_owned(), "00012".to_owned()), ("n".to_owned(), "7".to_owned())].into();
        world.ran().await;
        assert_eq!(world.rows("select * from a").await, ["00012 7"]);
    });
}
