//! Attempts to learn of fewer than 10 households. None may succeed.

use envoi::Session;

use super::{ask, lake, owner, reader, refused, role, rows, session};
use crate::lakes::blocking;

/// Statements that must be refused, whatever was asked before.
const REFUSED: [&str; 94] = [
    // Rows, however they are dressed.
    "select * from household",
    "select household_id from household limit 1",
    "select income_total from household order by income_total desc limit 1",
    "table household",
    "with h as (select * from household) select h.income_total from h",
    "select * from (select region, income_total from household) limit 1",
    "select distinct income_total from household",
    "select distinct household_id from household",
    "select region, income_total from household group by region, income_total",
    "select count(*) from household group by household_id",
    "select psu, count(*) from household group by psu",
    "select stratum, count(*) from household group by stratum",
    "select count(*) from household group by survey_id || household_id",
    "select count(*) from household group by rollup(region, household_id)",
    "select unnest(array[income_total]) from household",
    "select unnest(array_agg(income_total)) from household",
    // Filters down to one.
    "select sum(income_total) from household where household_id = '7'",
    "select sum(income_total) from household where psu = 'urban-G'",
    "select sum(income_total) from household where income_total > 8000000",
    "select count(*) from household where income_total between 5000 and 5001",
    "select count(*) from household where income_total > (select avg(income_total) from household)",
    "select count(*) from household where income_total > 2.0001 * remittance",
    "select count(*) from household where weight = 77.5",
    "select count(*) from household where md5(household_id) like 'a%'",
    "select count(*) from household where income_total::text like '1%'",
    "select count(*) from household where random() < 0.01",
    "select count(*) filter (where income_total > 5000) from household",
    "select avg(income_total) filter (where household_id = '7') from household",
    "select count(*) from (select * from household limit 11)",
    "select count(*) from (select * from household order by income_total limit 11)",
    "select count(*) from (select * from household offset 690)",
    // Conditions inside a sum.
    "select sum(case when income_total > 5000 then 1 else 0 end) from household",
    "select sum(case when household_id = '7' then income_total else 0 end) from household",
    "select sum(case when region = 'G' then 1 else 2 end) from household",
    "select sum(1000000 * case when region = 'G' then income_total else 0 end + income_total) from household",
    "select sum(case when region = 'G' then income_total when region = 'A' then 3 * income_total else 0 end) from household",
    "select sum((income_total > 5000)::int) from household",
    "select sum(nullif(income_total > 5000, true)::int) from household",
    "select sum(greatest(income_total - 5000, 0)) from household",
    "select sum(round(income_total / 10000)) from household",
    "select sum(power(income_total / 10000, 60)) from household",
    "select sum(income_total / (income_total - 5000.000001)) from household",
    "select sum(y * y * y * y * y) from (select income_total * income_total as y from household)",
    "select sum(sign(income_total - 5000)) from household",
    // Errors and casts that depend on one.
    "select sum(1 / (income_total - 5000)::int) from household",
    "select sum(income_total::int) from household",
    "select count(*) from household where region::int > 0",
    "select sum(case when region = 'G' then 1/0 else 0 end) from household where household_id = '1'",
    "select count(arrow_cast(household_id, 'Int8')) from household",
    // Unions, joins, windows, correlation.
    "select sum(weight) from (select weight from household union all select weight from household where region = 'G')",
    "select count(*) from (select region from household union select region from household)",
    "select count(*) from household h, (values ('G', 1), ('A', 1000000)) t(r, f) where h.region = t.r",
    "select sum(f) from household h, (values ('G', 1)) t(r, f) where h.region || t.r = 'GG' or h.region || t.r = 'AG'",
    "select sum(f * weight) from household h, (values ('G', 1)) t(r, f) where (t.r = 'G' and region = 'G') or (t.r = 'A' and region = 'A')",
    "select sum(case when h.region = t.r then f end) from household h cross join (values ('G', 1)) t(r, f)",
    "select count(*) from household h left join (values ('G', 1)) t(r, f) on h.region = t.r and t.f = 1",
    "select count(*) from household h where exists (select 1 from country c where c.iso3 = h.iso3 and h.weight > 60)",
    "select c.iso3, l.n from country c, lateral (select count(*) n from household h where h.iso3 = c.iso3 and h.weight > 60) l",
    "select count(*) from household h semi join country c on h.region = c.iso3",
    "select count(*) from household full join country on true",
    "select sum(a.income_total) from household a join household b on a.survey_id = b.survey_id",
    "select count(*) from household h join (values ('G', 1), ('A', 1000000)) t(r, f) on h.region = t.r",
    "select sum(f * weight) from household h join (values ('G', 1), ('A', 1000000)) t(r, f) on h.region = t.r",
    "select h.region, (select sum(weight) from household x where x.income_total = h.income_total) from household h",
    "select t.v, (select count(*) from household h where h.income_total > t.v) from (values (5000), (5001)) t(v)",
    "select v from (values ('7')) t(v) where exists (select 1 from household h where h.household_id = t.v)",
    "select v.a from household h cross join lateral (values (h.income_total), (h.remittance)) v(a)",
    "select sum(v.a) from household h cross join lateral (select case when h.weight > 60 then h.income_total end) v(a)",
    "select l.n, count(*) from household h cross join lateral (select count(*) n from country c where c.iso3 = h.iso3 and h.weight > 60) l group by l.n",
    "select sum(h.income_total * l.n) from household h join lateral (select count(*) n from country c where h.weight > 60) l on true",
    "select percentile_disc(0.5) within group (order by income_total) from household",
    // Of the few sizes that a condition leaves, sums would tell how many households have each.
    "select sum(size_persons), count(*) from household where size_persons > 5",
    "select sum(income_total * size_persons), sum(income_total) from household where size_persons >= 6 and urban",
    "select sum(v) from (select income_total * size_persons as v, size_persons as s from household) where s between 5 and 8",
    "select variance(size_persons) from household where size_persons in (6, 7)",
    "select sum(size_persons) filter (where size_persons > 5) from household",
    "select sum(case when size_persons > 5 then size_persons * income_total end) from household",
    "select sum(v) from (select weight * size_persons as v, case when size_persons > 5 then 'l' else 's' end as c from household) where c = 'l'",
    "select size_persons > 5, sum(weight * size_persons) from household group by 1",
    "select sum(income_total * size_persons * size_persons) from household",
    // Whether there is one.
    "select exists (select 1 from household h where h.household_id = '7')",
    "select exists (select 1 from household where income_total > 8000000)",
    "select v, exists (select 1 from household h where h.household_id = t.v) from (values ('7')) t(v)",
    "select v, v in (select household_id from household) from (values ('7')) t(v)",
    "select '7' in (select household_id from household)",
    "select v, v = any(select income_total from household) from (values (5000)) t(v)",
    "select v, (v, v) in (select household_id, household_id from household) from (values ('7')) t(v)",
    "select sum(case when weight in (select 77.5) then 1 else 0 end) from household",
    "select count(*) filter (where exists (select 1 from country c where c.iso3 = h.iso3 and h.weight > 60)) from household h",
    "select count(*) from household where (region, weight) in (select 'G', 77.5)",
    "select v from (values ('7')) t(v) where v in (select household_id from household)",
    "select (select income_total from household limit 1)",
    "select row_number() over (order by income_total), income_total from household",
    "select count(*) from (select ntile(500) over (partition by survey_id order by income_total) t from household) group by t",
];

