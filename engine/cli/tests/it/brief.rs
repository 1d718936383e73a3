//! `envoi brief` over the sample lake.

use crate::run::envoi;

/// Exit code, stdout and stderr, lines joined.
fn brief(arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = envoi(folder.path(), arguments, "");
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    (code, joined(out), err)
}

fn fails(arguments: &[&str], message: &str) {
    let (code, out, err) = brief(arguments);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", format!("error: {message}\n").as_str()), "{arguments:?}");
}

#[test]
fn a_date_before_every_edition_says_so() {
    let (code, out, err) = brief(&["--as-of", "2010-01-01", "brief"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("No edition as old as 2010-01-01"), "{out}");
    assert!(out.contains("remittances received the oldest in the lake is of 2025-07-01"), "{out}");
    assert!(!out.contains("Not loaded") && !out.contains("Sources"), "{out}");
    fails(
        &["--as-of", "2010-01-01", "brief", "--country", "MEX"],
        "unknown economy `MEX`: no edition in the lake is as old as 2010-01-01, the oldest is of 2021-09-15",
    );
}

#[test]
fn a_date_between_editions_shows_what_was_known() {
    let (code, out, _) = brief(&["--as-of", "2025-08-01", "brief"]);
    assert!(code == 0 && out.contains("as of 2025-08-01"), "{out}");
    assert!(out.contains("net ODA received the oldest in the lake is of 2025-10-07"), "{out}");
    assert!(!out.contains("Not loaded"), "{out}");
    let country = "envoi, Table of economies, 2025-10-07, codes and names MIT";
    assert!(out.contains(country) && out.contains("seen at every date"), "{out}");
}

#[test]
fn years_that_are_not_there_are_listed() {
    let years = "the lake has 2000, 2005, 2010, 2015, 2019 to 2023";
    fails(&["brief", "--year", "1850"], &format!("no values for 1850; {years}"));
    fails(&["brief", "--year", "2007"], &format!("no values for 2007; {years}"));
    fails(
        &["brief", "--country", "XKX", "--year", "2000"],
        "no values of Kosovo for 2000; the lake has 2005, 2010, 2015, 2019 to 2023",
    );
}

#[test]
fn one_economy_of_a_selection_has_no_shares() {
    let (code, out, _) = brief(&["brief", "--country", "MEX"]);
    assert!(code == 0 && out.contains("Sample lake"), "{out}");
    assert!(!out.contains("% of all it") && !out.contains("100.0 %"), "{out}");
    assert!(out.contains("Values of remittances received: 2000, 2005, 2010, 2015, 2019 to 2023."), "{out}");
}

#[test]
fn families_of_the_sample_are_invented_and_say_so() {
    let (code, out, err) = brief(&["brief"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("Families with and without remittances"), "{out}");
    assert!(out.contains("Invented data: these are no surveys") && out.contains("Philippines, 2019"), "{out}");
    assert!(out.contains("envoi, Synthetic households and transfers, 2020-01-01, CC0 1.0: families"), "{out}");

    let (code, out, _) = brief(&["brief", "--country", "MEX"]);
    assert!(code == 0 && out.contains("Families, 2019 synthetic_mex_2019, 2,400 households"), "{out}");
    for words in [
        "`synthetic_mex_2019` is no survey",
        "% of households receive remittances",
        "With remittances",
        "the survey sees",
        "source of income",
        "1, poorest",
        "Gini coefficient",
    ] {
        assert!(out.contains(words), "`{words}` is not in: {out}");
    }
    let (code, out, _) = brief(&["brief", "--country", "IND"]);
    assert!(code == 0 && !out.contains("Families") && !out.contains("Synthetic"), "{out}");
    let (code, out, _) = brief(&["--as-of", "2019-06-01", "brief"]);
    assert!(code == 0 && !out.contains("Families"), "{out}");
}

#[test]
fn the_page_of_an_economy_draws_its_families() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = envoi(folder.path(), &["brief", "--country", "NPL", "--html", "npl.html"], "");
    assert_eq!(code, 0, "{err}");
    let page = std::fs::read_to_string(folder.path().join("npl.html")).unwrap();
    for title in [
        "Lorenz curves of income with and without remittances, Nepal, 2019",
        "Poverty with and without remittances, Nepal, 2019",
        "From the family to the balance of payments, Nepal, 2019",
        "Sources of income in the Gini coefficient, Nepal, 2019",
        "Households that receive, Nepal",
    ] {
        assert!(page.contains(&format!("<title>{title}</title>")), "{title}");
    }
    assert!(page.contains("Invented data: synthetic_npl_2019 is no survey") && !page.contains("NaN"));
}
