//! The newest edition: a publisher's list is asked, and the greatest of what fits is taken.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::content::Unmarked;
use super::endpoint::Newest;
use crate::error::Printable;

/// Bytes of a publisher's list.
pub(super) const MOST: u64 = 8 << 20;

/// The newest of what the list names, or why there is none.
pub(super) fn newest(list: &[u8], wanted: &Newest) -> Result<String, String> {
    let found = match (&wanted.pattern, &wanted.element, &wanted.attribute) {
        (Some(pattern), ..) => strings(list, pattern)?,
        (_, Some(element), Some(attribute)) => attributes(list, element, &wanted.having, attribute)?,
        _ => return Err("its descriptor does not say what to look for".to_owned()),
    };
    let sought = wanted.pattern.clone().unwrap_or_else(|| {
        let having: Vec<&str> = wanted.having.values().map(String::as_str).collect();
        having.join(" ")
    });
    found.into_iter().max_by(|a, b| order(a, b)).ok_or_else(|| format!("its list names no `{sought}`"))
}

/// Whether the text fits: `*` stands for anything but `/`.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part).filter(|at| !rest.get(..*at).unwrap_or_default().contains('/')) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.strip_suffix(last).is_some_and(|between| !between.contains('/'))
}

/// An address without its query: catalogues add versions of files there.
pub(super) fn before_query(text: &str) -> &str {
    text.split('?').next().unwrap_or(text)
}

/// Older before newer: numbers are compared as numbers, so that 1.10 is after 1.9 and
/// `2026_01_29` after `2025_12_30`; what has more of them is newer; the rest decides last.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    numbers(a).cmp(&numbers(b)).then_with(|| a.cmp(b))
}

fn numbers(text: &str) -> Vec<(usize, &str)> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|d| !d.is_empty());
    digits.map(|d| d.trim_start_matches('0')).map(|d| (d.len(), d)).collect()
}

/// Every string anywhere in the JSON that fits: publishers move their fields about.
fn strings(list: &[u8], pattern: &str) -> Result<Vec<String>, String> {
    let read = |e: &dyn std::fmt::Display| format!("its list is not JSON: {}", Printable(&e.to_string()));
    let unmarked = Unmarked::new(list).map_err(|e| read(&e))?;
    let value: serde_json::Value = serde_json::from_reader(unmarked).map_err(|e| read(&e))?;
    let (mut found, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) if fits(pattern, before_query(&text)) => found.push(text),
            serde_json::Value::Array(all) => open.extend(all),
            serde_json::Value::Object(all) => open.extend(all.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    Ok(found)
}

/// The attribute of every element of that name that has the others.
fn attributes(
    list: &[u8],
    element: &str,
    having: &BTreeMap<String, String>,
    attribute: &str,
) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_reader(list);
    let (mut found, mut buffer) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(start) | Event::Empty(start)) if start.local_name().as_ref() == element => {
                let has = |(name, value): (&String, &String)| value_of(&start, name).as_ref() == Some(value);
                let version = value_of(&start, attribute).filter(|_| having.iter().all(has));
                // It becomes part of an address.
                let plain =
                    |v: &String| !v.is_empty() && v.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
                found.extend(version.filter(plain));
            }
            Ok(Event::Eof) => return Ok(found),
            Ok(_) => {}
            Err(e) => return Err(format!("its list is not XML: {}", Printable(&e.to_string()))),
        }
        buffer.clear();
    }
}

fn value_of(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_is_greater() {
        let sorted = ["rpw_2011_2024_q4.xlsx", "rpw_2011_2025_q1.xlsx", "rpw_2011_2025_q3.xlsx"];
        assert!(sorted.windows(2).all(|w| order(w[0], w[1]) == Ordering::Less));
        let sorted = ["1.0", "1.1", "1.2", "1.10", "2.0"];
        assert!(sorted.windows(2).all(|w| order(w[0], w[1]) == Ordering::Less));
        assert_eq!(order("WDI_CSV_2025_12_30.zip", "WDI_CSV_2026_01_29.zip"), Ordering::Less);
        assert_eq!(order("007", "7"), Ordering::Less);
    }

    #[test]
    fn patterns() {
        let pattern = "https://x.org/p/*/rpw_*.xlsx";
        assert!(fits(pattern, "https://x.org/p/DR1/rpw_2025.xlsx") && fits("a", "a") && fits("*", "a"));
        for text in
            ["https://x.org/p/DR1/a/rpw_2025.xlsx", "https://x.org/p/DR1/rpw_2025.xls", "https://y.org/p/1/rpw_.xlsx"]
        {
            assert!(!fits(pattern, text), "{text}");
        }
        assert!(!fits("a", "ab") && !fits("a*b", "a/b") && !fits("ab*b", "ab"));
    }

    #[test]
    fn versions_of_a_dataflow() {
        let xml = r#"<?xml version="1.0"?><m:Structure xmlns:m="x" xmlns:s="y"><m:Structures><s:Dataflows>
            <s:Dataflow id="A@B" agencyID="O" version="1.9"><s:Structure><Ref id="A" version="7.0"/></s:Structure></s:Dataflow>
            <s:Dataflow version="1.10" agencyID="O" id="A@B"/>
            <s:Dataflow id="A@C" agencyID="O" version="3.0"/>
            <s:Dataflow id="A@B" agencyID="P" version="4.0"/>
            <s:Dataflow id="A@B" agencyID="O" version="9/../x"/></s:Dataflows></m:Structures></m:Structure>"#;
        let wanted = Newest {
            ask: String::new(),
            accept: None,
            pattern: None,
            element: Some("Dataflow".to_owned()),
            having: [("id", "A@B"), ("agencyID", "O")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            attribute: Some("version".to_owned()),
        };
        assert_eq!(newest(xml.as_bytes(), &wanted).as_deref(), Ok("1.10"));
        assert!(newest(b"<a></b>", &wanted).unwrap_err().contains("is not XML"));
        assert!(newest(b"<a/>", &wanted).unwrap_err().contains("names no `O A@B`"));
    }

    #[test]
    fn files_of_a_list() {
        let wanted = Newest {
            ask: String::new(),
            accept: None,
            pattern: Some("https://x.org/*.zip".to_owned()),
            element: None,
            having: BTreeMap::new(),
            attribute: None,
        };
        let json = br#"{"Resources":[{"url":"https://x.org/a_2.zip"},{"deep":[["https://x.org/a_10.zip?versionId=2025", "https://evil.org/a_99.zip"]]}]}"#;
        assert_eq!(newest(json, &wanted).as_deref(), Ok("https://x.org/a_10.zip?versionId=2025"));
        assert!(newest(b"{}", &wanted).unwrap_err().contains("names no `https://x.org/*.zip`"));
        assert!(newest(b"<html>", &wanted).unwrap_err().contains("is not JSON"));
        // As deep as a stack is not.
        assert!(newest("[".repeat(100_000).as_bytes(), &wanted).is_err());
    }
}