#[test]
fn statements_that_single_out_are_refused() {
    blocking(async {
        let reader = reader().await;
        let mut answered = Vec::new();
        for sql in REFUSED {
            match ask(&reader, sql).await {
                Ok((rows, _)) => answered.push(format!("{sql}: answered {:?}", &rows[..rows.len().min(3)])),
                Err(e) if e.class() == envoi::Class::Internal => answered.push(format!("{sql}: {e}")),
                Err(_) => {}
            }
        }
        assert!(answered.is_empty(), "{}", answered.join("\n"));
        // Whatever names a table that may be of households.
        refused(&reader, "select count(*) from household for version as of 99999", "").await;
    });
}

async fn number(session: &Session, sql: &str) -> Option<f64> {
    // A group that is left out, and a statement that is refused, tell as little.
    let rows = ask(session, sql).await.ok()?.0;
    rows.first()?.first()?.parse().ok()
}

/// Asks each, and gives the sum of the answers with their signs; `None` if any is not shown.
async fn combined(session: &Session, terms: &[(f64, &str)]) -> Option<f64> {
    let mut sum = 0.0;
    for (times, sql) in terms {
        sum += times * number(session, sql).await?;
    }
    Some(sum)
}

const TON: &str = "from household where survey_id = 'ton_2015'";

