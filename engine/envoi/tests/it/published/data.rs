//! The files of the figures, and the data they were computed from as tables of a session.

use std::path::Path;

use super::questions::Expected;
use super::read;

/// All figures with the file they are in.
pub(super) fn expected(folder: &Path) -> Vec<(&'static str, Expected)> {
    let mut all = Vec::new();
    let files = [
        ("expected_eusilc.csv", ""),
        ("expected_ilocos.csv", ""),
        ("expected_enigh2012.csv", ""),
        ("expected_survey_calibration_ipw.csv", ""),
        ("expected_with_without.csv", "with_without"),
        ("expected_cyclicality.csv", "macrodata"),
    ];
    for (file, dataset) in files {
        for row in read(&folder.join(file)) {
            let text = |name: &str| row.get(name).cloned().unwrap_or_default();
            let named = text("dataset");
            all.push((
                file,
                Expected {
                    dataset: if named.is_empty() { dataset.to_owned() } else { named },
                    subset: text("subset"),
                    statistic: text("statistic"),
                    params: text("params"),
                    tool: text("tool"),
                    estimate: text("estimate").parse().ok(),
                    se: text("se").parse().ok(),
                },
            ));
        }
    }
    for row in read(&folder.join("expected_rpw.csv")) {
        let text = |name: &str| row.get(name).cloned().unwrap_or_default();
        let estimate = text("estimate_pct").parse().ok();
        let plain = |dataset: &str, subset, statistic| Expected {
            dataset: dataset.to_owned(),
            subset,
            statistic,
            params: String::new(),
            tool: String::new(),
            estimate,
            se: None,
        };
        all.push(("expected_rpw.csv", plain("rpw", text("corridor"), text("statistic"))));
    }
    for row in read(&folder.join("expected_aggregate.csv")) {
        let text = |name: &str| row.get(name).cloned().unwrap_or_default();
        let subset = format!("{} {}", text("grp"), text("year"));
        all.push((
            "expected_aggregate.csv",
            Expected {
                dataset: "aggregate".to_owned(),
                subset,
                statistic: text("statistic"),
                params: String::new(),
                tool: String::new(),
                estimate: text("estimate").parse().ok(),
                se: None,
            },
        ));
    }
    for row in read(&folder.join("expected_bilateral.csv")) {
        let text = |name: &str| row.get(name).cloned().unwrap_or_default();
        all.push((
            "expected_bilateral.csv",
            Expected {
                dataset: "bilateral".to_owned(),
                subset: format!("{} {}", text("origin"), text("destination")),
                statistic: text("rule"),
                params: text("beta"),
                tool: String::new(),
                estimate: text("flow_usd_mn").parse().ok(),
                se: None,
            },
        ));
    }
    all
}

/// Statements that make the tables.
pub(super) fn tables(folder: &Path) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        format!(
            "create table persons as select *, 0.6 * quantile(y, 0.5, w) over () as line60, \
             0.5 * sum(w * y) over () / sum(w) over () as line50 from \
             (select \"eqIncome\" as y, rb050 as w, db040, rb090, rb030 from '{}')",
            file("eusilc_persons.csv")
        ),
        format!("create table households as select *, \"eqSS\" as scale from '{}'", file("eusilc_households.csv")),
        format!(
            "create table ilocos as select income, \"AP.income\" as y, \"AP.weight\" as w from '{}'",
            file("ilocos.csv")
        ),
        format!(
            "create table enigh as select *, total / tot_resid as pc, (total - remittances) / tot_resid as pc_without, \
             factor_viv * tot_resid as persons, case when remittances > 0 then 1.0 else 0.0 end as receives from '{}'",
            file("enigh2012_households.csv")
        ),
        "create table enigh_pc as select labour / tot_resid as labour, \
         remittances / tot_resid as remittances, other / tot_resid as other, persons from enigh"
            .to_owned(),
        format!("create table apistrat as select * from '{}'", file("apistrat.csv")),
        format!("create table apiclus1 as select * from '{}'", file("apiclus1.csv")),
        format!(
            "create table lalonde as select *, {{age: age, educ: educ, married: married, nodegree: nodegree, re74: re74, \
             re75: re75}} as x, {{age: age, educ: educ, married: married, re74: re74, re75: re75}} as x5 from '{}'",
            file("lalonde.csv")
        ),
        format!("create table macrodata as select *, year * 4 + quarter as t from '{}'", file("macrodata.csv")),
        format!("create table services as select * from '{}'", file("rpw_services.csv")),
        format!("create table stock as select origin, destination, migrants from '{}'", file("bilateral_stock.csv")),
        format!("create table inflow as select origin, remittances_usd_mn from '{}'", file("bilateral_inflows.csv")),
        format!("create table income as select country, gni_pc_usd from '{}'", file("bilateral_income.csv")),
        format!("create table totals as select * from '{}'", file("aggregate_input.csv")),
        "create table family as select (total - remit) / scale as pre, total / scale as post, remit / scale as r, \
         db090 * hsize as w from households"
            .to_owned(),
    ]
}
