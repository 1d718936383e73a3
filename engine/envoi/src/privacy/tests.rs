//! Marts over households, as the program's own: what they compute of a household is free,
//! what comes out of them is not.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::util::display::array_value_to_string;
use envoi_lake::{Lake, import};

use super::{DisclosureRules, Role};
use crate::{Config, Session};

const MAPPING: &str = r#"
id = "invented.marts"
importer = "household_survey"
provider = "Nobody"
dataset = "Invented households"
description = "Invented households for tests"
licence = "CC0"
citation = "envoi, invented, {vintage}"

[settings]
survey_id = "ton_2015"
iso3 = "TON"
year = 2015
currency = "TOP"
months = 6
vintage = "2016-05-01"
households = "households"

[settings.files.households]
key = ["hhid"]

[settings.columns]
weight = "weight"
size_persons = "persons"
region = "island"

[settings.amounts]
income_total = { amount = "income" }
remittance = { amount = "remit" }
"#;

/// 300 households in regions `A`, `B` and `C`, of which `C` has 5.
async fn lake(folder: &Path) -> Lake {
    let mut text = "hhid,island,weight,persons,income,remit\n".to_owned();
    for household in 0..300u32 {
        let mixed = household.wrapping_mul(2_654_435_761) >> 7;
        let region = if household < 5 { "C" } else { ["A", "B"][(household % 2) as usize] };
        let remit = if mixed % 4 == 0 { mixed % 900 } else { 0 };
        writeln!(text, "{household},{region},{},{},{},{remit}", 10 + mixed % 50, 1 + mixed % 6, 1000 + mixed % 7919)
            .unwrap();
    }
    let file = folder.join("households.csv");
    std::fs::write(&file, text).unwrap();
    let lake = Lake::open(&folder.join("lake").display().to_string()).unwrap();
    let mappings = vec![Arc::new(import::mapping(MAPPING, "survey.toml").unwrap())];
    let options = import::Options { mappings, ..import::Options::default() };
    import::import(&lake, &[file], &options, &|_| {}).await.unwrap();
    lake
}

/// One row a family, with steps that no reader may write.
const FAMILY: &str = "
    with income as (
        select survey_id, household_id, region, weight, size_persons,
            income_total * (12 / months) as household_income_lcu,
            (income_total - remittance) * (12 / months) / size_persons as income_without_lcu,
            remittance * (12 / months) as remittance_lcu
        from lake.household
    ),
    bound as (
        select survey_id, quantile(income_without_lcu, [0.2, 0.4, 0.6, 0.8], weight * size_persons) as upper
        from income group by survey_id
    )
    select income.survey_id, income.household_id, income.region, income.weight, income.size_persons,
        1 + case when income.income_without_lcu > bound.upper[1] then 1 else 0 end
          + case when income.income_without_lcu > bound.upper[2] then 1 else 0 end
          + case when income.income_without_lcu > bound.upper[3] then 1 else 0 end
          + case when income.income_without_lcu > bound.upper[4] then 1 else 0 end as quintile,
        income.remittance_lcu > 0 as receives,
        income.remittance_lcu, income.household_income_lcu, income.income_without_lcu
    from income left join bound on income.survey_id = bound.survey_id";

/// Families in groups of several kinds.
const EFFECT: &str = "
    with grouped as (
        select family.*, 'all' as group_kind, 'all' as group_name from family
        union all
        select family.*, 'region' as group_kind, region as group_name from family where region is not null
        union all
        select family.*, 'quintile' as group_kind, cast(quintile as varchar) as group_name from family
    )
    select survey_id, group_kind, group_name, count(*) as households, sum(weight) as weight,
        sum(case when receives then weight else 0 end) / sum(weight) as receiving_share,
        fgt(income_without_lcu, 3000, 0, weight * size_persons) as headcount,
        gini(income_without_lcu, weight * size_persons) as gini
    from grouped where weight > 0 group by survey_id, group_kind, group_name";

async fn session(lake: &Lake, role: Option<&Role>) -> Session {
    let flags = vec![("lake.url", lake.store().label(), "--lake")];
    let config = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap();
    let factory = crate::open(&config).await.unwrap();
    let session = match role {
        Some(role) => factory.reader(role).await.unwrap(),
        None => factory.owner().await.unwrap(),
    };
    session.mart("family", FAMILY).await.unwrap();
    session.mart("effect", EFFECT).await.unwrap();
    session
}

async fn rows(session: &Session, sql: &str) -> crate::Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for batch in session.run(sql).await?.collect().await? {
        for row in 0..batch.num_rows() {
            let cell = |c: &ArrayRef| array_value_to_string(c, row).unwrap();
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    Ok(rows)
}

#[test]
fn marts_of_households_are_aggregated_like_the_table() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let lake = lake(folder.path()).await;
        let role = || Role::new("analyst", DisclosureRules::default()).unwrap();
        let (owner, reader) = (session(&lake, None).await, session(&lake, Some(&role())).await);
        for sql in [
            "select * from family",
            "select household_id from family",
            "select quintile from family",
            "select count(*) from family where income_without_lcu > 3001.5",
            "select count(*) from family group by household_id",
            "select count(*) from family a join family b on a.quintile = b.quintile",
            "select count(*) from family where household_id in (select household_id from family)",
        ] {
            let error = rows(&reader, sql).await.expect_err(sql);
            assert!(error.to_string().contains("households are not shown one by one"), "{sql}: {error}");
        }
        let sql =
            "select quintile, receives, count(*), sum(weight * remittance_lcu) from family group by 1, 2 order by 1, 2";
        let all = rows(&owner, sql).await.unwrap();
        for row in rows(&reader, sql).await.unwrap() {
            let same = all.iter().find(|other| other[..2] == row[..2]).unwrap();
            assert!(row.iter().zip(same).all(|(mine, theirs)| mine.is_empty() || mine == theirs), "{row:?}, {same:?}");
            assert!(same[2].parse::<u64>().unwrap() >= 10, "{row:?}");
        }
        let sql = "select * from effect order by group_kind, group_name";
        let all = rows(&owner, sql).await.unwrap();
        assert_eq!(all.len(), 1 + 3 + 5);
        let seen = rows(&session(&lake, Some(&role())).await, sql).await.unwrap();
        // Region `C` has 5 households: it is left out, and what would give it back is hidden.
        assert_eq!(seen.len(), 8);
        let of = |kind: &str, name: &str| seen.iter().find(|r| r[1] == kind && r[2] == name).unwrap().clone();
        assert_eq!(of("all", "all")[3..6], all[0][3..6]);
        assert_eq!(seen.iter().filter(|r| r[1] == "region" && r[3].is_empty()).count(), 1);
        let hidden = seen.iter().flatten().filter(|cell| cell.is_empty()).count();
        assert!(hidden < 15, "{seen:?}");
        let sql = "select group_name, households from effect where group_kind = 'region' and households < 10";
        assert_eq!(rows(&reader, sql).await.unwrap().len(), 0);
    });
}