/// Combinations of statements, each harmless, which give 1 to 9 households away together.
#[test]
fn differences_single_out_nobody() {
    blocking(async {
        let owner = owner().await;
        let q = |what: &str, rest: &str| format!("select {what} {TON} {rest}");
        for what in ["count(*)", "sum(weight)", "sum(income_total * weight)", "count(distinct household_id)"] {
            let attacks: Vec<Vec<(f64, String)>> = vec![
                // The small region itself.
                vec![(1.0, q(what, "and region = 'G'"))],
                vec![(1.0, q(what, "and region in ('G')"))],
                vec![(1.0, q(what, "and region like 'G%'"))],
                // The whole less all others; in either order.
                vec![(1.0, q(what, "")), (-1.0, q(what, "and region <> 'G'"))],
                vec![(-1.0, q(what, "and region <> 'G'")), (1.0, q(what, ""))],
                vec![(1.0, q(what, "")), (-1.0, q(what, "and not region = 'G'"))],
                vec![(1.0, q(what, "")), (-1.0, q(what, "and region < 'G'"))],
                vec![(1.0, q(what, "")), (-1.0, q(what, "and region in ('A', 'B', 'C', 'D', 'E', 'F')"))],
                // With a neighbour, and without.
                vec![(1.0, q(what, "and region in ('G', 'A')")), (-1.0, q(what, "and region = 'A'"))],
                vec![(1.0, q(what, "and region in ('F', 'G')")), (-1.0, q(what, "and region = 'F'"))],
                vec![
                    (1.0, q(what, "and region in ('A', 'G')")),
                    (1.0, q(what, "and region in ('B', 'C')")),
                    (-1.0, q(what, "and region in ('A', 'B', 'C')")),
                ],
                // Halves of the neighbour.
                vec![(1.0, q(what, "")), (-1.0, q(what, "and region < 'F'")), (-1.0, q(what, "and region = 'F'"))],
                // Through conditions that leave out few.
                vec![(1.0, q(what, "and region = 'E' and remittance > 0"))],
                vec![(1.0, q(what, "and region = 'E'")), (-1.0, q(what, "and region = 'E' and remittance = 0"))],
                vec![(1.0, q(what, "and region = 'E'")), (-1.0, q(what, "and region = 'E' and not (remittance > 0)"))],
            ];
            for attack in attacks {
                let terms: Vec<(f64, &str)> = attack.iter().map(|(t, s)| (*t, s.as_str())).collect();
                let truth = combined(&owner, &terms).await.unwrap();
                assert!(truth > 0.0, "{terms:?}: the attack is none");
                let got = combined(&reader().await, &terms).await;
                assert_eq!(got, None, "{terms:?}: {truth} is known");
            }
        }
    });
}

