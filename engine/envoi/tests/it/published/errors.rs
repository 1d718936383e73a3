//! How the standard errors of figures are asked for.

use super::questions::{Expected, Question, parameter};

/// A design: the table, and its arguments after the weight.
struct Design {
    from: &'static str,
    y: String,
    w: &'static str,
    rest: &'static str,
    domain: String,
}

/// The column with a figure's standard error, and the table it is asked of.
pub(super) fn error(e: &Expected) -> Option<(String, String)> {
    let design = match e.dataset.as_str() {
        "eusilc_persons" => {
            let parts: Vec<String> = e
                .subset
                .split(';')
                .filter_map(|part| match part {
                    "all" => None,
                    "y>0" => Some("y > 0".to_owned()),
                    other => other.split_once('=').map(|(column, value)| format!("{column} = '{value}'")),
                })
                .collect();
            let domain = if parts.is_empty() { "true".to_owned() } else { parts.join(" and ") };
            Design { from: "from persons", y: "y".to_owned(), w: "w", rest: "db040, rb030, null", domain }
        }
        "enigh2012" => {
            let (y, w, domain) = match e.subset.as_str() {
                "pc" | "pc_without" => (e.subset.as_str(), "persons", "true".to_owned()),
                "pc;y>0" => ("pc", "persons", "pc > 0".to_owned()),
                "pc_without;y>0" => ("pc_without", "persons", "pc_without > 0".to_owned()),
                "household weight" if e.params.starts_with("receives") => ("receives", "factor_viv", "true".to_owned()),
                "household weight" => ("remittances", "factor_viv", "true".to_owned()),
                other => {
                    let entity = other.strip_prefix("entity=")?.trim_start_matches('0');
                    ("receives", "factor_viv", format!("cast(entity as bigint) = {entity}"))
                }
            };
            Design { from: "from enigh", y: y.to_owned(), w, rest: "est_dis, upm, null", domain }
        }
        api if api.starts_with("api") => {
            let from = if api.starts_with("apistrat") { "from apistrat" } else { "from apiclus1" };
            let rest = match api {
                "apistrat(fpc)" => "stype, null, fpc",
                "apistrat(no fpc)" => "stype, null, null",
                // Replicates of this design do not know its finite population.
                "apiclus1(fpc)" if e.statistic.ends_with("jackknife") => "null, dnum, null",
                "apiclus1(fpc)" => "null, dnum, fpc",
                _ => return None,
            };
            let y = e.params.split(['/', ',']).next()?.to_owned();
            let domain = match e.subset.strip_prefix("stype=") {
                Some(stype) => format!("stype = '{stype}'"),
                None => "true".to_owned(),
            };
            Design { from, y, w: "pw", rest, domain }
        }
        _ => return None,
    };
    Some((design.from.to_owned(), call(e, &design)?))
}

