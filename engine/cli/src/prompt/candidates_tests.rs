//! `|` marks the cursor.

use super::*;
use envoi::FunctionName;

fn names() -> Names {
    let column = |name: &str, unit: Option<&str>| ColumnName {
        name: name.into(),
        data_type: "Float64".into(),
        nullable: true,
        unit: unit.map(Into::into),
        description: None,
    };
    let table = |schema: &str, name: &str, columns| TableName {
        schema: schema.into(),
        name: name.into(),
        kind: "table",
        description: None,
        columns,
    };
    Names {
        schemas: vec!["lake".into(), "mart".into(), "staging".into()],
        tables: vec![
            table("mart", "remittance_vs_oda", vec![column("iso3", None), column("remittance_usd", Some("US$"))]),
            table("lake", "aid_flow", vec![column("donor_code", None), column("aid_usd", Some("US$"))]),
            table("staging", "stg_wdi", vec![column("Country Name", None)]),
        ],
        functions: vec![FunctionName {
            name: "gini".into(),
            signature: "gini(y, w)".into(),
            description: "Gini index".into(),
            kind: "aggregate",
            details: String::new(),
        }],
    }
}

/// The first candidates, and the line after choosing the first.
fn check(marked: &str, first: &[&str], chosen: &str) {
    let pos = marked.find('|').unwrap();
    let line = marked.replacen('|', "", 1);
    let found = candidates(&line, pos, Some(&names()));
    let texts: Vec<_> = found.iter().take(first.len()).map(|c| c.text.as_str()).collect();
    assert_eq!(texts, first, "{marked}");
    if let Some(candidate) = found.first() {
        let after = format!("{}{}{}", &line[..candidate.start], candidate.text, &line[candidate.end..]);
        assert_eq!(after, chosen, "{marked}");
    } else {
        assert_eq!(chosen, "", "{marked}");
    }
}

#[test]
fn keywords_in_the_typed_case() {
    check("sel|", &["select"], "select");
    check("SEL|", &["SELECT"], "SELECT");
    check("select 1; sel|", &["select"], "select 1; select");
}

#[test]
fn tables_after_from() {
    check("select * from |", &["remittance_vs_oda", "aid_flow", "staging.stg_wdi"], "select * from remittance_vs_oda");
    check("select * from AID|", &["aid_flow"], "select * from aid_flow");
    check("select * from stg|", &["staging.stg_wdi"], "select * from staging.stg_wdi");
    check("select * from lake.|", &["aid_flow"], "select * from lake.aid_flow");
    check("select * from a, ai|", &["aid_flow"], "select * from a, aid_flow");
    check("with w as (select 1) select * from w|", &["w"], "with w as (select 1) select * from w");
}

#[test]
fn the_only_name_that_begins_with_the_word_stands_alone() {
    let mut names = names();
    let like = |name: &str| ColumnName { name: name.into(), ..names.tables[0].columns[0].clone() };
    let (longer, other) = (like("balance_remittance_usd"), like("remitter"));
    names.tables[0].columns.extend([longer, other]);
    let found = |line: &str| -> Vec<String> {
        candidates(line, line.len(), Some(&names)).into_iter().map(|candidate| candidate.text).collect()
    };
    assert_eq!(found("select remittance_us"), ["remittance_usd"]);
    assert_eq!(found("select tance_us"), ["remittance_usd", "balance_remittance_usd"]);
    assert_eq!(found("select remit"), ["remittance_usd", "remitter", "remittance_vs_oda", "balance_remittance_usd"]);
}

#[test]
fn columns_of_the_tables_mentioned() {
    check("select rem| from remittance_vs_oda", &["remittance_usd"], "select remittance_usd from remittance_vs_oda");
    check("select t.| from remittance_vs_oda t", &["iso3", "remittance_usd"], "select t.iso3 from remittance_vs_oda t");
    check(
        "select * from lake.aid_flow as a where a.ai|",
        &["aid_usd"],
        "select * from lake.aid_flow as a where a.aid_usd",
    );
    check(
        "select * from staging.stg_wdi where coun|",
        &["\"Country Name\""],
        "select * from staging.stg_wdi where \"Country Name\"",
    );
    check("select usd| from aid_flow", &["aid_usd"], "select aid_usd from aid_flow");
    check("select x.| from aid_flow", &[], "");
}

#[test]
fn functions_and_columns_before_from() {
    check("select gi|", &["gini("], "select gini(");
    check("select donor|", &["donor_code"], "select donor_code");
}

#[test]
fn nothing_in_text_comments_and_numbers() {
    check("select 'sel|", &[], "");
    check("-- sel|", &[], "");
    check("select /* sel|", &[], "");
    check("select 12|", &[], "");
}

#[test]
fn meta_commands() {
    check("\\tim|", &["\\timing"], "\\timing");
    check("\\format mark|", &["markdown"], "\\format markdown");
    check("\\d rem|", &["remittance_vs_oda"], "\\d remittance_vs_oda");
    check("\\x o|", &["on", "off"], "\\x on");
}

#[test]
fn files_after_include_and_from() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one.sql"), "").unwrap();
    std::fs::create_dir(folder.path().join("only")).unwrap();
    let at = folder.path().display();
    for start in [format!("\\i {at}/o"), format!("select * from '{at}/o")] {
        let found = candidates(&start, start.len(), None);
        let texts: Vec<_> = found.iter().map(|c| c.text.clone()).collect();
        assert_eq!(texts, [format!("{at}/one.sql"), format!("{at}/only/")], "{start}");
    }
}

#[test]
fn without_names_there_are_keywords() {
    let found = candidates("sel", 3, None);
    assert_eq!(found[0].text, "select");
}

#[test]
fn any_cursor_in_any_text_is_safe() {
    let text = "select é.\"x from 'y; \\d é\n\\i ~/é -- ; $$ /* (, from a, (";
    for pos in 0..=text.len() + 2 {
        candidates(text, pos, Some(&names()));
    }
}