/// One statement with a small group in it, and what can be computed from its rows.
#[test]
fn no_answer_gives_its_own_gaps_away() {
    blocking(async {
        let reader = |_: ()| async { session(lake(), Some(&role())).await };
        // Totals beside their parts.
        for sql in [
            "select region, sum(weight) from household where survey_id = 'ton_2015' group by rollup(region)",
            "select region, sum(weight) from household where survey_id = 'ton_2015' group by grouping sets ((), (region))",
            "select region, sum(weight), grouping(region) from household where survey_id = 'ton_2015' group by rollup(region)",
            "select region, w from (select grouping(region) g, region, sum(weight) w, grouping(region, urban) from household \
             where survey_id = 'ton_2015' group by grouping sets ((), (region), (urban))) where g = 0 or region is null",
            "select region, sum(weight) from household where survey_id = 'ton_2015' group by region \
             union all select null, sum(weight) from household where survey_id = 'ton_2015'",
        ] {
            let seen = rows(&reader(()).await, sql).await;
            let total = seen.iter().find(|r| r[0] == "NULL").unwrap();
            let gaps = seen.iter().filter(|r| r[0] != "NULL" && r[1] == "NULL").count();
            assert!(total[1] == "NULL" || gaps == 1, "{sql}: {seen:?}");
            assert!(!seen.iter().any(|r| r[0] == "G"), "{sql}: {seen:?}");
        }
        // HAVING, ORDER BY, LIMIT and windows see no more than the cells do.
        let by = "from household where survey_id = 'ton_2015' group by region";
        for sql in [
            format!("select region, count(*) {by} having count(*) < 10"),
            format!("select region, count(*) {by} having region = 'G'"),
            format!("select region, count(*) c {by} order by c limit 1"),
            format!(
                "select region, sum(count(*)) over (order by region) - lag(sum(count(*)) over (order by region)) over (order by region) {by}"
            ),
        ] {
            if let Ok((seen, _)) = ask(&reader(()).await, &sql).await {
                assert!(!seen.iter().any(|r| r[0] == "G"), "{sql}: {seen:?}");
                assert!(
                    !seen.iter().any(|r| r[1].parse::<f64>().is_ok_and(|n| n > 0.0 && n < 10.0)),
                    "{sql}: {seen:?}"
                );
            }
        }
        let sql = format!("select coalesce(count(*), 4), count(*) is null, region {by}");
        let seen = rows(&reader(()).await, &sql).await;
        assert!(seen.iter().any(|r| r[1] == "true"), "what is hidden is NULL for what is above: {seen:?}");
        // Below the first aggregate, and above: nested.
        let sql = "select min(c), max(c) from (select region, count(*) c from household where survey_id = 'ton_2015' group by region)";
        let seen = rows(&reader(()).await, sql).await;
        assert!(seen[0][0].parse::<u64>().unwrap() >= 10, "{seen:?}");
    });
}

/// The whole and its parts asked one by one, in any order, leave no few.
#[test]
fn parts_asked_one_by_one_leave_nobody() {
    blocking(async {
        let part = |condition: &str| format!("select sum(weight) {TON} and {condition}");
        let whole = format!("select sum(weight) {TON}");
        let regions: Vec<String> = ["A", "B", "C", "D", "E", "F"].map(|r| part(&format!("region = '{r}'"))).to_vec();
        let truth = number(&owner().await, &part("region = 'G'")).await.unwrap();
        let orders: Vec<Vec<&String>> = vec![
            std::iter::once(&whole).chain(&regions).collect(),
            regions.iter().chain([&whole]).collect(),
            regions.iter().rev().chain([&whole]).collect(),
            regions[3..].iter().chain([&whole]).chain(&regions[..3]).collect(),
        ];
        // Questions that cut across, to lead astray who keeps count.
        let across = [part("urban"), part("size_persons <= 3"), part("remittance > 0"), part("region in ('A', 'D')")];
        for first in [&across[..0], &across[..]] {
            for order in &orders {
                let reader = reader().await;
                for sql in first {
                    let _ = ask(&reader, sql).await;
                }
                let mut left = Some(0.0);
                for sql in order {
                    let sign = if *sql == &whole { 1.0 } else { -1.0 };
                    left = match (left, number(&reader, sql).await) {
                        (Some(left), Some(number)) => Some(left + sign * number),
                        _ => None,
                    };
                }
                assert_eq!(left, None, "{order:?}: {truth} is known");
            }
        }
        // By groups where they can be had, the rest one by one.
        let reader = reader().await;
        let mut known = std::collections::BTreeMap::new();
        let _ = number(&reader, &regions[5]).await.map(|n| known.insert("F".to_owned(), n));
        let total = number(&reader, &whole).await;
        for row in rows(&reader, &format!("select region, sum(weight) {TON} group by region")).await {
            let _ = row[1].parse::<f64>().map(|n| known.insert(row[0].clone(), n));
        }
        for (region, sql) in ["A", "B", "C", "D", "E", "F"].iter().zip(&regions) {
            let _ = number(&reader, sql).await.map(|n| known.insert((*region).to_owned(), n));
        }
        assert!(total.is_none() || known.len() < 6, "{known:?}");
    });
}

