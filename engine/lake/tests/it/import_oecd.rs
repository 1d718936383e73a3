//! DAC2A: dialects of SDMX-CSV, prices, donors, recipients.

use crate::support::{DAC2A, Scratch, fixture, fixture_text};

fn aid(s: &Scratch, keys: &[(&str, &str)]) -> Option<f64> {
    s.value("aid_flow", keys, "aid_usd")
}

#[test]
fn fixture_as_from_r() {
    let s = Scratch::new();
    s.import(&[fixture(DAC2A)]).unwrap();
    s.check_whole();
    let rows = s.rows("aid_flow");
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|r| r["donor_code"] == "ALLD" && r["measure"] == "206" && r["price_basis"] == "V"));
    assert_eq!(aid(&s, &[("recipient_iso3", "KEN"), ("year", "2021")]), Some(3_000_500_000.0));
    assert_eq!(aid(&s, &[("recipient_iso3", "NAM")]), Some(-2_500_000.0));
    assert_eq!(aid(&s, &[("recipient_iso3", "XKX")]), Some(450_250_000.0), "XKV is Kosovo");
    assert_eq!(rows.iter().find(|r| r["recipient_iso3"] == "NAM").unwrap()["obs_status"], "E");
    let apart = s.rows("aggregate_observation");
    assert_eq!((apart.len(), apart[0]["aggregate_code"].as_str()), (1, "F4_X"));
}

#[test]
fn dialect_of_the_api_with_labels() {
    let s = Scratch::new();
    let text = "STRUCTURE,STRUCTURE_ID,ACTION,DONOR: Donor,RECIPIENT: Recipient,MEASURE: Measure,FLOW_TYPE: Flow type,\
        PRICE_BASE: Price base,TIME_PERIOD: Time period,OBS_VALUE,UNIT_MEASURE: Unit,UNIT_MULT: Unit multiplier,OBS_STATUS: Status\n\
        DATAFLOW,OECD.DCD.FSD:DSD_DAC2@DF_DAC2A(1.6),I,ALLD: All donors,KEN: Kenya,206: Net ODA,D: Disbursements,V: Current,2021,1.5,USD: US dollar,6: Millions,A: Normal\n\
        DATAFLOW,OECD.DCD.FSD:DSD_DAC2@DF_DAC2A(1.6),I,ALLD: All donors,KEN: Kenya,206: Net ODA,D: Disbursements,Q: Constant,2021,1.25,USD: US dollar,6: Millions,A: Normal\n\
        DATAFLOW,OECD.DCD.FSD:DSD_DAC2@DF_DAC2A(1.6),I,USA: United States,KEN: Kenya,207: Grants,D: Disbursements,V: Current,2021,,USD: US dollar,6: Millions,A: Normal\n\
        DATAFLOW,OECD.DCD.FSD:DSD_DAC2@DF_DAC2A(1.6),I,USA: United States,NAM: Namibia,207: Grants,D: Disbursements,V: Current,2021,2,USD: US dollar,3: Thousands,A: Normal\n";
    s.import_bytes("dac2a.csv", text).unwrap();
    assert_eq!(s.rows("aid_flow").len(), 3);
    assert_eq!(aid(&s, &[("price_basis", "V"), ("measure", "206")]), Some(1_500_000.0));
    assert_eq!(aid(&s, &[("price_basis", "Q")]), Some(1_250_000.0));
    assert_eq!(aid(&s, &[("donor_code", "USA")]), Some(2_000.0));
    assert!(s.rows("aid_flow").iter().all(|r| r["obs_status"] == "A"));
}

#[test]
fn measures_stand_side_by_side() {
    let s = Scratch::new();
    s.import(&[fixture(DAC2A)]).unwrap();
    s.import_bytes("gross.csv", fixture_text(DAC2A).replace("\"206\"", "\"286\"")).unwrap();
    assert_eq!(s.rows("aid_flow").len(), 10);
}

#[test]
fn what_is_wrong_is_named() {
    let s = Scratch::new();
    let refuses = |from: &str, to: &str, words: &[&str]| {
        drop(s.refuses("dac.csv", fixture_text(DAC2A).replacen(from, to, 1), words));
    };
    refuses("\"3000.5\"", "\"3,000.5\"", &["dac.csv", "row 2", "column `ObsValue`", "`3,000.5` is not a number"]);
    refuses("\"NAM\"", "\"NAN\"", &["dac.csv", "row 4", "RECIPIENT", "unknown country `NAN`"]);
    refuses("\"2021\"", "\"2O21\"", &["row 2", "TIME_PERIOD", "`2O21` is not a year"]);
    refuses("\"2022\"", "\"2021\"", &["row 3", "duplicate key", "KEN", "2021", "row 2"]);
    refuses("\"USD\"", "\"EUR\"", &["row 2", "UNIT_MEASURE", "`EUR`"]);
    refuses("UNIT_MULT", "MULTIPLIER", &["UNIT_MULT"]);
    refuses("ObsValue", "Amount", &["dac.csv", "OBS_VALUE"]);
    assert!(!s.root().exists());
}
