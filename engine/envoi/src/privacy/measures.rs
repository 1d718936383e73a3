//! Which aggregate functions readers may use on microdata, and what each takes from a household.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a function tells of the households of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// How many there are.
    Count,
    /// A sum of contributions, or a ratio of such sums.
    Sums,
    /// As `Sums`, of those below a poverty line: they and the others are cells of their own.
    Line,
    /// A value of one household, or one that is between two.
    Order,
    /// Nothing: which keys a row is grouped by.
    Grouping,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// A number of each household.
    Value,
    /// Its weight.
    Weight,
    /// What its weight is multiplied by in one of the distributions that are compared.
    Factor,
    /// A poverty line.
    Line,
    /// Stratum or sampling unit, of which the answer shows nothing.
    Design,
    /// True or false of each household.
    Domain,
    /// A number or word of the whole call.
    Constant,
}

const COUNTS: [&str; 2] = ["count", "regr_count"];
const SUMS: [&str; 48] = [
    "sum",
    "avg",
    "mean",
    "stddev",
    "stddev_samp",
    "stddev_pop",
    "var",
    "var_samp",
    "var_sample",
    "var_pop",
    "var_population",
    "corr",
    "covar",
    "covar_samp",
    "covar_pop",
    "regr_slope",
    "regr_intercept",
    "regr_r2",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_syy",
    "regr_sxy",
    "gini",
    "approx_gini",
    "atkinson",
    "ge",
    "theil_t",
    "theil_l",
    "hoover",
    "concentration",
    "kakwani",
    "reynolds_smolensky",
    "reranking",
    "gini_by_source",
    "svy_mean",
    "svy_total",
    "svy_ratio",
    "svy_gini",
    "svy_ge",
    "svy_mean_difference",
    "svy_gini_difference",
    "s_gini",
    "svy_s_gini",
    "j_divergence",
    "svy_j_divergence",
    "svy_hoover",
    "svy_concentration",
];
const LINES: [&str; 14] = [
    "transfer_effect",
    "fgt",
    "poverty_headcount",
    "poverty_gap",
    "poverty_severity",
    "sen",
    "sst",
    "watts",
    "svy_fgt",
    "svy_watts",
    "svy_fgt_difference",
    "poverty_with_without",
    "income_gap_ratio",
    "svy_income_gap_ratio",
];
const ORDERS: [&str; 18] = [
    "min",
    "max",
    "median",
    "percentile_cont",
    "quantile_cont",
    "approx_median",
    "approx_percentile_cont",
    "quantile",
    "svy_quantile",
    "quantile_share",
    "palma",
    "s80_s20",
    "lorenz",
    "generalised_lorenz",
    "svy_lorenz",
    "svy_quantile_share",
    "svy_palma",
    "svy_s80_s20",
];

/// What a function tells; `None` for one that readers may not use.
pub(super) fn kind(function: &str) -> Option<Kind> {
    match function {
        "grouping" => Some(Kind::Grouping),
        f if COUNTS.contains(&f) => Some(Kind::Count),
        f if SUMS.contains(&f) || f == "svy_atkinson" => Some(Kind::Sums),
        f if LINES.contains(&f) => Some(Kind::Line),
        f if ORDERS.contains(&f) => Some(Kind::Order),
        _ => None,
    }
}

/// The parameters of the measures, in their order.
static PARAMETERS: LazyLock<HashMap<String, Vec<String>>> =
    LazyLock::new(|| envoi_functions::all_named().into_iter().collect());

/// What the argument at a place is.
pub(super) fn argument(function: &str, place: usize) -> Argument {
    let Some(name) = PARAMETERS.get(function).and_then(|names| names.get(place)) else {
        // Of the engine's functions: the second argument of a percentile, and nothing else, is a constant.
        let percentile = function.contains("percentile") || function.contains("quantile");
        return if percentile && place > 0 { Argument::Constant } else { Argument::Value };
    };
    match name.as_str() {
        "w" | "n" | "proxy" => Argument::Weight,
        // It may be NULL of those who are counted, so it is no factor of every sum: `compared` has it.
        "without_factor" => Argument::Factor,
        "line" | "z" => Argument::Line,
        "stratum" | "psu" => Argument::Design,
        "domain" | "cell" | "subcell" => Argument::Domain,
        "y" | "x" | "r" | "s" | "pre" | "post" | "transfer" | "rank_by" | "total" | "sources" | "y_with"
        | "y_without" | "counterfactual" => Argument::Value,
        _ => Argument::Constant,
    }
}

/// The place of an argument.
pub(super) fn place(function: &str, name: &str) -> Option<usize> {
    PARAMETERS.get(function)?.iter().position(|parameter| parameter == name)
}

/// The least and greatest number that a constant may be: a high power, or a far quantile, is
/// the value of one household. `None` for a constant that is no such number.
pub(super) fn bounds(function: &str, place: usize) -> Option<(f64, f64)> {
    match PARAMETERS.get(function).and_then(|names| names.get(place)).map(String::as_str) {
        Some("alpha" | "epsilon") => Some((-3.0, 3.0)),
        // The extended Gini of a high parameter is about the poorest household alone.
        Some("v") => Some((1.0, 4.0)),
        Some("p" | "low" | "high") => Some((0.0, 1.0)),
        Some(_) => None,
        None => (argument(function, place) == Argument::Constant).then_some((0.0, 1.0)),
    }
}

/// The smallest tail of the population that a function looks at beside those its arguments name.
pub(super) fn tail(function: &str) -> f64 {
    match function {
        "palma" | "svy_palma" => 0.1,
        "s80_s20" | "svy_s80_s20" => 0.2,
        _ => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measure that reads households and is of no list here would be refused without a reason.
    #[test]
    fn measures_are_sorted_by_what_they_tell() {
        let of_tables = [
            "cagr",
            "growth_ls",
            "interp_linear",
            "cyclicality",
            "hhi",
            "top_share",
            "smart_cost",
            "coverage",
            "wb_sum",
            "wb_median",
            "wb_wavg",
            "ge_decomposition",
            "growth_sd",
            "detrended_sd",
            "rosenbluth",
        ];
        // Models show single households by their residuals; Kolm's index of a large parameter and the
        // others come near the value of one household. Readers are refused them.
        let refused = [
            "kolm",
            "svy_kolm",
            "zenga",
            "svy_zenga",
            "lower_partial_sum",
            "svy_lower_partial_sum",
            "quantile_share_ratio",
            "svy_quantile_share_ratio",
            "relative_median_poverty_gap",
            "svy_relative_median_poverty_gap",
            "svy_fgt_decomposition",
            "svy_ge_decomposition",
            "svy_gini_by_source",
            "logit",
            "ols",
            "working_leser",
            "ipw_att",
            "ipw_ate",
            "ipw_balance",
            "psm_att",
            "regression_att",
        ];
        for (name, parameters) in envoi_functions::all_named() {
            let scalar = name == "svy_replicate";
            assert!(
                kind(&name).is_some()
                    || of_tables.contains(&name.as_str())
                    || refused.contains(&name.as_str())
                    || scalar,
                "{name}"
            );
            if kind(&name).is_some() {
                assert_eq!(argument(&name, 0), Argument::Value, "{name}: {parameters:?}");
                let lines = (0..parameters.len()).filter(|p| argument(&name, *p) == Argument::Line).count();
                assert_eq!(lines, usize::from(kind(&name) == Some(Kind::Line)), "{name}: {parameters:?}");
            }
        }
    }
}
