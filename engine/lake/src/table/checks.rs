//! Warnings about a table as a whole: aggregates, repeated keys, hostile or broken text.

use std::collections::{HashMap, HashSet};

use super::column::{Column, ColumnKind};
use super::layout::starts_like_note;
use super::text::{is_hidden, is_mojibake};
use super::{Warning, period};
use crate::read::{Cell, Row};

/// Which rows are regions, income groups or totals, and the warning that says so.
pub(super) fn aggregates(columns: &[Column], lines: &[u64]) -> Option<(Vec<bool>, Warning)> {
    let place = |c: &&Column| c.kind == ColumnKind::Text && names_place(&c.name);
    let mut looked_at: Vec<&Column> = columns.iter().filter(place).collect();
    if looked_at.is_empty() {
        looked_at.extend(columns.iter().find(|c| c.kind == ColumnKind::Text));
    }
    // A column that gives the region of every country marks no totals.
    let groups = |c: &Column| {
        let names: Vec<&str> = c.values.iter().flatten().map(String::as_str).filter(|v| is_aggregate_name(v)).collect();
        let distinct = names.iter().collect::<HashSet<_>>().len();
        names.len() * 2 > lines.len() && distinct * 2 < names.len()
    };
    if !looked_at.iter().all(|c| groups(c)) {
        looked_at.retain(|c| !groups(c));
    }
    let rows = lines.len();
    let is_aggregate: Vec<bool> = (0..rows)
        .map(|row| looked_at.iter().any(|c| c.values[row].as_deref().is_some_and(is_aggregate_name)))
        .collect();
    let found: Vec<usize> = (0..rows).filter(|&r| is_aggregate[r]).collect();
    if found.is_empty() || found.len() == rows && rows > 1 && !looked_at.iter().any(|c| names_place(&c.name)) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in found
        .iter()
        .filter_map(|&r| looked_at.iter().find_map(|c| c.values[r].as_deref().filter(|v| is_aggregate_name(v))))
    {
        if names.len() < 5 && !names.contains(&name) {
            names.push(name);
        }
    }
    let what = format!("rows such as `{}` are totals of other rows; `is_aggregate` marks them", names.join("`, `"));
    let warning = Warning::new("aggregate-rows", what, found.len(), found.iter().map(|&r| lines[r]).collect());
    Some((is_aggregate, warning))
}

fn names_place(header: &str) -> bool {
    const PLACES: [&str; 22] = [
        "country",
        "economy",
        "economies",
        "area",
        "region",
        "territory",
        "pays",
        "país",
        "pais",
        "land",
        "location",
        "geo",
        "donor",
        "recipient",
        "partner",
        "reporter",
        "origin",
        "destination",
        "iso3",
        "iso2",
        "entity",
        "sender",
    ];
    let header = header.to_lowercase();
    header.split(|c: char| !c.is_alphanumeric()).any(|word| PLACES.contains(&word))
        || ["countries", "country", "receiver", "receiving", "sending"].iter().any(|w| header.contains(w))
}

