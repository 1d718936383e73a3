//! Sentences about families, the same in the terminal and on the page.

use super::family::{Effect, Family};
use super::format::{MISSING, bn, clean, number, pct, signed};

/// What must be said before any figure of these surveys; `None` for real ones alone.
pub(super) fn caveat(families: &[Family]) -> Option<String> {
    let invented: Vec<&Family> = families.iter().filter(|f| f.synthetic()).collect();
    let names = |of: &[&Family]| of.iter().map(|f| clean(&f.name)).collect::<Vec<_>>().join(", ");
    match invented.as_slice() {
        [] => None,
        [one] if families.len() == 1 => Some(format!(
            "Invented data: `{}` is no survey, and no figure of it says anything about {}.",
            clean(&one.survey_id),
            clean(&one.name)
        )),
        all if all.len() == families.len() => {
            Some("Invented data: these are no surveys, and no figure says anything about an economy.".to_owned())
        }
        some => Some(format!("Invented data: {}. Its figures say nothing about an economy.", names(some))),
    }
}

/// That there are more than are shown; empty if not.
pub(super) fn more(number: usize) -> String {
    match number {
        0 => String::new(),
        n => format!("{n} more economies have a survey: select * from national_income_effect."),
    }
}

/// Who receives and how much.
pub(super) fn receiving(family: &Family) -> Option<String> {
    let share = pct(Some(family.receiving()?), 1);
    let amount = family
        .received_usd()
        .map_or_else(String::new, |usd| format!(", {} US$ a year each on average", number(usd, 0)));
    let income = family.remittance_income_share().map_or_else(String::new, |share| {
        format!("; that is {} % of the income of all households", pct(Some(share), 1))
    });
    Some(format!("{share} % of households receive remittances{amount}{income}."))
}

/// Poverty with and without.
pub(super) fn poverty(family: &Family) -> Option<String> {
    let effect = family.effect("survey", "headcount")?;
    if let Some(why) = &family.line_missing {
        return Some(format!("No poverty line: {}.", clean(why)));
    }
    let (with, without, difference) = (effect.with?, effect.without?, effect.difference?);
    let verb = if difference > 0.0 { "more" } else { "fewer" };
    let sure = match (effect.ci_low, effect.ci_high) {
        (Some(low), Some(high)) if low <= 0.0 && high >= 0.0 => ", which the sample cannot tell from none",
        _ => "",
    };
    Some(format!(
        "With remittances {} % of persons are poor, without them {} %: {} points {verb}{}{sure}.",
        pct(Some(with), 1),
        pct(Some(without), 1),
        number((difference * 100.0).abs(), 1),
        match &effect.errors_missing {
            Some(why) => format!("; no sampling error: {}", clean(why)),
            None => format!(" ({})", interval(effect, 100.0, 1)),
        },
    ))
}

/// What the survey sees of the balance of payments, and what follows if it saw all.
pub(super) fn balance(family: &Family) -> String {
    let balance = &family.balance;
    let Some(ratio) = balance.capture_ratio else {
        let why = balance.missing.as_deref().map_or_else(|| "a figure is missing".to_owned(), clean);
        return format!("Not comparable with the balance of payments: {why}.");
    };
    let seen = format!(
        "Families report {} bn US$, the balance of payments of {} counts {}: the survey sees {} %.",
        bn(balance.survey_usd),
        family.year,
        bn(balance.balance_usd),
        pct(Some(ratio), 0),
    );
    match family.scaled().and_then(|e| Some((e, e.difference?))) {
        Some((effect, difference)) => format!(
            "{seen} If families received all of it ({}), poverty would change by {} points ({}).",
            scale_words(&effect.scale).1,
            signed(difference * 100.0, 1),
            interval(effect, 100.0, 1)
        ),
        None => seen,
    }
}

/// `−2.9 to −1.7`, of the difference.
pub(super) fn interval(effect: &Effect, scale: f64, decimals: usize) -> String {
    match (effect.ci_low, effect.ci_high) {
        (Some(low), Some(high)) => {
            format!("{} to {}", signed(low * scale, decimals), signed(high * scale, decimals))
        }
        _ => MISSING.to_owned(),
    }
}

/// How remittances are scaled to the balance of payments: in short, and in words.
pub(super) fn scale_words(scale: &str) -> (&'static str, &'static str) {
    match scale {
        "survey" => ("as reported", "what families say"),
        "amount" => ("larger amounts", "each amount raised alike"),
        "weight" => ("more receivers", "receivers weighted up"),
        "both" => ("half and half", "amounts and weights raised alike"),
        _ => ("scaled", "scaled"),
    }
}

/// The line and what it is compared with, for captions.
pub(super) fn line(family: &Family) -> String {
    let line = family
        .line
        .map_or_else(String::new, |line| format!(", that is {} {} a year", number(line, 0), clean(&family.currency)));
    format!(
        "Poor: below {}{line}, by income {}; without remittances: {}.",
        clean(&family.poverty_line),
        per(&family.equivalence_scale),
        match family.counterfactual.as_str() {
            "subtraction" => "income less remittances".to_owned(),
            other => clean(other),
        }
    )
}

fn per(scale: &str) -> String {
    match scale {
        "per_head" => "per person".to_owned(),
        "household" => "of the household".to_owned(),
        other => format!("per equivalent adult ({})", clean(other)),
    }
}

/// Measures of the table of one economy: name, factor, decimals.
pub(super) const MEASURES: [(&str, &str, f64, usize); 4] = [
    ("headcount", "poor, % of persons", 100.0, 1),
    ("gap", "poverty gap, %", 100.0, 1),
    ("severity", "squared gap, %", 100.0, 1),
    ("gini", "Gini coefficient", 1.0, 3),
];
