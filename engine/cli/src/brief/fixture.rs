//! A brief of a hundred invented economies under real codes, for tests.

use super::data::{
    BriefData, Corridor, CountryPage, EconomyYear, Figure, GroupYear, GrowthPanel, SourceLine, YearCoverage,
};
use super::family::{Balance, Effect, Family, IncomeSource, Lorenz, Quintile};

const CODES: &str = "AFG ALB DZA AGO ARG ARM AZE BGD BLR BLZ BEN BTN BOL BIH BWA BRA BGR BFA BDI CPV KHM CMR CAF TCD \
    CHN COL COM COD COG CRI CIV CUB DJI DMA DOM ECU EGY SLV GNQ ERI SWZ ETH FJI GAB GMB GEO GHA GRD GTM GIN GNB HTI \
    HND IND IDN IRN IRQ JAM JOR KAZ KEN KIR XKX KGZ LAO LBN LSO LBR LBY MDG MWI MYS MDV MLI MHL MRT MUS MEX FSM MDA \
    MNG MNE MAR MOZ MMR NAM NPL NIC NER NGA MKD PAK PNG PRY PER PHL RWA WSM STP SEN TON TUV VUT";

/// The economies of the fixture: three income groups in turn, ratios from a
/// hundredth to a hundred, some values missing, one ODA negative.
pub(super) fn economies(year: i32) -> Vec<EconomyYear> {
    let rows = CODES.split_whitespace().enumerate().map(|(i, iso3)| {
        let remittance_usd = (i % 17 != 5).then(|| 1e7 * ((i * 7919) % 997 + 3) as f64);
        let ratio = 10f64.powf(((i * 31) % 41) as f64 / 10.0 - 2.0);
        let oda_usd = match i {
            24 => Some(-2.5e8),
            _ if i % 19 == 7 => None,
            _ => Some((remittance_usd.unwrap_or(2e8) / ratio).min(4e9)),
        };
        let gdp_usd = (i % 11 != 3).then_some(1e10 * (i + 1) as f64);
        EconomyYear {
            iso3: iso3.to_owned(),
            name: format!("Economy {iso3}"),
            year,
            income: Some(["LIC", "LMC", "UMC"][i % 3].to_owned()),
            remittance_usd,
            oda_usd,
            ratio: remittance_usd.zip(oda_usd).filter(|(_, a)| *a > 0.0).map(|(r, a)| r / a),
            exceeds: remittance_usd.zip(oda_usd).map(|(r, a)| r > a),
            remittance_gdp_share: remittance_usd.zip(gdp_usd).map(|(r, g)| r / g),
            remittance_per_head_usd: remittance_usd.map(|r| r / 1e7),
            oda_per_head_usd: oda_usd.map(|a| a / 1e7),
        }
    });
    rows.collect()
}

fn group(kind: &str, code: &str, name: &str, year: i32, members: &[&EconomyYear]) -> GroupYear {
    let both: Vec<_> = members.iter().filter_map(|e| e.remittance_usd.zip(e.oda_usd)).collect();
    let remittance = both.iter().map(|p| p.0).sum::<f64>();
    let oda = both.iter().map(|p| p.1).sum::<f64>();
    GroupYear {
        kind: kind.to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        year,
        economies: members.len() as i64,
        with_both: both.len() as i64,
        exceeding: both.iter().filter(|p| p.0 > p.1).count() as i64,
        remittance_usd: Some(remittance),
        oda_usd: Some(oda),
        ratio: Some(remittance / oda),
        coverage: Some(both.len() as f64 / members.len() as f64),
    }
}

/// A full brief for 2023 with a partial 2024.
pub(super) fn brief() -> BriefData {
    let rows = economies(2023);
    let mut groups = Vec::new();
    for year in [2000, 2010, 2022, 2023] {
        groups.push(group("lmic", "LMY", "Low & middle income", year, &rows.iter().collect::<Vec<_>>()));
        for (code, name) in [("LIC", "Low income"), ("LMC", "Lower middle income"), ("UMC", "Upper middle income")] {
            let members: Vec<_> = rows.iter().filter(|e| e.income.as_deref() == Some(code)).collect();
            groups.push(group("income", code, name, year, &members));
        }
        for (code, name) in [("SAS", "South Asia"), ("SSF", "Sub-Saharan Africa")] {
            let members: Vec<_> = rows.iter().skip(usize::from(code == "SSF")).step_by(2).collect();
            groups.push(group("region", code, name, year, &members));
        }
    }
    let cover = |year, with_remittance, with_oda, with_gdp_share| YearCoverage {
        year,
        with_remittance,
        with_oda,
        with_both: i64::min(with_remittance, with_oda),
        with_gdp_share,
    };
    BriefData {
        year: Some(2023),
        complete_year: Some(2023),
        gdp_year: Some(2022),
        coverage: vec![cover(2022, 201, 136, 183), cover(2023, 201, 136, 0), cover(2024, 106, 0, 0)],
        groups,
        gdp_economies: economies(2022),
        economies: rows,
        corridors: vec![corridor("USA", "MEX", 52.595_343e9), corridor("ARE", "IND", 19.821e9)],
        panels: vec![GrowthPanel { year: 2024, economies: 106, remittance_usd: 107.567e9, previous_usd: 100e9 }],
        sources: vec![
            source("World Development Indicators", "2025-07-01", vec![Figure::Remittance, Figure::Group]),
            source("World Development Indicators", "2025-10-07", vec![Figure::Oda]),
            source("Bilateral remittance matrix", "2022-12-01", vec![Figure::Corridor]),
        ],
        ..BriefData::default()
    }
}

