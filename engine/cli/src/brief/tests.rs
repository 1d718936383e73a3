//! The brief as a whole, over invented economies.

use super::data::{BriefData, Figure, YearCoverage};
use super::{fixture, html, text};
use unicode_width::UnicodeWidthStr;

/// Every tag is closed, in order. The style sheet is left out: it has no tags but
/// may have signs like them.
fn assert_well_formed(page: &str) {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open: Vec<String> = Vec::new();
    let (before, after) = page.split_once("<style>").unwrap();
    let (_, after) = after.split_once("</style>").unwrap();
    let page = format!("{before}{after}");
    for (at, _) in page.match_indices('<') {
        let tag = page[at + 1..].split_once('>').unwrap().0;
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closing </{name}>");
        } else if !tag.ends_with('/') {
            let name = tag.split_whitespace().next().unwrap();
            if !VOID.contains(&name) {
                open.push(name.to_owned());
            }
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn the_terminal_brief() {
    insta::assert_snapshot!("world_80", text::render(&fixture::brief(), 80, false));
}

#[test]
fn the_terminal_brief_of_one_economy() {
    insta::assert_snapshot!("country_80", text::render(&fixture::country(), 80, false));
}

#[test]
fn families_in_the_terminal() {
    let from = |text: String, head: &str| text[text.find(head).unwrap()..].to_owned();
    insta::assert_snapshot!("families_80", from(text::render(&fixture::with_families(), 80, false), "Families with"));
    insta::assert_snapshot!(
        "families_country_80",
        from(text::render(&fixture::country_with_families(), 80, false), "Families, 2019")
    );
}

#[test]
fn invented_families_are_called_invented() {
    for data in [fixture::with_families(), fixture::country_with_families()] {
        for page in [text::render(&data, 80, false), html::render(&data)] {
            let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains("Invented data") && page.to_lowercase().contains("synthetic"), "{page}");
        }
    }
    let mut real = fixture::country_with_families();
    real.families[0].survey_id = "mex_enigh_2012".to_owned();
    real.families[0].source_id = "inegi.enigh_2012".to_owned();
    for page in [text::render(&real, 80, false), html::render(&real)] {
        assert!(page.contains("mex_enigh_2012") && !page.contains("Invented"), "{page}");
    }
    let mut some = fixture::with_families();
    some.families[0] = real.families[0].clone();
    assert!(text::render(&some, 100, false).contains("Invented data: Nepal, Senegal."));
}

#[test]
fn an_economy_without_a_survey_has_no_families() {
    for data in [fixture::brief(), fixture::country()] {
        for page in [text::render(&data, 100, false), html::render(&data)] {
            assert!(!page.contains("Families") && !page.contains("families"), "{page}");
        }
    }
    let data =
        BriefData { families_missing: Some("cannot read <the surveys>: lonely unit".to_owned()), ..fixture::country() };
    for page in [text::render(&data, 100, false), html::render(&data)] {
        assert!(
            page.contains("Families")
                && page.contains("lonely unit")
                && page.contains("By year") | page.contains("Over time")
        );
        assert!(!page.contains("<the surveys>") || !page.starts_with("<!DOCTYPE"), "{page}");
    }
}

#[test]
fn of_many_economies_with_a_survey_the_largest_are_shown() {
    let mut data = fixture::with_families();
    data.families = (0..40)
        .map(|i| {
            let mut family = fixture::family("XXX", &format!("Land {i}"));
            family.balance.balance_usd = (i != 20).then(|| f64::from(i) * 1e9);
            family
        })
        .collect();
    for page in [text::render(&data, 100, false), html::render(&data)] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("Land 39") && page.contains("Land 28") && !page.contains("Land 27"), "{page}");
        assert!(!page.contains("Land 20") && page.contains("28 more economies have a survey"), "{page}");
    }
}

#[test]
fn what_is_not_known_of_families_is_missing() {
    let mut data = fixture::country_with_families();
    let family = &mut data.families[0];
    family.effects.clear();
    family.sources.clear();
    family.quintiles.clear();
    family.lorenz = Default::default();
    family.balance = Default::default();
    family.line = None;
    family.balance.missing = Some("the lake has no BX.TRF.PWKR.CD.DT of MEX 2019".to_owned());
    let world = BriefData { country: None, ..data.clone() };
    for data in [data, world] {
        let page = html::render(&data);
        assert_well_formed(&page);
        let text = text::render(&data, 80, false);
        for page in [&page, &text] {
            assert!(!page.contains("NaN") && !page.contains("inf "), "{page}");
        }
        assert!(text.contains("Families"), "{text}");
    }
}