fn call(e: &Expected, design: &Design) -> Option<String> {
    let of = |name: &str| parameter(&e.params, name);
    let Design { y, w, rest, domain, .. } = design;
    let tail = format!("{w}, {rest}, {domain}");
    let line = match of("line") {
        Some("0.6*median") | None => "relative(0.6, 'median')",
        Some("0.5*mean") => "relative(0.5, 'mean')",
        Some(number) => number,
    };
    let call = match e.statistic.as_str() {
        "mean_jackknife" => format!("svy_mean({y}, {tail}, method => 'jackknife')"),
        "mean" | "design_effect" => format!("svy_mean({y}, {tail})"),
        "total" => format!("svy_total({y}, {tail})"),
        "ratio" => {
            let (above, below) = match e.params.split_once('/')? {
                ("remittances", "total") => ("remittances", "total"),
                ("api00", "api99") => ("api00", "api99"),
                _ => return None,
            };
            format!("svy_ratio({above}, {below}, {tail})")
        }
        "gini" | "gini_midrank" => format!("svy_gini({y}, {tail})"),
        "gei" => format!("svy_ge({y}, {}, {tail})", of("alpha")?),
        "atkinson" => format!("svy_atkinson({y}, {}, {tail})", of("epsilon")?),
        "fgt" => format!("svy_fgt({y}, {line}, {}, {tail})", of("alpha")?),
        "at_risk_of_poverty" => format!("svy_fgt({y}, {line}, 0, {tail})"),
        "watts" => format!("svy_watts({y}, {line}, {tail})"),
        "quantile" => format!("svy_quantile({y}, {}, {tail})", of("p")?),
        "lorenz" => format!("svy_lorenz({y}, {}, {tail})", of("p")?),
        "lower_partial_sum" => format!("svy_lower_partial_sum({y}, {}, {tail})", of("p")?),
        "s80_s20" => format!("svy_s80_s20({y}, {tail}, shares => 'eurostat')"),
        "quantile_share_ratio" => {
            format!("svy_quantile_share_ratio({y}, {}, {}, {tail}, 'eurostat')", of("alpha1")?, of("alpha2")?)
        }
        // There values of zero or less are left out.
        "zenga" => format!("svy_zenga({y}, {w}, {rest}, {domain} and {y} > 0)"),
        "j_divergence" => format!("svy_j_divergence({y}, {tail})"),
        "relative_median_poverty_gap" => format!("svy_relative_median_poverty_gap({y}, {line}, {tail})"),
        part if part.starts_with("gei_decomposition") => {
            let place = place(part, &["total", "within", "between"])?;
            format!("svy_ge_decomposition({y}, {}, {}, {tail})[{place}]", of("by")?, of("alpha")?)
        }
        part if part.starts_with("fgt_decomposition") => {
            let place = place(part, &["fgt2", "fgt0", "fgt1", "igr", "gei"])?;
            format!("svy_fgt_decomposition({y}, {line}, {}, {tail})[{place}]", of("alpha")?)
        }
        "poverty_threshold" => format!("svy_quantile({y}, 0.5, {tail})"),
        _ => return None,
    };
    Some(call)
}

/// The place of the part named in brackets.
fn place(statistic: &str, parts: &[&str]) -> Option<usize> {
    let (_, part) = statistic.split_once('[')?;
    parts.iter().position(|p| part.starts_with(p)).map(|place| place + 1)
}

/// A jackknife of convey's Gini coefficient from replicates made in SQL: with them its ranks run over rows
/// and begin a person lower.
pub(super) fn replicated(e: &Expected) -> Option<Question> {
    let (from, h, c) = match e.dataset.as_str() {
        "apistrat(no fpc)" => ("apistrat", "stype", "snum"),
        "apiclus1(fpc)" => ("apiclus1", "'all'", "dnum"),
        _ => return None,
    };
    let y = &e.params;
    let gini = |w: &str| format!("gini(y, {w}) + (sum({w} * {w} * y) / sum({w} * y) - 1) / sum({w})");
    let sql = format!(
        "from (with t as (select {h} as h, {c} as c, cast({y} as double) as y, pw as w from {from}), \
         u as (select h, c, count(*) over (partition by h) as n from (select distinct h, c from t)), \
         v as (select u.h, u.c, (n - 1.0) / n as s, y, case when t.h <> u.h then w when t.c = u.c then 0.0 \
         else w * n / (n - 1.0) end as v from t cross join u), \
         r as (select h, c, min(s) as s, {} as g from v group by h, c) \
         select svy_replicate((select {} from t), array_agg(g order by h, c), 'JKn', scale => array_agg(s order by h, c)) as r from r)",
        gini("v"),
        gini("w")
    );
    let error = Some((sql.clone(), "r['se']".to_owned()));
    Some(Question { error, ..Question::new(sql, "r['estimate']") })
}

/// The question of a figure that only a survey's design answers.
pub(super) fn question(e: &Expected) -> Option<Question> {
    let (from, call) = error(e)?;
    let field = if e.statistic == "design_effect" { "deff" } else { "estimate" };
    Some(Question::new(from, format!("({call})['{field}']")))
}
