//! Economies that split, merged or lost a part: METHODS D2.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringViewArray, StringViewBuilder};
use arrow::datatypes::{DataType, Date32Type, Field};
use datafusion_common::{Result, exec_err};

use super::lookup::{Lookup, Text, each_distinct, texts};
use super::{Countries, Known, Passage, PassageRule};

const MODES: [&str; 2] = ["as_reported", "merge"];

fn codes() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)))
}

pub(super) fn successors(known: Known) -> Lookup {
    let text = Text {
        description: "Economies that an economy split into, lost as a part of it, or joined, in order of date and code: one step, so ask again of each for later ones. An empty list where there is none; NULL for NULL.",
        syntax: "country_successors(iso3)",
        example: "> select country_successors('SCG'), country_successors('SDN'), country_successors('FRA');\n[MNE, SRB], [SSD], []",
        arguments: &[("iso3", "ISO 3166 alpha-3 code, historic ones such as YUG and ANT too.")],
    };
    Lookup::new("country_successors", known, &[DataType::Utf8View], 1, codes(), after, &text)
}

pub(super) fn predecessors(known: Known) -> Lookup {
    let text = Text {
        description: "Economies that an economy came from or took in, in order of date and code; one step. An empty list where there is none; NULL for NULL.",
        syntax: "country_predecessors(iso3)",
        example: "> select country_predecessors('SSD'), country_predecessors('SRB'), country_predecessors('DEU');\n[SDN], [SCG], [DDR]",
        arguments: &[("iso3", "ISO 3166 alpha-3 code.")],
    };
    Lookup::new("country_predecessors", known, &[DataType::Utf8View], 1, codes(), before, &text)
}

pub(super) fn harmonise(known: Known) -> Lookup {
    let text = Text {
        description: "The code under which an economy's figures are to be summed so that territories stay the same over time. `merge`: the economy that held the territory on a day (Montenegro in 2005 is Serbia and Montenegro), or before every split without a day; summing to it is safe. What joined another is the other on every day. `as_reported`: the code as it is. Dividing an old economy among its successors needs figures: see table function `harmonised`. NULL for NULL.",
        syntax: "harmonise(iso3, mode [, day])",
        example: "> select harmonise('MNE', 'merge', date '2005-01-01'), harmonise('SSD', 'merge', date '2010-01-01'), harmonise('SSD', 'merge', date '2012-01-01'), harmonise('MNE', 'merge');\nSCG, SDN, SSD, YUG",
        arguments: &[
            ("iso3", "ISO 3166 alpha-3 code."),
            ("mode", "`merge` or `as_reported`."),
            ("day", "Optional: the day whose territories are meant."),
        ],
    };
    let types = [DataType::Utf8View, DataType::Utf8View, DataType::Date32];
    Lookup::new("harmonise", known, &types, 2, DataType::Utf8View, harmonised, &text)
}

fn after(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    linked(countries, arguments, |p| (&p.old, &p.new))
}

fn before(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    linked(countries, arguments, |p| (&p.new, &p.old))
}

/// The codes on the other side of an economy's passages.
fn linked(
    countries: &dyn Countries,
    arguments: &[ArrayRef],
    sides: fn(&Passage) -> (&String, &String),
) -> Result<ArrayRef> {
    let found = each_distinct(texts(arguments, 0)?.iter(), |code| {
        let mut linked: Vec<(i32, &str)> =
            countries.passages().iter().filter(|p| sides(p).0 == code).map(|p| (p.day, sides(p).1.as_str())).collect();
        linked.sort_unstable();
        Ok(Some(linked))
    })?;
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for row in found {
        for (_, code) in row.iter().flatten() {
            lists.values().append_value(code);
        }
        lists.append(row.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

fn harmonised(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (codes, modes) = (texts(arguments, 0)?, texts(arguments, 1)?);
    let days = arguments.get(2).and_then(|a| a.as_primitive_opt::<Date32Type>());
    let rows = (0..codes.len()).map(|row| {
        let day = match days {
            Some(days) if days.is_null(row) => return None,
            Some(days) => Some(days.value(row)),
            None => None,
        };
        (codes.is_valid(row) && modes.is_valid(row)).then(|| (codes.value(row), modes.value(row), day))
    });
    let found = each_distinct(rows, |(code, mode, day)| match mode {
        "as_reported" => Ok(Some(code.to_owned())),
        "merge" => Ok(Some(merged(countries.passages(), code, day).to_owned())),
        "split" => exec_err!("`split` divides figures, not codes: use the table function `harmonised`"),
        other => exec_err!("`{other}` is not a mode of `harmonise`; there are {}", MODES.join(", ")),
    })?;
    Ok(Arc::new(found.into_iter().collect::<StringViewArray>()))
}

/// The economy that held the territory of `code` on a day; before every split without one.
fn merged<'a>(passages: &'a [Passage], code: &'a str, day: Option<i32>) -> &'a str {
    let mut at = code;
    // A territory passes at most as often as there are passages; the table has no ring.
    for _ in passages {
        let joined = passages.iter().find(|p| p.rule == PassageRule::Merge && p.old == at).map(|p| &p.new);
        let came =
            passages.iter().find(|p| p.rule != PassageRule::Merge && p.new == at && day.is_none_or(|day| day < p.day));
        match joined.or(came.map(|p| &p.old)) {
            Some(next) => at = next,
            None => return at,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_territory_is_followed_to_its_day() {
        let passage = |old: &str, new: &str, day, rule| Passage { old: old.into(), new: new.into(), day, rule };
        let passages = [
            passage("AAA", "BBB", 10, PassageRule::Split),
            passage("BBB", "CCC", 20, PassageRule::Apart),
            passage("DDD", "BBB", 15, PassageRule::Merge),
        ];
        let check = |code, day, expected| assert_eq!(merged(&passages, code, day), expected, "{code} {day:?}");
        check("CCC", Some(25), "CCC");
        check("CCC", Some(20), "CCC");
        check("CCC", Some(19), "BBB");
        check("CCC", Some(5), "AAA");
        check("CCC", None, "AAA");
        check("DDD", Some(30), "BBB");
        check("EEE", None, "EEE");
    }
}