/// True for the world, regions, groups and totals as the large publishers name them.
fn is_aggregate_name(name: &str) -> bool {
    const CODES: [&str; 47] = [
        "WLD", "AFE", "AFW", "ARB", "CEB", "CSS", "EAP", "EAR", "EAS", "ECA", "ECS", "EMU", "EUU", "FCS", "HIC", "HPC",
        "IBD", "IBT", "IDA", "IDB", "IDX", "INX", "LAC", "LCN", "LDC", "LIC", "LMC", "LMY", "LTE", "MEA", "MIC", "MNA",
        "NAC", "OED", "OSS", "PRE", "PSS", "PST", "SAS", "SSA", "SSF", "SST", "TEA", "TEC", "TLA", "TMN", "UMC",
    ];
    const NAMES: [&str; 66] = [
        "world",
        "monde",
        "mundo",
        "welt",
        "africa",
        "asia",
        "europe",
        "oceania",
        "americas",
        "the americas",
        "america",
        "caribbean",
        "central america",
        "south america",
        "north america",
        "northern america",
        "latin america",
        "melanesia",
        "micronesia",
        "polynesia",
        "middle africa",
        "central africa",
        "eastern africa",
        "western africa",
        "northern africa",
        "southern africa",
        "north africa",
        "west africa",
        "east africa",
        "central asia",
        "eastern asia",
        "western asia",
        "southern asia",
        "south asia",
        "east asia",
        "south-eastern asia",
        "southeast asia",
        "eastern europe",
        "western europe",
        "northern europe",
        "southern europe",
        "middle east",
        "arab world",
        "euro area",
        "eurozone",
        "european union",
        "eu",
        "eu27",
        "eu28",
        "oecd",
        "oecd members",
        "oecd total",
        "dac countries",
        "g7",
        "g8",
        "g20",
        "brics",
        "small states",
        "all countries",
        "all donors",
        "all recipients",
        "developing countries",
        "developed countries",
        "afrique",
        "áfrica",
        "amérique latine",
    ];
    if CODES.contains(&name) {
        return true;
    }
    let lower = name.trim().to_lowercase();
    let plain = lower.trim_end_matches(|c: char| "*†0123456789¹²³/ ".contains(c)).trim_start_matches("of which: ");
    let starts = [
        "total",
        "gesamt",
        "insgesamt",
        "ensemble",
        "sub-total",
        "subtotal",
        "grand total",
        "sum of",
        "sub-saharan africa",
        "sub saharan africa",
        "middle east ",
        "middle east and",
        "middle east &",
        "latin america and",
        "latin america &",
        "east asia and",
        "east asia &",
        "europe and",
        "europe &",
        "south asia (",
        "africa eastern and",
        "africa western and",
        "low income",
        "lower middle income",
        "upper middle income",
        "middle income",
        "high income",
        "low & middle",
        "low and middle",
        "low-and middle",
        "low-income",
        "lower-middle-income",
        "upper-middle-income",
        "middle-income",
        "high-income",
        "low- and middle",
        "less developed",
        "more developed",
        "least developed",
        "developing ",
        "developed ",
        "fragile and conflict",
        "heavily indebted",
        "ida ",
        "ida & ibrd",
        "ibrd ",
        "land-locked developing",
        "landlocked developing",
        "small island developing",
        "caribbean small",
        "pacific island small",
        "other small states",
        "pre-demographic",
        "early-demographic",
        "late-demographic",
        "post-demographic",
        "central europe and the",
        "asia and the pacific",
        "asia & pacific",
        "all countries",
        "rest of ",
        "other north",
        "other south",
        "not classified",
        "emerging ",
        "advanced economies",
        "world total",
        "world (",
        "afrique subsaharienne",
        "áfrica subsahariana",
        "pays en développement",
        "amérique latine et",
        "américa latina y",
        "central and southern asia",
        "eastern and south-eastern",
        "northern africa and",
        "europe and northern",
        "australia and new zealand",
        "oceania (",
    ];
    NAMES.contains(&plain)
        || plain == "ida"
        || plain == "ibrd"
        || plain == "australia/new zealand"
        || starts.iter().any(|s| plain.starts_with(s))
}