/// NULL works as a condition where it is added to something.
#[test]
fn missing_values_are_no_filter() {
    blocking(async {
        // Of 4 households the income from farms is not known.
        let attacks: [&[(f64, &str)]; 4] = [
            &[(1.0, "sum(income_total)"), (1.0, "sum(income_farm)"), (-1.0, "sum(income_total + income_farm)")],
            &[(1.0, "sum(weight)"), (-1.0, "sum(weight * (income_farm + 1) / (income_farm + 1))")],
            &[(1.0, "count(*)"), (-1.0, "count(income_farm)")],
            &[
                (1.0, "sum(income_total)"),
                (-1.0, "regr_avgx(income_farm, income_total) * regr_count(income_farm, income_total)"),
            ],
        ];
        for attack in attacks {
            let texts: Vec<(f64, String)> =
                attack.iter().map(|(times, what)| (*times, format!("select {what} {TON}"))).collect();
            let terms: Vec<(f64, &str)> = texts.iter().map(|(times, sql)| (*times, sql.as_str())).collect();
            assert!(combined(&owner().await, &terms).await.unwrap() > 0.0, "{attack:?}");
            assert_eq!(combined(&reader().await, &terms).await, None, "{attack:?}");
        }
    });
}

/// Poverty lines of the asker's choice are thresholds.
#[test]
fn poverty_lines_are_not_moved_past_one_household() {
    blocking(async {
        let owner = owner().await;
        let headcount = |line: f64| format!("select poverty_headcount(income_total, {line}, 1) * count(*) {TON}");
        let mut found = 0;
        let mut told = 0;
        for step in 0..40 {
            let (low, high) = (6_000.0 + f64::from(step) * 50.0, 6_000.0 + f64::from(step) * 50.0 + 20.0);
            let count = async |session: &Session| -> Option<f64> {
                Some(number(session, &headcount(high)).await? - number(session, &headcount(low)).await?)
            };
            let truth = count(&owner).await.unwrap().round();
            if !(1.0..10.0).contains(&truth) {
                continue;
            }
            found += 1;
            told += usize::from(count(&reader().await).await.is_some());
        }
        assert!(found > 3, "{found}");
        assert_eq!(told, 0, "of {found}");
    });
}