#[test]
fn odd_figures_of_families_are_drawn() {
    let mut data = fixture::country_with_families();
    let family = &mut data.families[0];
    for effect in &mut family.effects {
        (effect.with, effect.without) = (Some(1.4), Some(0.0));
        (effect.se, effect.ci_low, effect.ci_high) = (Some(0.0), None, None);
    }
    family.lorenz.without = family.lorenz.without.iter().map(|l| l * 3.0 - 2.0).collect();
    family.sources[0].inequality_share = Some(-0.4);
    family.balance.survey_usd = Some(90e9);
    family.balance.oda_usd = Some(-1e9);
    let world = BriefData { country: None, ..data.clone() };
    for data in [data, world] {
        let page = html::render(&data);
        assert_well_formed(&page);
        assert!(!page.contains("NaN") && !page.contains("inf") || !page.contains("=\"inf"), "{page}");
        text::render(&data, 60, true);
    }
}

#[test]
fn lines_fit_the_width() {
    let all = [fixture::brief(), fixture::country(), fixture::with_families(), fixture::country_with_families()];
    for data in all {
        for width in [60, 72, 80, 100] {
            let text = text::render(&data, width, false);
            // A command is never cut: it is there to be copied.
            for line in text.lines().filter(|l| !l.contains("envoi source import")) {
                assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let data = fixture::brief();
    let (plain, colored) = (text::render(&data, 100, false), text::render(&data, 100, true));
    assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
    let mut stripped = String::new();
    for (i, part) in colored.split('\u{1b}').enumerate() {
        stripped.push_str(if i == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    let trimmed: Vec<_> = stripped.lines().map(str::trim_end).collect();
    assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
}

#[test]
fn a_partial_year_is_said_to_be_partial() {
    for page in [text::render(&fixture::brief(), 100, false), html::render(&fixture::brief())] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("2024 is partial: 106 economies with remittances against 201 the year before"), "{page}");
        assert!(page.contains("matched panel of 106 economies: +7.567 %"));
        assert!(page.contains("Shares of GDP are for 2022"));
    }
}

#[test]
fn a_year_before_the_newest_complete_one_makes_no_year_partial() {
    let data = BriefData { year: Some(2022), ..fixture::brief() };
    let text = text::render(&data, 100, false);
    assert!(text.contains("the year asked for") && !text.contains("2023 is partial"), "{text}");
    assert!(text.contains("2024 is partial"));
}

/// A year that only remittances have reached, as far as they have.
fn partial() -> BriefData {
    let mut economies = fixture::economies(2024);
    for e in &mut economies {
        (e.oda_usd, e.ratio, e.exceeds) = (None, None, None);
    }
    BriefData { year: Some(2024), economies, ..fixture::brief() }
}

#[test]
fn a_partial_year_shows_what_there_is() {
    let with = partial().economies.iter().filter(|e| e.remittance_usd.is_some()).count();
    for page in [text::render(&partial(), 100, false), html::render(&partial())] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("the year asked for, partial"), "{page}");
        assert!(page.contains("2024 is partial: of the 103 economies in the group"), "{page}");
        assert!(page.contains(&format!("{with} have remittances and none net ODA")), "{page}");
        assert!(page.contains("Over the matched panel of 106 economies of any income"), "{page}");
        assert!(page.contains("in both years: 100.0 bn US$ in 2023, 107.6 in 2024, +7.567 %"), "{page}");
        assert!(!page.contains("Remittances received – bn"), "{page}");
    }
    assert_well_formed(&html::render(&partial()));
    insta::assert_snapshot!(
        "partial_100",
        text::render(&partial(), 100, false).split("\n\nLargest receivers").next().unwrap()
    );
}

#[test]
fn no_edition_that_old_is_not_nothing_loaded() {
    let day = |text: &str| text.parse().ok();
    let data = BriefData {
        as_of: day("2025-08-01"),
        oldest: [(Figure::Oda, day("2025-10-07").unwrap()), (Figure::Remittance, day("2025-07-01").unwrap())].into(),
        coverage: vec![YearCoverage { year: 2023, with_remittance: 154, ..YearCoverage::default() }],
        ..fixture::brief()
    };
    for page in [text::render(&data, 100, false), html::render(&data)] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("as of 2025-08-01") && page.contains("No edition as old as 2025-08-01"), "{page}");
        assert!(page.contains("the oldest in the lake is of 2025-10-07"), "{page}");
        assert!(!page.contains(Figure::Oda.import_hint()) && page.contains(Figure::Gdp.import_hint()), "{page}");
        assert!(page.contains("net ODA received; seen at every date"), "the source of 2025-10-07: {page}");
        assert_eq!(page.matches("seen at every date").count(), 1, "{page}");
    }
}