/// Families of one economy: invented figures of an invented survey.
pub(super) fn family(iso3: &str, name: &str) -> Family {
    let effect = |scale: &str, measure: &str, without: f64, difference: f64, se: f64| Effect {
        scale: scale.to_owned(),
        measure: measure.to_owned(),
        with: Some(without + difference),
        without: Some(without),
        difference: Some(difference),
        with_se: Some(3.0 * se),
        se: Some(se),
        ci_low: Some(difference - 2.0 * se),
        ci_high: Some(difference + 2.0 * se),
        errors_missing: None,
    };
    let fifth = |quintile: i64, receiving: f64, distribution: f64, income: f64| Quintile {
        quintile,
        receiving: Some(receiving),
        distribution: Some(distribution),
        income: Some(income),
    };
    let source = |source: &str, income: f64, inequality: f64| IncomeSource {
        source: source.to_owned(),
        income_share: Some(income),
        inequality_share: Some(inequality),
        elasticity: Some(inequality - income),
    };
    let curve = |power: f64| (0..=Lorenz::POINTS as usize).map(|i| Lorenz::at(i).powf(power)).collect();
    Family {
        survey_id: format!("synthetic_{}_2019", iso3.to_lowercase()),
        name: name.to_owned(),
        year: 2019,
        source_id: "envoi.synthetic".to_owned(),
        vintage: "2020-01-01".to_owned(),
        currency: "USD".to_owned(),
        households_sampled: 2400,
        households: Some(40e6),
        poverty_line: "0.6 median".to_owned(),
        line: Some(1840.0),
        line_missing: None,
        equivalence_scale: "per_head".to_owned(),
        counterfactual: "subtraction".to_owned(),
        effects: vec![
            effect("survey", "receiving_households", 0.0, 0.081, 0.004),
            effect("survey", "headcount", 0.271, -0.023, 0.003),
            effect("survey", "gap", 0.094, -0.014, 0.002),
            effect("survey", "severity", 0.046, -0.009, 0.002),
            effect("survey", "gini", 0.452, -0.005, 0.003),
            effect("amount", "headcount", 0.271, -0.034, 0.005),
            effect("weight", "headcount", 0.289, -0.061, 0.007),
            effect("both", "headcount", 0.28, -0.049, 0.006),
        ],
        quintiles: vec![
            fifth(1, 0.13, 0.24, 0.21),
            fifth(2, 0.1, 0.21, 0.09),
            fifth(3, 0.08, 0.2, 0.06),
            fifth(4, 0.06, 0.18, 0.04),
            fifth(5, 0.04, 0.17, 0.01),
        ],
        sources: vec![
            source("labour", 0.71, 0.74),
            source("farm", 0.2, 0.195),
            source("remittance", 0.05, 0.04),
            source("transfer", 0.03, 0.022),
            source("remittance_domestic", 0.01, 0.003),
        ],
        lorenz: Lorenz { with: curve(2.5), without: curve(2.6) },
        balance: Balance {
            survey_usd: Some(15.6e9),
            balance_usd: Some(39.0e9),
            capture_ratio: Some(0.4),
            missing: None,
            oda_usd: Some(0.9e9),
            gdp_share: Some(0.031),
            remittance_per_head_usd: Some(306.0),
            oda_per_head_usd: Some(7.1),
        },
    }
}

/// The world with families of three economies, and the source of their surveys.
pub(super) fn with_families() -> BriefData {
    let mut data = brief();
    data.families = [("MEX", "Mexico"), ("NPL", "Nepal"), ("SEN", "Senegal")].map(|(c, n)| family(c, n)).to_vec();
    data.sources.push(survey());
    data
}

/// The page of one economy with its families.
pub(super) fn country_with_families() -> BriefData {
    let mut data = country();
    data.families = vec![family("MEX", "Mexico")];
    data.sources.push(survey());
    data
}

fn survey() -> SourceLine {
    SourceLine {
        source_id: "envoi.synthetic".to_owned(),
        licence: "CC0 1.0".to_owned(),
        provider: "envoi".to_owned(),
        ..source("Synthetic households", "2020-01-01", vec![Figure::Household])
    }
}

/// The page of one economy.
pub(super) fn country() -> BriefData {
    let series = (2015..=2024)
        .map(|year| EconomyYear {
            year,
            oda_usd: (year < 2024).then_some(5e8),
            ratio: (year < 2024).then_some(f64::from(year - 2014) * 2.0),
            exceeds: (year < 2024).then_some(true),
            remittance_usd: Some(1e9 * f64::from(year - 2014)),
            ..economies(year).swap_remove(77)
        })
        .collect();
    let page = CountryPage {
        iso3: "MEX".to_owned(),
        name: "Mexico".to_owned(),
        series,
        inward: vec![corridor("USA", "MEX", 52.595_343e9)],
        outward: vec![corridor("MEX", "USA", 1.844_684e9)],
    };
    BriefData { country: Some(page), ..brief() }
}

fn corridor(sender: &str, receiver: &str, usd: f64) -> Corridor {
    Corridor {
        sender_iso3: sender.to_owned(),
        sender_name: format!("Economy {sender}"),
        receiver_iso3: receiver.to_owned(),
        receiver_name: format!("Economy {receiver}"),
        year: 2021,
        remittance_usd: usd,
        receiver_share: Some(0.5),
        sender_share: None,
    }
}

fn source(dataset: &str, vintage: &str, figures: Vec<Figure>) -> SourceLine {
    SourceLine {
        figures,
        source_id: "worldbank".to_owned(),
        provider: "World Bank".to_owned(),
        dataset: dataset.to_owned(),
        vintage: vintage.to_owned(),
        licence: "CC BY 4.0".to_owned(),
        citation: format!("World Bank, {dataset}, {vintage}"),
        url: Some("https://data.worldbank.org".to_owned()),
        caveats: Some("The last year is partial.".to_owned()),
    }
}
