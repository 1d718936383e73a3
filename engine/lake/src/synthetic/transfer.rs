//! Rows of table `transfer`: who sends, by which corridor and when.
//!
//! ```text
//! sender -> corridor (by published flows), household, provider, usual amount
//! row    -> a sender, an amount near the usual one, and a moment: rows are in the order of time
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use chrono::{Datelike, Days, NaiveDate};

use super::design::digits;
use super::economy::Economies;
use super::random::{Stream, drawn};
use super::{MODEL, SOURCE_ID, Tally};
use crate::country::Concordance;
use crate::error::{Error, Result};
use crate::import::days;
use crate::sample::Sheet;
use crate::tables::TRANSFER;

/// The year of the corridors of the sample.
const YEAR: i32 = 2021;
/// Transactions of a sender in the year, on average.
const OF_A_SENDER: u64 = 9;
/// Senders for each household.
const SENDERS: u64 = 2;

const PURPOSES: [(&str, f64); 6] =
    [("living", 0.58), ("education", 0.72), ("health", 0.83), ("housing", 0.92), ("debt", 0.96), ("business", 1.0)];
const CHANNELS: [(&str, f64); 4] = [("cash", 0.42), ("bank", 0.7), ("mobile", 0.92), ("card", 1.0)];
const STATUSES: [(&str, f64); 3] = [("failed", 0.012), ("returned", 0.02), ("completed", 1.0)];

/// A provider that is nobody: name, share of senders (cumulated), fee in dollars, fee and margin in percent.
const PROVIDERS: [(&str, f64, f64, f64, f64); 6] = [
    ("synthetic provider A", 0.28, 4.99, 1.5, 2.2),
    ("synthetic provider B", 0.48, 3.99, 2.0, 1.6),
    ("synthetic provider C", 0.66, 1.99, 0.8, 0.6),
    ("synthetic provider D", 0.8, 0.0, 2.9, 0.4),
    ("synthetic provider E", 0.92, 25.0, 0.0, 3.1),
    ("synthetic provider F", 1.0, 0.99, 0.5, 0.2),
];

/// A pair of economies between which money moves.
#[derive(Debug, Clone)]
struct Corridor {
    sender: String,
    receiver: String,
    currency: Option<String>,
    /// Share of all flows, cumulated.
    until: f64,
}

/// The transactions of a year.
#[derive(Debug, Clone)]
pub(super) struct Transfers {
    pub(super) rows: u64,
    seed: u64,
    tag: String,
    senders: u64,
    corridors: Vec<Corridor>,
    /// Share of the year's transactions until the end of each day.
    days: Vec<f64>,
}

/// Day of the edition.
pub(super) fn vintage() -> NaiveDate {
    NaiveDate::from_ymd_opt(YEAR + 1, 1, 1).unwrap_or_default()
}

/// One transaction.
struct Sent {
    id: String,
    at: i64,
    corridor: usize,
    provider: &'static str,
    channel: &'static str,
    purpose: &'static str,
    sender: String,
    household: String,
    amount: f64,
    fee: f64,
    margin: f64,
    status: &'static str,
}

impl Transfers {
    /// So many transactions to those economies; `None`: to all of the sample's corridors.
    pub(super) fn new(rows: u64, seed: u64, economies: Option<&Economies>, tag: &str) -> Result<Self> {
        let corridors = corridors(economies)?;
        let senders = (rows / OF_A_SENDER).max(1);
        let seed = Stream::new(seed, &[MODEL, 1]).bits();
        Ok(Self { rows, seed, tag: tag.to_owned(), senders, corridors, days: calendar() })
    }

