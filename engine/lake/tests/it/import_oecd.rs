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
fn line_ends_and_encodings_of_all_kinds() {
    let text = "DONOR,RECIPIENT,MEASURE,FLOW_TYPE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT\n\
        ALLD,KEN,206,D,V,2005,760,USD,6\nALLD,CIV,206,D,V,2005,1.5,USD,6\n";
    let utf16: Vec<u8> =
        format!("\u{feff}{}", text.replace(',', ";")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mixed = text.replacen('\n', "\r", 1);
    for bytes in
        [text.replace('\n', "\r"), text.replace('\n', "\r\n"), mixed].map(String::into_bytes).into_iter().chain([utf16])
    {
        let s = Scratch::new();
        s.import_bytes("aid.csv", &bytes).unwrap();
        assert_eq!(s.rows("aid_flow").len(), 2, "{:?}", String::from_utf8_lossy(&bytes));
    }
    let wrong = text.replace('\n', "\r").replace("1.5", "1.5x");
    Scratch::new().refuses("aid.csv", wrong, &["row 3", "OBS_VALUE", "`1.5x`"]);
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

/// As the publisher's service writes it, with a column of words behind each column of codes.
const DAC1: &str = "\u{feff}STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,DONOR,Donor,SECTOR,Sector,MEASURE,Measure,TYING_STATUS,Tying status,\
    FLOW_TYPE,Flow type,UNIT_MEASURE,Unit of measure,PRICE_BASE,Price base,TIME_PERIOD,Time period,OBS_VALUE,Observation value,\
    BASE_PER,Base period,OBS_STATUS,Observation status,UNIT_MULT,Unit multiplier,DECIMALS,Decimals\n";

/// Donor, flow, unit, price basis, year, value, base year, power of ten.
fn dac1([donor, flow, unit, price, year, value, base, power]: [&str; 8]) -> String {
    format!(
        "DATAFLOW,OECD.DCD.FSD:DSD_DAC1@DF_DAC1(1.7),\"DAC1: Flows by provider (ODA+OOF+Private)\",I,{donor},,_Z,Not applicable,\
        1010,\"I. Official Development Assistance (ODA) (I.A + I.B)\",_Z,Not applicable,{flow},\"Disbursements, net\",{unit},,\
        {price},Current prices,{year},,{value},,{base},,A,Normal value,{power},Millions,2,Two\n"
    )
}

#[test]
fn flows_of_donors_in_dollars_and_as_a_share() {
    let s = Scratch::new();
    let text = [
        DAC1.to_owned(),
        dac1(["FRA", "1140", "USD", "V", "2021", "15506.29", "", "6"]),
        dac1(["FRA", "1140", "USD", "Q", "2021", "15000", "2022", "6"]),
        dac1(["FRA", "1160", "PT_B5G", "V", "2021", "0.51", "", "0"]),
        dac1(["DAC", "1140", "USD", "V", "2021", "185000", "", "6"]),
        dac1(["5WB0", "1140", "USD", "V", "2021", "20000", "", "6"]),
        dac1(["DAC", "1140", "USD", "V", "2022", "", "", "6"]),
    ]
    .concat();
    let report = s.import_bytes("dac1.csv", &text).unwrap();
    s.check_whole();
    let file = &report.files[0];
    assert_eq!((file.source_id.as_deref(), file.rows), (Some("oecd.dac1"), 8));
    let notes = file.notes.join("\n");
    assert!(notes.contains("3 values of 1 donors, 2 of aggregates") && notes.contains("at prices of 2022"), "{notes}");
    let value = |indicator: &str| s.value("observation", &[("indicator", indicator), ("iso3", "FRA")], "value");
    assert_eq!(value("DAC1.1010.V.1140"), Some(15_506_290_000.0));
    assert_eq!(value("DAC1.1010.Q.1140"), Some(15_000_000_000.0));
    assert_eq!(value("DAC1.1010.V.1160.PT_B5G"), Some(0.51));
    let rows = s.rows("observation");
    let unit = |indicator: &str| rows.iter().find(|r| r["indicator"] == indicator).unwrap()["unit"].clone();
    assert_eq!(unit("DAC1.1010.Q.1140"), "US dollars at prices of 2022");
    assert_eq!(unit("DAC1.1010.V.1160.PT_B5G"), "percent of GNI");
    let mut apart: Vec<String> = s.rows("aggregate_observation").iter().map(|r| r["aggregate_code"].clone()).collect();
    apart.sort();
    assert_eq!(apart, ["5WB0", "DAC"]);
    let names = s.rows("indicator");
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|r| r["name"].starts_with("I. Official Development Assistance")), "{names:?}");

    // What differs in kind is never one series: bases of constant prices, currencies unknown.
    let mixed = text + &dac1(["DEU", "1140", "USD", "Q", "2021", "1", "2023", "6"]);
    s.refuses("mixed.csv", mixed, &["row 8", "BASE_PER", "2023", "2022"]);
    let unknown = DAC1.to_owned() + &dac1(["FRX", "1140", "USD", "V", "2021", "1", "", "6"]);
    s.refuses("unknown.csv", unknown, &["row 2", "DONOR", "unknown country `FRX`"]);
    let power = DAC1.to_owned() + &dac1(["FRA", "1140", "USD", "V", "2021", "1", "", "six"]);
    s.refuses("power.csv", power, &["row 2", "UNIT_MULT", "`six`"]);
}