/// Lines of settings are the asker's choice as well, and so are shares by which remittances are scaled.
#[test]
fn poverty_lines_of_marts_are_not_moved_past_one_household() {
    blocking(async {
        let (owner, columns) = (owner().await, "headcount_with_survey, headcount_without_survey");
        let mart = format!("select {columns} from national_income_effect where survey_id = 'ton_2015'");
        let scaled = "select e['with'], e['without'] from (select unnest(transfer_effect(income_total, remittance, \
             size_persons, 2000, weight, size_persons, captured => CAPTURED)) as e from household \
             where survey_id = 'ton_2015') where e['measure'] = 'headcount' and e['scale'] in ('amount', 'both') order by 1";
        let households = "select count(*) from household where survey_id = 'ton_2015' and income_total / size_persons \
             >= LOW and income_total / size_persons < HIGH";
        let (mut near, mut told, mut answered) = (0, 0, 0);
        for step in 0..6 {
            let (low, high) = (1_000.0 + f64::from(step) * 100.0, 1_000.0 + f64::from(step) * 100.0 + 10.0);
            let households = households.replace("LOW", &low.to_string()).replace("HIGH", &high.to_string());
            let between = number(&owner, &households).await.unwrap();
            if !(1.0..10.0).contains(&between) {
                continue;
            }
            near += 1;
            let reader = reader().await;
            let mut seen = Vec::new();
            for line in [low, high] {
                rows(&reader, &format!("set envoi.poverty_line = '{line} TOP a year'")).await;
                seen.push(rows(&reader, &mart).await);
            }
            answered += usize::from(seen.iter().any(|rows| rows.iter().flatten().all(|cell| cell != "NULL")));
            told += usize::from(seen.iter().all(|rows| rows.iter().flatten().all(|cell| cell != "NULL")));
        }
        assert!(near > 1 && answered == near, "{near} near, {answered} answered");
        assert_eq!(told, 0, "of {near}");

        let reader = reader().await;
        let poor = |power: &str, captured: f64| {
            format!("((income_total - remittance + remittance / {power}({captured})) / size_persons < 2000)")
        };
        let mut answered: Vec<f64> = Vec::new();
        for step in 0..40 {
            let captured = 0.3 + 0.002 * f64::from(step);
            let cells = rows(&reader, &scaled.replace("CAPTURED", &captured.to_string())).await;
            if cells.is_empty() || cells.iter().flatten().any(|cell| cell == "NULL") {
                continue;
            }
            for before in &answered {
                for power in ["", "sqrt"] {
                    let sql = format!(
                        "select count(*) from household where survey_id = 'ton_2015' and {} <> {}",
                        poor(power, *before),
                        poor(power, captured)
                    );
                    let between = number(&owner, &sql).await.unwrap();
                    assert!(!(1.0..10.0).contains(&between), "{before} and {captured}: {between} households");
                }
            }
            answered.push(captured);
        }
        assert!(!answered.is_empty() && answered.len() < 40, "{answered:?}");
    });
}

/// What two numbers differ by is a number too: of region `E` three households receive anything.
#[test]
fn differences_of_few_are_not_shown() {
    blocking(async {
        let of = "from household where survey_id = 'ton_2015' and region = 'E'";
        let mart = "from family_income where survey_id = 'ton_2015' and region = 'E'";
        for (all, less) in [
            (format!("select sum(income_total) {of}"), format!("select sum(income_total - remittance) {of}")),
            (
                format!("select sum(income_total * weight) {of}"),
                format!("select sum(y) from (select (income_total - coalesce(remittance, 0)) * weight as y {of}) as f"),
            ),
            (
                format!("select sum(household_income_lcu) {mart}"),
                format!("select sum(household_income_without_lcu) {mart}"),
            ),
            (
                format!("select sum(income_with_lcu * weight) {mart}"),
                format!("select sum(y * weight) from (select income_without_lcu as y, weight {mart}) as f"),
            ),
            (
                format!("select svy_mean_difference(income_total, income_total - remittance, weight)['estimate'] {of}"),
                format!("select svy_gini_difference(income_total, income_total - remittance, weight)['estimate'] {of}"),
            ),
        ] {
            let reader = reader().await;
            number(&owner().await, &all).await.unwrap();
            number(&owner().await, &less).await.unwrap();
            assert_eq!(number(&reader, &less).await, None, "{less}");
        }
        // Of many there is nothing to hide.
        let reader = reader().await;
        let any = "select count(*) from household where survey_id = 'ton_2015' and region = any(array['A', 'B'])";
        assert!(number(&reader, any).await.is_some());
        let sql = "select sum(income_total - remittance) from household where survey_id = 'ton_2015' and region = 'A'";
        assert!(number(&reader, sql).await.is_some());
        let effect = "select e['with'] from (select unnest(transfer_effect(income_total, remittance, size_persons, 1000000, \
             weight, size_persons)) as e from household where survey_id = 'ton_2015' and region = 'REGION') \
             where e['measure'] = 'mean'";
        assert_eq!(rows(&reader, &effect.replace("REGION", "E")).await, Vec::<Vec<String>>::new());
        assert_eq!(rows(&reader, &effect.replace("REGION", "A")).await.len(), 1);
    });
}