#[test]
fn a_selection_of_corridors_has_no_shares() {
    let data = BriefData { sample: true, ..fixture::country() };
    for page in [text::render(&data, 100, false), html::render(&data)] {
        assert!(page.contains("Sample lake"), "{page}");
        assert!(!page.contains("% of all it") && !page.contains("% of what") && !page.contains("50.0 %"), "{page}");
    }
    assert!(text::render(&fixture::country(), 100, false).contains("50.0 %"));
    assert!(html::render(&fixture::country()).contains("50.0 % of what Economy MEX receives"));
}

#[test]
fn nothing_loaded_says_what_would_load_it() {
    let empty = BriefData::default();
    for page in [text::render(&empty, 80, false), html::render(&empty)] {
        for figure in [Figure::Remittance, Figure::Oda, Figure::Gdp, Figure::Corridor] {
            assert!(page.contains(figure.import_hint()), "{figure:?}: {page}");
        }
        assert!(!page.contains("NaN") && !page.contains("0.0"), "{page}");
    }
    assert_well_formed(&html::render(&empty));
}

#[test]
fn a_missing_part_leaves_the_others() {
    let mut data = fixture::brief();
    data.groups.clear();
    data.corridors.clear();
    for e in &mut data.economies {
        (e.oda_usd, e.ratio, e.exceeds) = (None, None, None);
    }
    data.coverage = vec![YearCoverage { year: 2023, with_remittance: 201, ..YearCoverage::default() }];
    data.gdp_economies.clear();
    data.gdp_year = None;
    let text = text::render(&data, 80, false);
    assert!(text.contains("Largest receivers") && !text.contains("By group"), "{text}");
    assert!(text.contains(Figure::Oda.import_hint()) && text.contains(Figure::Corridor.import_hint()));
    assert!(!text.contains("NaN") && !text.contains("inf"));
    let page = html::render(&data);
    assert_well_formed(&page);
    assert!(page.contains("No GDP is loaded"));
}

#[test]
fn the_sample_is_called_a_sample() {
    let data = BriefData { sample: true, ..fixture::brief() };
    for page in [text::render(&data, 100, false), html::render(&data)] {
        assert!(page.contains("Sample lake"), "{page}");
        assert!(page.contains("world total"));
    }
}

#[test]
fn the_page_stands_alone() {
    for data in [fixture::brief(), fixture::country(), fixture::with_families(), fixture::country_with_families()] {
        let page = html::render(&data);
        assert_well_formed(&page);
        assert!(!page.contains("<script") && !page.contains(" src=") && !page.contains("@import"));
        assert!(!page.contains("<link") && !page.contains("<img"));
        // The only addresses are those of the citations, and nothing loads them.
        for (at, _) in page.match_indices("http") {
            let before = &page[..at];
            assert!(
                before.ends_with("<a href=\"") || before.ends_with("rel=\"noreferrer\">"),
                "{}",
                &page[at..at + 40]
            );
        }
        for (at, _) in page.match_indices("url(") {
            assert!(page[at..].starts_with("url(#"));
        }
        assert!(page.matches("<svg").count() <= page.matches("<title>").count());
    }
}

#[test]
fn every_economy_is_on_the_map() {
    let data = fixture::brief();
    let page = html::render(&data);
    for e in &data.economies {
        assert!(page.contains(&format!("data-iso3=\"{}\"", e.iso3)), "{}", e.iso3);
    }
    assert!(!page.contains("Not on the map"));
}

#[test]
fn an_economy_off_the_map_is_named() {
    let mut data = fixture::brief();
    data.economies[0].iso3 = "QQQ".to_owned();
    assert!(html::render(&data).contains("Not on the map: Economy AFG"));
}

#[test]
fn hostile_names_are_text() {
    let hostile = "<script>alert(1)</script>\u{1b}[2J\u{202e}\"'&";
    let mut data = fixture::country_with_families();
    let family = &mut data.families[0];
    for text in [&mut family.name, &mut family.survey_id, &mut family.currency, &mut family.poverty_line] {
        *text = hostile.to_owned();
    }
    family.sources[1].source = hostile.to_owned();
    family.balance.capture_ratio = None;
    family.balance.missing = Some(hostile.to_owned());
    for e in &mut data.economies {
        e.name = hostile.to_owned();
    }
    for g in &mut data.groups {
        g.name = hostile.to_owned();
    }
    for s in &mut data.sources {
        s.dataset = hostile.to_owned();
        s.url = Some("javascript:alert(1)".to_owned());
        s.caveats = Some(hostile.to_owned());
    }
    for c in &mut data.corridors {
        c.sender_name = hostile.to_owned();
    }
    let mut world = data.clone();
    world.country = None;
    if let Some(country) = &mut data.country {
        country.name = hostile.to_owned();
        country.inward[0].sender_name = hostile.to_owned();
    }
    for data in [data, world] {
        let page = html::render(&data);
        assert_well_formed(&page);
        assert!(!page.contains("<script") && !page.contains("javascript:"), "{page}");
        let text = text::render(&data, 80, false);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}
