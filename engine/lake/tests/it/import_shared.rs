//! The publishers' real files, with the figures counted independently of us.

use std::collections::BTreeMap;

use crate::shared;
use crate::support::{Scratch, sum};

#[test]
fn world_bank_values_are_all_there() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    s.import(&[data.join("worldbank_wdi")]).unwrap();
    s.check_whole();
    let mut filled: BTreeMap<String, usize> = BTreeMap::new();
    for row in s.rows("observation").iter().chain(&s.rows("aggregate_observation")) {
        *filled.entry(row["indicator"].clone()).or_default() += 1;
    }
    let expected = [
        ("BX.TRF.PWKR.CD.DT", 10_042),
        ("DT.ODA.ALLD.CD", 11_656),
        ("BM.TRF.PWKR.CD.DT", 8_987),
        ("BX.TRF.PWKR.DT.GD.ZS", 8_602),
        ("SI.RMT.COST.IB.ZS", 956),
        ("SI.RMT.COST.OB.ZS", 394),
        ("NY.GDP.MKTP.CD", 13_365),
        ("NY.GDP.PCAP.CD", 13_365),
        ("NY.GNP.MKTP.CD", 11_980),
        ("PA.NUS.FCRF", 11_285),
        ("PA.NUS.PPP", 5_816),
        ("FP.CPI.TOTL.ZG", 10_434),
        ("DT.ODA.ODAT.GN.ZS", 9_170),
    ];
    for (indicator, cells) in expected {
        assert_eq!(filled.get(indicator), Some(&cells), "{indicator}");
    }
    let economies: std::collections::BTreeSet<_> =
        s.rows("observation").into_iter().map(|r| r["iso3"].clone()).collect();
    assert!(economies.len() <= 217 && economies.contains("NAM") && !economies.contains("WLD"), "{}", economies.len());
    assert!(!s.import(&[data.join("worldbank_wdi")]).unwrap().changed);
}

#[test]
fn matrix_stocks_and_aid() {
    let Some(data) = shared("data") else { return };
    let s = Scratch::new();
    s.import(&[
        data.join("knomad/bilateral_remittance_matrix_2021_0.xlsx"),
        data.join("undesa/undesa_pd_2020_ims_stock_by_sex_and_destination.xlsx"),
        data.join("oecd_dac/dac2a_alld_net_oda_current.csv"),
        data.join("oecd_dac/dac2a_alld_measure286_current.csv"),
    ])
    .unwrap();
    s.check_whole();
    let flow = |from: &str, to: &str| {
        let dollars = s.value("corridor_flow", &[("sender_iso3", from), ("receiver_iso3", to)], "remittance_usd");
        (dollars.unwrap() / 1e3).round() / 1e3
    };
    assert_eq!((flow("USA", "MEX"), flow("MEX", "USA")), (52_595.343, 1_844.684));
    let flows = s.rows("corridor_flow");
    assert_eq!(flows.iter().filter(|r| r["remittance_usd"].parse::<f64>().unwrap() > 0.0).count(), 10_227);
    let aggregates = s.rows("aggregate_observation");
    let world: Vec<_> = aggregates.iter().filter(|r| r["indicator"] == "KNOMAD.BRM").cloned().collect();
    assert!((sum(&flows, "remittance_usd") / sum(&world, "value") - 1.0).abs() < 1e-9);
    let mut stocks = s.rows("migrant_stock_total");
    stocks.retain(|r| r["year"] == "2020" && r["sex"] == "both");
    assert_eq!((stocks.len(), sum(&stocks, "stock_persons")), (232, 280_598_105.0));
    let aid = s.rows("aid_flow");
    let apart = aggregates.iter().filter(|r| r["indicator"].starts_with("DAC2A.ALLD.206")).count();
    let net = aid.iter().filter(|r| r["measure"] == "206").count();
    assert_eq!(net + apart, 4_581);
    assert!(apart > 0 && aggregates.iter().any(|r| r["aggregate_code"] == "F4_X"));
    assert!(aid.iter().any(|r| r["recipient_iso3"] == "XKX") && !aid.iter().any(|r| r["recipient_iso3"] == "XKV"));
    assert!(aid.iter().any(|r| r["measure"] == "286") && aid.iter().any(|r| r["recipient_iso3"] == "NAM"));
}
