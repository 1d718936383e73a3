//! `envoi check` over the sample lake.

use crate::run::envoi;

fn check(arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    envoi(folder.path(), &[&["check"], arguments].concat(), "")
}

#[test]
fn the_report_says_what_was_found_and_what_could_not_be_looked_at() {
    let (code, out, err) = check(&[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("economies with a value, by year and income group (coverage): "), "{out}");
    assert!(out.contains("\n  and ") && out.contains(" more\n"), "{out}");
    assert!(err.contains("mirror_oda: not checked, table `aid_flow` has no rows"), "{err}");
}

#[test]
fn all_findings_are_rows_in_a_format() {
    let (code, out, _) = check(&["observation", "--format", "csv"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("check_name,severity,table_name,indicator,iso3,year,value,expected,finding\n"), "{out}");
    assert!(out.lines().any(|l| l.starts_with("coverage,note,observation,BX.TRF.PWKR.CD.DT,,2023,")), "{out}");
}

#[test]
fn a_table_without_checks_is_a_usage_error() {
    let (code, out, err) = check(&["transfers"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: no check reads `transfers`; there are checks of aid_flow, "), "{err}");
}

#[test]
fn strict_fails_on_a_warning_only() {
    let (code, _, err) = check(&["--strict", "country"]);
    assert_eq!(code, 0, "notes are no failure: {err}");
    let (code, out, _) = check(&["--strict", "observation"]);
    let warned = out.lines().any(|l| l.ends_with(" warnings") || l.ends_with(": 1 warning"));
    assert_eq!(code == 1, warned, "{out}");
}
