//! Measures give the same however the rows come: order, partitions, batch size, groups.

use crate::lakes::{blocking, rows, sample_lake, session};

/// Calls over columns y (zero and ties among them), z, w and g.
const CALLS: [&str; 58] = [
    "gini(y, w)",
    "gini(y, corrected => true)",
    "approx_gini(y, w)",
    "ge(y, 2, w)",
    "theil_t(y + 1, w)",
    "theil_l(y + 1, w)",
    "atkinson(y + 1, 2, w)",
    "hoover(y, w)",
    "quantile(y, 0.3, w)",
    "lorenz(y, 0.37, w)",
    "quantile_share(y, 0.2, 0.7, w)",
    "palma(y, w)",
    "s80_s20(y, w)",
    "s80_s20(y, w, 'eurostat')",
    "fgt(y, 300, 1.5, w)",
    "fgt(y, relative(0.6, 'median'), 2, w)",
    "poverty_headcount(y, z, w)",
    "watts(y + 1, z, w)",
    "sen(y, 300, w)",
    "sst(y, z, w)",
    "concentration(z, y, w)",
    "kakwani(z, y, w)",
    "reynolds_smolensky(y, y + z, w)",
    "reranking(y, y + z, w)",
    "(gini_by_source(y + z, {y: y, z: z}, w))[2]['share']",
    "hhi(y)",
    "top_share(y, 20)",
    "wb_sum(n, w)",
    "wb_wavg(n, w)",
    "wb_median(n)",
    "coverage(n, w)",
    "(svy_mean(y, w, g, c))['se']",
    "(svy_gini(y, w, g, c))['se']",
    "(svy_gini_difference(y, z, w, g, c))['se']",
    "(poverty_with_without(y + z, z, 1.5, 300, w, g, c))[3]['se']",
    "(svy_gini(y, w, g, c, method => 'jackknife'))['se']",
    "(svy_fgt(y, 300, 1, w, g, c, method => 'bootstrap', replicates => 50, seed => 3))['se']",
    "s_gini(y, 2.7, w)",
    "kolm(y, 0.002, w)",
    "zenga(y, w)",
    "zenga(y, w, 'lines')",
    "relative_median_poverty_gap(y, relative(0.6, 'median'), w)",
    "(svy_lorenz(y, 0.37, w, g, c))['se']",
    "(svy_s80_s20(y, w, g, c, shares => 'eurostat'))['se']",
    "(svy_zenga(y, w, g, c))['se']",
    "(svy_gini_by_source(y + z, {y: y, z: z}, w, g, c))[9]['se']",
    "(svy_ge_decomposition(y + 1, i % 3, 0, w, g, c))[2]['se']",
    "(logit(i % 7 < 3, {y: y, z: z}, w))[2]['se']",
    "(ipw_att(n, i % 7 < 3, {y: y, z: z}, w))['se']",
    "(psm_att(z, i % 7 < 3, {y: y}, w))['se']",
    "(regression_att(z, i % 7 < 3, {y: y, w: w}, w))['se']",
    "(ols(y, {z: z, w: w}, w, robust => true))[2]['se']",
    "(transfer_effect(y + u, u, 1.5, 300, w, 2, g, c))[7]['se']",
    "(transfer_effect(y + u, u, 1.5, relative(0.6, 'median'), w, z, c, captured => 0.4, cell => g % 2))[22]['se']",
    "(transfer_effect(y + u, u, 1.5, z, w, z, captured => 1.5, method => 'bootstrap', replicates => 11))[29]['se']",
    "(transfer_effect(y + u, u, 1.5, 300, w, 2, g, c, method => 'jackknife'))[8]['se']",
    "corr(y, z)",
    "regr_slope(y, z)",
];

/// Made up, from the number of the row: the same rows in every session.
fn table(order: &str) -> String {
    format!(
        "create table t as select * from (select value as i, \
         case when value % 41 = 0 then 0.0 else cast((value * 7919) % 1009 as double) end as y, \
         100.0 + (value * 104729) % 613 as z, \
         greatest(0.0, (value * 15485863) % 401 - 250.0) as u, 0.1 + ((value * 31) % 97) / 7.0 as w, \
         case when value % 13 = 0 then null else cast(value % 311 as double) end as n, \
         value % 5 as g, value % 60 as c from range(1, 3001)) order by {order}"
    )
}

/// Answers without groups, and of each of five groups.
fn answers(threads: &str, batch: usize, order: &'static str) -> Vec<Vec<String>> {
    let threads = threads.to_owned();
    blocking(async move {
        let session = session(sample_lake(), &[("runtime.threads", threads.as_str())]).await;
        rows(&session, &format!("set datafusion.execution.batch_size = {batch}")).await;
        rows(&session, &table(order)).await;
        let mut all = Vec::new();
        for calls in CALLS.chunks(9) {
            // Columns of the same name would be one: each call is a statement's column of its own.
            let columns: Vec<String> = calls.iter().enumerate().map(|(n, c)| format!("{c} as c{n}")).collect();
            all.extend(rows(&session, &format!("select {} from t", columns.join(", "))).await);
            let grouped = columns.iter().map(|c| c.replace("w, g, c)", "w, c % 3, c)")).collect::<Vec<_>>().join(", ");
            all.extend(rows(&session, &format!("select {grouped} from t group by g order by g")).await);
            // All rows in one group are all rows.
            let one = rows(&session, &format!("select {} from t group by g * 0", columns.join(", "))).await;
            all.extend(one);
        }
        all
    })
}

fn same(left: &[Vec<String>], right: &[Vec<String>], what: &str) {
    assert_eq!(left.len(), right.len());
    for (row, (a, b)) in left.iter().zip(right).enumerate() {
        for (column, (a, b)) in a.iter().zip(b).enumerate() {
            let call = CALLS.get(row / 7 * 9 + column).copied().unwrap_or_default();
            let close = match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
                _ => a == b,
            };
            assert!(close, "{what}: {call} (row {row}): {a} {b}");
        }
    }
}

#[test]
fn measures_do_not_depend_on_the_split() {
    let plain = answers("1", 8192, "i");
    assert!(plain.iter().flatten().all(|c| c.parse::<f64>().is_ok()), "a measure gave nothing: {plain:?}");
    for (at, ungrouped) in plain.iter().enumerate().step_by(7) {
        // Seven rows a statement: ungrouped, five groups, all rows as one group.
        let one = plain.get(at + 6).unwrap();
        same(std::slice::from_ref(ungrouped), std::slice::from_ref(one), &format!("one group, statement {}", at / 7));
    }
    for (threads, batch, order) in
        [("8", 8192, "i"), ("1", 7, "i"), ("8", 7, "y desc, i"), ("8", 100, "(i * 7907) % 3001")]
    {
        same(&plain, &answers(threads, batch, order), &format!("{threads} threads, batches of {batch}, by {order}"));
    }
}