/// Rows that name the same thing and period twice with different numbers.
pub(super) fn duplicate_keys(columns: &[Column], lines: &[u64]) -> Option<Warning> {
    let is_value = |c: &Column| match c.kind {
        ColumnKind::Number | ColumnKind::Decimal { .. } => true,
        ColumnKind::Integer => !is_key_name(&c.name) && !all_years(c),
        _ => false,
    };
    let keys: Vec<&Column> = columns.iter().filter(|c| !is_value(c)).collect();
    let values: Vec<&Column> = columns.iter().filter(|c| is_value(c)).collect();
    if values.is_empty() || !keys.iter().any(|c| c.kind == ColumnKind::Text) {
        return None;
    }
    let mut seen: HashMap<Vec<Option<&str>>, usize> = HashMap::with_capacity(lines.len());
    let (mut again, mut conflicts, mut bad_lines) = (0, 0, Vec::new());
    for row in 0..lines.len() {
        let key: Vec<Option<&str>> = keys.iter().map(|c| c.values[row].as_deref()).collect();
        if key.iter().all(Option::is_none) {
            continue;
        }
        if let Some(&first) = seen.get(&key) {
            again += 1;
            if values.iter().any(|c| c.values[row] != c.values[first]) {
                conflicts += 1;
            }
            bad_lines.extend([lines[first], lines[row]]);
        } else {
            seen.insert(key, row);
        }
    }
    // Where half the rows repeat, the text columns are not what tells rows apart.
    if again == 0 || (again * 2 > lines.len() && lines.len() > 20) {
        return None;
    }
    bad_lines.sort_unstable();
    bad_lines.dedup();
    let names: Vec<&str> = keys.iter().take(6).map(|c| c.name.as_str()).collect();
    let what = format!(
        "{again} rows repeat the key (`{}`), {conflicts} of them with other values; sums count them twice",
        names.join("`, `")
    );
    Some(Warning::new("duplicate-key", what, again, bad_lines))
}

fn is_key_name(name: &str) -> bool {
    if period::header_year(name).is_some() {
        return false;
    }
    let name = name.to_lowercase();
    ["year", "año", "année", "jahr", "period", "time", "date", "month", "quarter"]
        .iter()
        .any(|w| name.split(|c: char| !c.is_alphanumeric()).any(|p| p == *w))
        || ["code", "m49", "iso", "id"]
            .iter()
            .any(|w| name == *w || name.ends_with(&format!("_{w}")) || name.ends_with(&format!(" {w}")))
}

fn all_years(column: &Column) -> bool {
    let mut any = false;
    column.values.iter().flatten().all(|v| {
        any = true;
        period::header_year(v).is_some()
    }) && any
}

/// Warnings about the text of all rows: mojibake, undecodable and invisible characters.
pub(super) fn text_warnings(rows: &[Row]) -> Vec<Warning> {
    let mut found: [(&'static str, &str, usize, Vec<u64>); 3] = [
        (
            "mojibake",
            "text such as `CÃ´te` is UTF-8 that was read as windows-1252; names will not match, get the file in UTF-8",
            0,
            Vec::new(),
        ),
        (
            "replacement-character",
            "U+FFFD stands where a character was lost; get the file in its first encoding",
            0,
            Vec::new(),
        ),
        (
            "control-characters",
            "invisible, control or bidirectional characters are kept in the data and escaped in messages",
            0,
            Vec::new(),
        ),
    ];
    for row in rows {
        for text in row.cells.iter().filter_map(|c| if let Cell::Text(t) = c { Some(t) } else { None }) {
            if text.bytes().all(|b| (b' '..0x7f).contains(&b)) {
                continue;
            }
            let tests = [is_mojibake(text), text.contains('\u{fffd}'), text.chars().any(is_hidden)];
            for (warning, _) in found.iter_mut().zip(tests).filter(|(_, hit)| *hit) {
                warning.2 += 1;
                if warning.3.last() != Some(&row.number) {
                    warning.3.push(row.number);
                }
            }
        }
    }
    found
        .into_iter()
        .filter(|w| w.2 > 0)
        .map(|(code, what, count, lines)| Warning::new(code, what, count, lines))
        .collect()
}

/// Rows inside the data whose first cell reads like a note, as `Source: ...` does.
pub(super) fn notes_inside(columns: &[Column], lines: &[u64]) -> Option<Warning> {
    let first = columns.first().filter(|c| c.kind == ColumnKind::Text && columns.len() > 1)?;
    let empty = |row: usize| columns[1..].iter().all(|c| c.values[row].is_none() && c.flags[row].is_none());
    let rows: Vec<u64> = (0..lines.len())
        .filter(|&r| first.values[r].as_deref().is_some_and(starts_like_note) && empty(r))
        .map(|r| lines[r])
        .collect();
    (!rows.is_empty()).then(|| {
        Warning::new(
            "note-in-data",
            "rows that read like notes stand between data rows and were kept as rows",
            rows.len(),
            rows,
        )
    })
}