#[test]
fn sectors_of_donors() {
    let s = Scratch::new();
    let text = "DATAFLOW,DONOR,SECTOR,MEASURE,FLOW_TYPE,UNIT_MEASURE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MULT\n\
        OECD.DCD.FSD:DSD_DAC5@DF_DAC5(1.0),NOR,1000,528,C,USD,V,2020,10,6\n\
        OECD.DCD.FSD:DSD_DAC5@DF_DAC5(1.0),NOR,110,528,C,USD,V,2020,2.5,6\n";
    let report = s.import_bytes("dac5.csv", text).unwrap();
    assert_eq!(report.files[0].source_id.as_deref(), Some("oecd.dac5"));
    // As read into R the dataflow is not there: the columns say it.
    let bare: String = text.lines().map(|l| l.split_once(',').unwrap().1.to_owned() + "\n").collect();
    assert_eq!(Scratch::new().import_bytes("dac5.csv", bare).unwrap().files[0].source_id.as_deref(), Some("oecd.dac5"));
    let value = |indicator: &str| s.value("observation", &[("indicator", indicator), ("iso3", "NOR")], "value");
    assert_eq!(value("DAC5.528.V.C"), Some(10e6));
    assert_eq!(value("DAC5.528.V.C.SECTOR=110"), Some(2.5e6));
}

const CRS: &str = "DATAFLOW,DONOR,RECIPIENT,SECTOR,MEASURE,CHANNEL,MODALITY,FLOW_TYPE,PRICE_BASE,MD_DIM,MD_ID,UNIT_MEASURE,TIME_PERIOD,\
    OBS_VALUE,BASE_PER,UNIT_MULT,OBS_STATUS\n";

#[test]
fn totals_of_the_crs_are_aid_and_its_parts_are_not() {
    let s = Scratch::new();
    let row = |sector: &str, channel: &str, dim: &str, id: &str, value: &str| {
        format!(
            "OECD.DCD.FSD:DSD_CRS@DF_CRS(1.6),USA,KEN,{sector},100,{channel},_T,D,V,{dim},{id},USD,2021,{value},,6,A\n"
        )
    };
    let activities = CRS.to_owned() + &row("11110", "0", "DD", "T1", "0.5") + &row("11110", "0", "DD", "T2", "0.25");
    s.refuses("activities.csv", &activities, &["activities.csv", "single activities", "MD_DIM _T"]);
    let text = activities
        + &row("1000", "_T", "_T", "_T", "900")
        + &row("110", "_T", "_T", "_T", "90")
        + &row("110", "20000", "_T", "_T", "9");
    let report = s.import_bytes("crs.csv", &text).unwrap();
    let notes = report.files[0].notes.join("\n");
    assert!(notes.contains("2 rows left out: they are single activities"), "{notes}");
    assert!(notes.contains("2 kinds of value are parts of a total"), "{notes}");
    let aid = s.rows("aid_flow");
    assert_eq!(aid.len(), 1, "one total: a sum of it counts nothing twice");
    assert_eq!(
        s.value("aid_flow", &[("donor_code", "USA"), ("recipient_iso3", "KEN"), ("measure", "100")], "aid_usd"),
        Some(9e8)
    );
    let part = |indicator: &str| s.value("observation", &[("indicator", indicator)], "value");
    assert_eq!(part("CRS.USA.100.V.D.SECTOR=110"), Some(9e7));
    assert_eq!(part("CRS.USA.100.V.D.CHANNEL=20000.SECTOR=110"), Some(9e6));
}