/// Three of region `E` receive remittances: no function of these, alone or in a sum, is shown.
#[test]
fn sums_are_taken_apart_wherever_they_stand() {
    blocking(async {
        let of = "from household where survey_id = 'ton_2015' and region = 'E'";
        let many = " + size_persons - size_persons".repeat(20);
        for call in [
            "fgt(remittance, 1000000, 1)",
            "income_gap_ratio(remittance, 1000000)",
            "watts(remittance + 1, 1000000)",
            "svy_fgt(income_total - remittance, 10000000, 1, weight)",
            "sum(remittance + 1000000)",
            "svy_mean(remittance + 1e6, weight)",
            "gini(remittance + 1e6)",
            "sum(income_total * size_persons * (1e6 + remittance))",
            "sum(income_total * (1 - remittance / income_total))",
            "sum(nullif(income_total - remittance, 0))",
            "sum(coalesce(nullif(income_total - coalesce(remittance, 0), 0), 0))",
            "sum(case when size_persons > 0 then income_total - remittance end)",
            "sum(case when size_persons > 0 then income_total - remittance else 0 end)",
            "sum(try_cast(income_total - remittance as double))",
            &format!("sum(income_total - remittance{many})"),
            "gini_by_source(income_total, named_struct('a', income_total - remittance, 'b', income_labour))",
            "svy_total(size_persons, income_total - remittance)",
            "svy_mean(income_total, income_total - remittance)",
            "svy_total(income_total - income_labour, income_total - remittance)",
            "fgt(income_total, 1e9, 1, income_total - remittance)",
            "sum(ln(income_total - remittance))",
            "sum(sqrt(income_total - remittance))",
            "median(income_total - remittance)",
            "sum(weight / (income_total - remittance))",
        ] {
            let sql = format!("select {call} is not null {of}");
            match ask(&reader().await, &sql).await {
                Ok((rows, _)) => assert_eq!(rows, [["false"]], "{call}"),
                Err(error) => assert!(error.to_string().contains("households"), "{call}: {error}"),
            }
        }
        let mart =
            "select fgt(remittance_lcu, 1e6, 1) from family_income where survey_id = 'ton_2015' and region = 'E'";
        assert_eq!(number(&reader().await, mart).await, None);
    });
}

/// A statement that fails tells that some household made it fail; how, and how often, is bounded.
#[test]
fn errors_tell_nothing_of_rows() {
    blocking(async {
        let reader = reader().await;
        let sql = format!("select theil_l(income_farm, weight) {TON}");
        let owners = ask(&owner().await, &sql).await.unwrap_err().to_string();
        for attempt in 0..7 {
            let error = ask(&reader, &sql).await.unwrap_err().to_string();
            assert_ne!(error, owners);
            let spent = attempt >= 5;
            assert_eq!(error.contains("which, and why, is not shown"), !spent, "{error}");
            assert_eq!(error.contains("fail while they ran"), spent, "{error}");
        }
    });
}

/// Answers from counts in files' footers would pass by the rule.
#[test]
fn statistics_of_files_are_no_way_around() {
    blocking(async {
        let reader = reader().await;
        for sql in [
            format!("select max(income_labour) {TON} and region = 'G'"),
            format!("select min(weight), max(weight) {TON} and region = 'F'"),
        ] {
            let seen = rows(&reader, &sql).await;
            assert!(seen.iter().flatten().all(|cell| cell == "NULL"), "{sql}: {seen:?}");
        }
        let sql = "select max(survey_year), min(region) from household";
        refused(&reader, sql, "households are not shown").await;
    });
}