    /// Economies that receive, by code.
    pub(super) fn receivers(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = self.corridors.iter().map(|c| c.receiver.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    pub(super) fn batch(&self, from: u64, count: usize) -> Result<(RecordBatch, Tally)> {
        let until = from.saturating_add(count as u64).min(self.rows);
        let all: Vec<Sent> = (from..until).map(|row| self.sent(row)).collect();
        let tally =
            Tally { rows: all.len() as u64, amount: all.iter().map(|sent| sent.amount).sum(), ..Tally::default() };
        let columns = TRANSFER.columns.iter().map(|c| self.column(c.name, &all)).collect::<Result<Vec<_>>>()?;
        Ok((RecordBatch::try_new(TRANSFER.schema(), columns)?, tally))
    }

    fn sent(&self, row: u64) -> Sent {
        let mut stream = Stream::new(self.seed, &[2, row]);
        let moment = (row as f64 + stream.unit()) / self.rows as f64;
        let sender = stream.bits() % self.senders;
        let mut of_sender = Stream::new(self.seed, &[1, sender]);
        let at = of_sender.unit();
        let corridor = self.corridors.partition_point(|c| c.until <= at);
        let household = of_sender.bits() % (self.senders / SENDERS).max(1);
        let pick = |at: f64| PROVIDERS.iter().find(|p| at < p.1).unwrap_or(&PROVIDERS[0]);
        let usual = pick(of_sender.unit());
        let (size, channel) = (of_sender.normals().0, of_sender.unit());
        let (name, _, fixed, percent, margin) = if stream.happens(0.1) { pick(stream.unit()) } else { usual };
        let (noise, spread) = stream.normals();
        let amount = 210.0 * (0.65 * size - 0.21 + 0.25 * noise).exp();
        // People send round amounts.
        let step = if amount < 100.0 { 5.0 } else { 10.0 };
        let amount = ((amount / step).round() * step).max(5.0);
        let fee = ((fixed + amount * percent / 100.0) * 100.0).round() / 100.0;
        let margin = ((margin + 0.4 * spread) * 1000.0).round() / 1000.0;
        let channel = if stream.happens(0.08) { stream.unit() } else { channel };
        let (rows, people) = (digits(self.rows).max(6), digits(self.senders).max(6));
        Sent {
            id: format!("synthetic{}-{:0rows$}", self.tag, row + 1),
            at: self.moment(moment),
            corridor: corridor.min(self.corridors.len().saturating_sub(1)),
            provider: name,
            channel: of(&CHANNELS, channel),
            purpose: of(&PURPOSES, stream.unit()),
            sender: format!("S{:0people$}", sender + 1),
            household: format!("H{:0people$}", household + 1),
            amount,
            fee,
            margin,
            status: of(&STATUSES, stream.unit()),
        }
    }

    /// Microseconds since 1970 of a part of the year's transactions.
    fn moment(&self, part: f64) -> i64 {
        const DAY: f64 = 86_400e6;
        let day = drawn(&self.days, part);
        let before = if day == 0 { 0.0 } else { self.days.get(day - 1).copied().unwrap_or(0.0) };
        let here = self.days.get(day).copied().unwrap_or(1.0) - before;
        let within = if here > 0.0 { ((part - before) / here).clamp(0.0, 1.0) } else { 0.0 };
        let first = NaiveDate::from_ymd_opt(YEAR, 1, 1).unwrap_or_default();
        // To the second, and before the next day begins.
        let seconds = ((within * DAY / 1e6).floor()).min(86_399.0);
        (i64::from(days(first)) + day as i64) * 86_400_000_000 + (seconds * 1e6) as i64
    }

    fn column(&self, name: &str, all: &[Sent]) -> Result<ArrayRef> {
        fn texts<'a>(all: &'a [Sent], of: impl Fn(&'a Sent) -> Option<&'a str>) -> ArrayRef {
            Arc::new(StringArray::from_iter(all.iter().map(of)))
        }
        let number =
            |of: fn(&Sent) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(all.iter().map(of))) };
        let corridor = |sent: &Sent| self.corridors.get(sent.corridor);
        Ok(match name {
            "transfer_id" => texts(all, |s| Some(s.id.as_str())),
            "sent_at" => Arc::new(TimestampMicrosecondArray::from_iter_values(all.iter().map(|s| s.at))),
            "sender_iso3" => texts(all, |s| corridor(s).map(|c| c.sender.as_str())),
            "receiver_iso3" => texts(all, |s| corridor(s).map(|c| c.receiver.as_str())),
            "provider" => texts(all, |s| Some(s.provider)),
            "channel" => texts(all, |s| Some(s.channel)),
            "purpose" => texts(all, |s| Some(s.purpose)),
            "sender_id" => texts(all, |s| Some(s.sender.as_str())),
            "household_id" => texts(all, |s| Some(s.household.as_str())),
            "amount_usd" => number(|s| s.amount),
            "fee_usd" => number(|s| s.fee),
            "fx_margin_pct" => number(|s| s.margin),
            "currency" => texts(all, |s| corridor(s).and_then(|c| c.currency.as_deref())),
            "status" => texts(all, |s| Some(s.status)),
            "source_id" => texts(all, |_| Some(SOURCE_ID)),
            "vintage" => Arc::new(Date32Array::from_value(days(vintage()), all.len())),
            other => return Err(Error::Internal(format!("no synthetic value for column `{other}` of `transfer`"))),
        })
    }
}

