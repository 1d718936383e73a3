//! No bytes make an import panic, and none that are refused leave a trace.
//!
//! Some hundred damaged files a run, always the same ones. For more, or others:
//!
//! ```text
//! ENVOI_FUZZ_CASES=100000 ENVOI_FUZZ_SEED=7 cargo test --release -p envoi-lake --test it fuzz
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use envoi_lake::import::{Options, mapping};

use crate::damage::{Dice, damage};
use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, day, fixture, fixture_bytes, fixture_text};
use crate::workbooks::{Matrix, stocks_2020, stocks_2024_pairs};
use crate::{
    dta, import_data360, import_oecd, import_oecd_lists, import_prices, import_rpw_firms, import_series,
    import_undesa_pairs, import_worldbank, import_worldbank_groups, import_worldbank_json,
};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Damages files of every form in turn and gives them to `import`; one that panics is named by its number.
fn every(seeds: &[Vec<u8>], cases: u64, import: impl Fn(&Scratch, &[u8]) -> bool) {
    let (cases, begin) = (number("ENVOI_FUZZ_CASES", cases), number("ENVOI_FUZZ_SEED", 0));
    for case in begin..begin + cases {
        let mut dice = Dice::new(case);
        let seed = case as usize % seeds.len();
        let bytes = damage(&seeds[seed], &mut dice);
        let s = Scratch::new();
        let outcome = catch_unwind(AssertUnwindSafe(|| import(&s, &bytes)));
        let again = format!("ENVOI_FUZZ_CASES=1 ENVOI_FUZZ_SEED={case}, form {seed}");
        match outcome {
            Err(_) => panic!("{again}: panics"),
            Ok(false) => assert!(s.snapshot().is_empty(), "{again}: refused, and something is left"),
            Ok(true) => {}
        }
    }
}

#[test]
fn publishers_files() {
    let mut seeds = vec![
        fixture_bytes(WDI_REMITTANCES),
        fixture_bytes("worldbank/Metadata_Country_API_BX.TRF.PWKR.CD.DT_DS2_en_csv_v2_101.csv"),
        fixture_bytes(DAC2A),
        Matrix::default().book(),
        stocks_2020().book(),
        stocks_2024_pairs().book(),
    ];
    seeds.extend(import_data360::seeds());
    seeds.extend(import_oecd::seeds());
    seeds.extend(import_oecd_lists::seeds());
    seeds.extend(import_prices::seeds());
    seeds.extend(import_rpw_firms::seeds());
    seeds.extend(import_series::seeds());
    seeds.extend(import_undesa_pairs::seeds());
    seeds.extend(import_worldbank::seeds());
    seeds.extend(import_worldbank_groups::seeds());
    seeds.extend(import_worldbank_json::seeds());
    // Metadata of the World Bank name no edition.
    let dated = Options { vintage: Some(day("2025-01-31")), ..Options::default() };
    let import = |s: &Scratch, bytes: &[u8]| s.import_with(&[s.put("damaged.csv", bytes)], &dated).map(|_| ());
    for (form, seed) in seeds.iter().enumerate() {
        // A form that is refused whole would test nothing.
        import(&Scratch::new(), seed).unwrap_or_else(|e| panic!("form {form}: {e}"));
    }
    every(&seeds, 250, |s, bytes| import(s, bytes).is_ok());
}

#[test]
fn stata_files() {
    let seeds: Vec<Vec<u8>> = dta::every_version().into_iter().map(|(_, bytes)| bytes).collect();
    every(&seeds, 400, |s, bytes| s.import_bytes("damaged.dta", bytes).is_ok());
}

#[test]
fn surveys() {
    let names = ["households.csv", "persons.csv", "income.csv"];
    let seeds = names.map(|name| fixture_bytes(&format!("survey/{name}")));
    let text = fixture_text("survey/ton_example_2015.toml");
    let mappings = vec![Arc::new(mapping(&text, "ton_example_2015.toml").unwrap())];
    let options = Options { mappings, ..Options::default() };
    every(&seeds, 120, |s, bytes| {
        // The damaged file takes the place of the one that it was.
        let which = seeds.iter().position(|seed| seed.get(..8) == bytes.get(..8)).unwrap_or(0);
        let mut paths: Vec<_> = names.iter().map(|name| fixture(&format!("survey/{name}"))).collect();
        paths[which] = s.put(names[which], bytes);
        s.import_with(&paths, &options).is_ok()
    });
}

#[test]
fn any_bytes() {
    every(&[vec![0; 400], (0..=255).collect()], 60, |s, bytes| s.import_bytes("any", bytes).is_ok());
}