/// Longer than what is held in memory: read from disk, on several threads.
#[test]
fn a_large_file_is_read_from_disk() {
    let lines = |wrong: Option<(usize, &str)>| {
        let mut text = String::from(
            "DONOR,RECIPIENT,MEASURE,FLOW_TYPE,PRICE_BASE,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT,OBS_STATUS,Remark\n",
        );
        let places = ["KEN", "NAM", "XKV", "MEX", "PHL", "F4_X", "IND", "NPL", "SEN", "HTI"];
        for n in 0..330_000usize {
            let (place, year, measure) = (places[n % 10], 1960 + n / 10 % 60, 201 + n / 600);
            let value = if let Some((at, value)) = wrong
                && at == n
            {
                value.to_owned()
            } else {
                format!("{}.5", n)
            };
            text += &format!(
                "USA,{place},{measure},D,V,{year},{value},USD,6,A,\"words, and more \"\"words\"\" at no cost\"\n"
            );
        }
        text
    };
    let s = Scratch::new();
    let text = lines(None);
    assert!(text.len() > 17 << 20, "{}", text.len());
    let path = s.put("large.csv", &text);
    let report = s.import(std::slice::from_ref(&path)).unwrap();
    s.check_whole();
    let notes = report.files[0].notes.join("\n");
    assert!(
        notes.contains("297000 values of 9 recipients, 33000 of aggregates") && notes.contains("too large"),
        "{notes}"
    );
    let rows = s.rows("aid_flow");
    let value = |place: &str, measure: &str, year: &str| {
        let row = rows.iter().find(|r| [&r["recipient_iso3"], &r["measure"], &r["year"]] == [place, measure, year]);
        row.map(|r| r["aid_usd"].parse::<f64>().unwrap())
    };
    assert_eq!(value("KEN", "201", "1960"), Some(500_000.0));
    assert_eq!(value("XKX", "750", "2019"), Some((549.0 * 600.0 + 592.5) * 1e6));
    assert!(!s.import(&[path]).unwrap().changed);

    let line = |n: usize| format!("row {}", n + 2);
    // The reader is blocks ahead when the first one fails, and must not wait for threads that have stopped.
    s.refuses("early.csv", lines(Some((68_000, "1.5x"))), &["early.csv", &line(68_000), "`1.5x`"]);
    s.refuses("wrong.csv", lines(Some((200_000, "1.5x"))), &["wrong.csv", &line(200_000), "`1.5x`"]);
    s.refuses("cut.csv", text.trim_end(), &["cut.csv", "no line end"]);
    let again = format!("{text}USA,KEN,201,D,V,1960,7,USD,6,A,x\n");
    s.refuses("again.csv", again, &["duplicate key", "row 2 has it already", &line(330_000)]);
}

/// One file of each form that these tests know, for damage: see `fuzz.rs`.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let crs = "OECD.DCD.FSD:DSD_CRS@DF_CRS(1.6),USA,KEN,1000,100,_T,_T,D,V,_T,_T,USD,2021,900,,6,A\n";
    vec![
        [DAC1, &dac1(["FRA", "1140", "USD", "V", "2021", "15506.29", "2022", "6"])].concat().into_bytes(),
        [CRS, crs].concat().into_bytes(),
    ]
}
