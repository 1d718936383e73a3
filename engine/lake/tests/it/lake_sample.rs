//! The sample lake against the figures it was made from.

use envoi_lake::sample;

use crate::support::{Scratch, run, sum};

#[test]
fn sample_holds_the_published_figures() {
    let s = Scratch::new();
    assert_eq!(run(sample::write(&s.lake)).unwrap(), 1);
    s.check_whole();
    assert!(s.manifest().sample);
    let column = |file: &str, name: &str| -> (usize, f64) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/sample/");
        let mut reader = csv::Reader::from_path(format!("{path}{file}")).unwrap();
        let index = reader.headers().unwrap().iter().position(|h| h == name).unwrap();
        let values = reader.records().map(|r| r.unwrap()[index].to_owned()).filter(|v| !v.is_empty());
        values.fold((0, 0.0), |(n, total), v| (n + 1, total + v.parse::<f64>().unwrap()))
    };
    let close = |name: &str, rows: usize, total: f64, expected: (usize, f64), scale: f64| {
        assert_eq!(rows, expected.0, "{name}");
        assert!((total / (expected.1 * scale) - 1.0).abs() < 1e-12, "{name}: {total}");
    };
    let observations = s.rows("observation");
    for (indicator, name, scale) in [
        ("BX.TRF.PWKR.CD.DT", "remittances_received_musd", 1e6),
        ("BM.TRF.PWKR.CD.DT", "remittances_paid_musd", 1e6),
        ("DT.ODA.ALLD.CD", "net_oda_received_musd", 1e6),
        ("NY.GDP.MKTP.CD", "gdp_musd", 1e6),
        ("SP.POP.TOTL", "population_thousands", 1e3),
    ] {
        let rows: Vec<_> = observations.iter().filter(|r| r["indicator"] == indicator).cloned().collect();
        close(indicator, rows.len(), sum(&rows, "value"), column("economy_year.csv", name), scale);
    }
    let flows = s.rows("corridor_flow");
    let expected = column("corridor_2021.csv", "remittances_musd");
    close("corridors", flows.len(), sum(&flows, "remittance_usd"), expected, 1e6);
    let stocks = s.rows("migrant_stock");
    let expected = column("migrant_stock_2019.csv", "stock_persons");
    close("stocks", stocks.len(), sum(&stocks, "stock_persons"), expected, 1.0);
    assert!(observations.iter().any(|r| r["iso3"] == "NAM"));
    assert!(s.rows("aggregate_observation").is_empty());
    assert!(run(sample::write(&s.lake)).unwrap_err().to_string().contains("already"));
}
