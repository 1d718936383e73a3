//! An incremental table equals one that is built whole, and the same inputs give the same bits.

use envoi::lake::lake::DataFile;
use proptest::prelude::*;

use crate::support::{Row, World, blocking};

const MONTHLY: &str =
    "materialisation = \"incremental\"\n[incremental]\ninput = \"transfer\"\ntime = \"sent_at\"\ncolumn = \"month\"\n";
const KEYED: &str = "materialisation = \"incremental\"\nsort = [\"household_id\"]\n[incremental]\ninput = \"transfer\"\nkey = [\"household_id\"]\n";

/// Models whose incremental tables are compared with tables of the same query.
fn models(world: &mut World) {
    let monthly = "select date_trunc('month', sent_at) as month, household_id, count(*) as n, sum(amount_usd) as usd, max(transfer_id) as last from transfer group by 1, 2";
    let top = "select date_trunc('month', sent_at) as month, transfer_id, row_number() over (partition by date_trunc('month', sent_at) order by amount_usd, transfer_id) as place from transfer";
    let keyed = "select household_id, count(*) as n, sum(amount_usd) as usd from transfer group by household_id";
    let over = "select month, sum(usd) as usd from monthly group by month";
    let follow = MONTHLY.replace("\"transfer\"", "\"monthly\"").replace("sent_at", "month");
    for (name, sql, toml) in
        [("monthly", monthly, MONTHLY), ("top", top, MONTHLY), ("keyed", keyed, KEYED), ("over", over, &follow)]
    {
        world.file(&format!("{name}.sql"), sql).file(&format!("{name}.toml"), toml);
        world.file(&format!("{name}_whole.sql"), &sql.replace("from monthly", "from monthly_whole"));
        let sort = if name == "keyed" { "sort = [\"household_id\"]\n" } else { "" };
        world.file(&format!("{name}_whole.toml"), sort);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Import { series: usize, vintage: u32, rows: Vec<(i32, usize, i32)> },
    Run,
    Backfill { from: u32, months: u32 },
    Broken,
}

fn step() -> impl Strategy<Value = Step> {
    let rows = prop::collection::vec((0..200i32, 0..5usize, -500..500i32), 0..8);
    prop_oneof![
        3 => (0..4usize, 1..4u32, rows).prop_map(|(series, vintage, rows)| Step::Import { series, vintage, rows }),
        3 => Just(Step::Run),
        1 => (1..6u32, 1..3u32).prop_map(|(from, months)| Step::Backfill { from, months }),
        1 => Just(Step::Broken),
    ]
}

const HOUSEHOLDS: [&str; 5] = ["h0", "h1", "h2", "h3", "h4"];
const SERIES: [&str; 4] = ["a", "b", "c", "d"];

async fn play(steps: &[Step]) {
    let mut world = World::new();
    models(&mut world);
    for step in steps {
        match step {
            Step::Import { series, vintage, rows } => {
                let rows: Vec<Row> =
                    rows.iter().map(|(day, h, usd)| (*day, HOUSEHOLDS[*h], f64::from(*usd) / 7.0)).collect();
                world.transfers(SERIES[*series], &format!("2024-0{vintage}-01"), &rows).await;
            }
            Step::Run => drop(world.ran().await),
            Step::Backfill { from, months } => {
                world.options.from = Some(format!("2024-0{from}-10").parse().unwrap());
                world.options.to = Some(format!("2024-0{}-10", from + months).parse().unwrap());
                world.ran().await;
                (world.options.from, world.options.to) = (None, None);
            }
            Step::Broken => {
                world.file("monthly.toml", &format!("{MONTHLY}[[test]]\nexpression = \"false\"\n"));
                world.run().await;
                world.file("monthly.toml", MONTHLY);
            }
        }
    }
    world.ran().await;
    for name in ["monthly", "top", "keyed", "over"] {
        let world_ref = &world;
        let sorted = |sql: String| async move {
            let mut rows = world_ref.rows(&sql).await;
            rows.sort();
            rows
        };
        let (found, whole) =
            (sorted(format!("select * from {name}")).await, sorted(format!("select * from {name}_whole")).await);
        assert_eq!(found, whole, "{name}");
    }
    world.is_sound().await;
    let before = sums(&world).await;
    world.options.full_refresh = true;
    world.ran().await;
    assert_eq!(sums(&world).await, before, "a full refresh gives other bits");
}

/// Checksums of all files of models, in order.
async fn sums(world: &World) -> Vec<(String, String, String)> {
    let of = |f: &DataFile| (f.table.clone(), f.series.clone(), f.sha256.clone());
    let manifest = world.manifest().await;
    let mut all: Vec<_> = manifest.files.iter().filter(|f| f.schema == "model").map(of).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_the_table_is_that_of_a_full_refresh(steps in prop::collection::vec(step(), 1..9)) {
        blocking(play(&steps));
    }
}

#[test]
fn the_same_inputs_give_the_same_bits() {
    blocking(async {
        let mut found = Vec::new();
        for (threads, order) in [(1, [0, 1, 2]), (2, [0, 1, 2]), (4, [2, 1, 0])] {
            let mut world = World::with_threads(threads);
            models(&mut world);
            for series in order {
                let rows: Vec<Row> =
                    (0..60).map(|i| (i * 3, HOUSEHOLDS[(i % 5) as usize], f64::from(i) / 7.0)).collect();
                world.transfers(SERIES[series], "2024-06-01", &rows).await;
            }
            world.ran().await;
            found.push(sums(&world).await);
        }
        assert_eq!(found[0], found[1]);
        assert_eq!(found[0], found[2]);
    });
}