/// The first of the names whose cumulated share is above `at`.
fn of(shares: &[(&'static str, f64)], at: f64) -> &'static str {
    shares.iter().find(|(_, until)| at < *until).or(shares.last()).map_or("", |(name, _)| name)
}

/// The sample's corridors to those economies, by size of flow.
fn corridors(economies: Option<&Economies>) -> Result<Vec<Corridor>> {
    let sheet = Sheet::open("corridor_2021.csv")?;
    let countries = Concordance::embedded()?.countries()?;
    let currency = |iso3: &str| {
        let of = countries.iter().find(|c| c.iso3.as_str() == iso3 && c.valid_to.is_none());
        of.and_then(|c| c.currency.clone())
    };
    let mut flows: Vec<(String, String, f64)> = Vec::new();
    for record in sheet.records() {
        let (sender, receiver) = (record.iso3("sender_iso3")?.to_owned(), record.iso3("receiver_iso3")?.to_owned());
        flows.push((sender, receiver, record.parse("remittances_musd")?));
    }
    let mut receivers: Vec<(String, f64)> = Vec::new();
    for (_, receiver, flow) in &flows {
        match receivers.iter_mut().find(|(code, _)| code == receiver) {
            Some((_, sum)) => *sum += flow,
            None => receivers.push((receiver.clone(), *flow)),
        }
    }
    receivers.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let known: Vec<String> = receivers.into_iter().map(|(code, _)| code).collect();
    let wanted = match economies {
        None => known,
        Some(Economies::Largest(n)) if *n > known.len() => {
            let what =
                format!("{n} economies are more than the {} that receive by a corridor of the sample", known.len());
            return Err(Error::Usage(what));
        }
        Some(Economies::Largest(n)) => known.into_iter().take(*n).collect(),
        Some(Economies::Named(codes)) => match codes.iter().find(|code| !known.contains(code)) {
            Some(code) => {
                let what = format!("no corridor of the sample leads to `{code}`; some lead to {}", known.join(" "));
                return Err(Error::Usage(what));
            }
            None => codes.clone(),
        },
    };
    flows.retain(|(_, receiver, _)| wanted.contains(receiver));
    let total: f64 = flows.iter().map(|(.., flow)| flow).sum();
    let mut until = 0.0;
    let corridor = |(sender, receiver, flow): (String, String, f64)| {
        until += flow / total;
        Corridor { currency: currency(&receiver), sender, receiver, until }
    };
    Ok(flows.into_iter().map(corridor).collect())
}

/// Shares of the days of the year, cumulated: more on pay days, before the end of the year, less on Sundays.
fn calendar() -> Vec<f64> {
    let first = NaiveDate::from_ymd_opt(YEAR, 1, 1).unwrap_or_default();
    let days = (0..365).filter_map(|n| first.checked_add_days(Days::new(n)));
    let weight = |day: NaiveDate| {
        let pay = if matches!(day.day(), 1 | 2 | 15 | 16) { 1.35 } else { 1.0 };
        let season = match day.month() {
            12 => 1.25,
            5 | 7 => 1.08,
            1 | 2 => 0.88,
            _ => 1.0,
        };
        let week = if day.weekday() == chrono::Weekday::Sun { 0.8 } else { 1.0 };
        pay * season * week
    };
    let weights: Vec<f64> = days.map(weight).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let mut until: Vec<f64> = weights
        .iter()
        .map(|w| {
            sum += w / total;
            sum
        })
        .collect();
    if let Some(last) = until.last_mut() {
        *last = 1.0;
    }
    until
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(batch: &'a RecordBatch, name: &str) -> &'a StringArray {
        batch.column_by_name(name).unwrap().as_any().downcast_ref().unwrap()
    }

    #[test]
    fn a_year_in_its_order() {
        let transfers = Transfers::new(20_000, 4, None, "_1f").unwrap();
        let (batch, tally) = transfers.batch(0, 20_000).unwrap();
        assert_eq!((batch.num_rows(), tally.rows), (20_000, 20_000));
        let sorted = crate::lake::sort(&TRANSFER, &batch).unwrap();
        assert_eq!(sorted.batch, batch);
        assert!(crate::lake::duplicate(&TRANSFER, &sorted).unwrap().is_none());
        let at: &TimestampMicrosecondArray = batch.column_by_name("sent_at").unwrap().as_any().downcast_ref().unwrap();
        let bounds = (at.value(0), at.value(19_999));
        let year = |y| i64::from(days(NaiveDate::from_ymd_opt(y, 1, 1).unwrap())) * 86_400_000_000;
        assert!(bounds.0 >= year(2021) && bounds.1 < year(2022));
        let mean = tally.amount / 20_000.0;
        assert!((150.0..320.0).contains(&mean), "{mean}");
        let to_mexico = text(&batch, "receiver_iso3").iter().filter(|c| *c == Some("MEX")).count();
        assert!((1_000..5_000).contains(&to_mexico), "{to_mexico}");
        assert!(text(&batch, "transfer_id").iter().all(|id| id.unwrap().starts_with("synthetic")));
        let (part, _) = transfers.batch(700, 33).unwrap();
        assert_eq!(part, batch.slice(700, 33));
    }

    #[test]
    fn to_whom_one_likes() {
        let to = |text: &str| Transfers::new(500, 1, Some(&text.parse().unwrap()), "");
        assert_eq!(to("PHL,MEX").unwrap().receivers(), ["MEX", "PHL"]);
        assert_eq!(to("2").unwrap().receivers().len(), 2);
        assert_eq!(Transfers::new(1, 1, None, "").unwrap().batch(0, 5).unwrap().0.num_rows(), 1);
        assert!(to("TUV").unwrap_err().to_string().contains("no corridor of the sample leads to `TUV`; some lead to "));
        assert!(to("900").unwrap_err().to_string().contains("900 economies are more than the "));
    }
}
