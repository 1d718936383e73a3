//! What the import report says of a file of services: counts, decisions, checks.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;

use super::layout::Settings;
use super::service::Service;
use crate::country::Iso3;
use crate::error::Place;

/// Counts, gathered as rows go by.
#[derive(Default)]
pub(super) struct Summary {
    /// Numbers written as text.
    pub(super) texts: u64,
    /// Cells with an error of a formula.
    pub(super) broken: u64,
    /// Amounts of a service without any price.
    pub(super) without_price: u64,
    /// Fees without the amount of which they would be a percentage.
    pub(super) without_amount: u64,
    /// Services entered twice.
    pub(super) repeated: u64,
    /// Services that only an id tells apart.
    pub(super) alike: usize,
    assumed: BTreeMap<String, u64>,
    others: BTreeMap<(String, String), u64>,
    undisclosed: u64,
    undisclosed_not_zero: u64,
    checked: u64,
    beyond: u64,
    worst: Option<(f64, Place)>,
    services: u64,
    opaque: u64,
    quarters: BTreeMap<NaiveDate, Quarter>,
}

/// A quarter's transparent services.
#[derive(Default)]
struct Quarter {
    /// Sum and number of costs, by amount.
    costs: BTreeMap<usize, (f64, u64)>,
    corridors: HashSet<(Iso3, Iso3)>,
}

impl Summary {
    /// An amount that the file does not state.
    pub(super) fn assumed(&mut self, prefix: &str) {
        count(&mut self.assumed, prefix.to_owned());
    }

    /// An amount other than the one all services are asked for.
    pub(super) fn other_amount(&mut self, prefix: &str, usd: f64) {
        count(&mut self.others, (prefix.to_owned(), usd.to_string()));
    }

    /// A margin of a service that does not disclose it.
    pub(super) fn undisclosed(&mut self, margin: f64) {
        self.undisclosed += 1;
        self.undisclosed_not_zero += u64::from(margin != 0.0);
    }

    /// Fee and margin against the published cost.
    pub(super) fn check(&mut self, difference: f64, tolerance: f64, place: impl Fn() -> Place) {
        self.checked += 1;
        if difference.abs() <= tolerance {
            return;
        }
        self.beyond += 1;
        if self.worst.as_ref().is_none_or(|(worst, _)| difference.abs() > worst.abs()) {
            self.worst = Some((difference, place()));
        }
    }

    /// A service that is kept.
    pub(super) fn add(&mut self, service: &Service) {
        self.services += 1;
        let (sender, receiver, day, ..) = service.key;
        let quarter = self.quarters.entry(day).or_default();
        if service.transparent == Some(false) {
            self.opaque += 1;
            return;
        }
        for (quote, cost) in service.quotes.iter().filter_map(|q| q.cost.map(|cost| (q, cost))) {
            let (sum, services) = quarter.costs.entry(quote.amount).or_default();
            *sum += cost;
            *services += 1;
            quarter.corridors.insert((sender, receiver));
        }
    }

    /// All of it in words.
    pub(super) fn notes(self, settings: &Settings, notes: &mut Vec<String>) {
        let span = self.quarters.keys().next().zip(self.quarters.keys().next_back());
        if let Some((first, last)) = span {
            notes.push(format!("{} services in {} quarters, {first} to {last}", self.services, self.quarters.len()));
        }
        if let Some((day, quarter)) = self.quarters.last_key_value() {
            for (amount, (sum, services)) in &quarter.costs {
                let usd = settings.amounts.get(*amount).map_or(0.0, |a| a.usd);
                notes.push(format!(
                    "quarter of {day}: mean cost of sending US$ {usd} {:.4} percent, over {services} transparent services in {} corridors",
                    sum / *services as f64,
                    quarter.corridors.len()
                ));
            }
        }
        let mut say = |number: u64, what: &str| {
            if number > 0 {
                notes.push(format!("{number} {what}"));
            }
        };
        say(self.repeated, "rows repeat another, its id included: kept once");
        say(
            self.alike as u64,
            "services are alike in firm, product, access, speed and pickup: `service` has their id, or their order, as well",
        );
        say(
            self.opaque,
            "services are not transparent: their margin is NULL, and their cost as published the fee alone",
        );
        say(self.undisclosed, "margins of these are left out");
        say(self.undisclosed_not_zero, "of the margins left out are not 0: see schema staging");
        say(self.texts, "numbers are written as text: read as numbers");
        say(self.broken, "cells hold an error of a formula: read as missing");
        say(self.without_price, "blocks of an amount hold no price: left out");
        say(self.without_amount, "fees stand beside no amount sent: fee_pct is NULL");
        for (prefix, number) in &self.assumed {
            let usd = settings.amounts.iter().find(|a| a.prefix == *prefix).map_or(0.0, |a| a.usd);
            notes.push(format!(
                "`{prefix}`: {number} amounts are blank, taken as US$ {usd}, as the producer's legend says"
            ));
        }
        for ((prefix, usd), number) in &self.others {
            notes.push(format!("`{prefix}`: {number} prices are of US$ {usd}, as published"));
        }
        if self.checked > 0 {
            let within = self.checked - self.beyond;
            let mut note = format!(
                "fee and margin add up to the published cost within {} points in {within} of {} prices",
                settings.cost_tolerance, self.checked
            );
            if let Some((difference, place)) = &self.worst {
                note.push_str(&format!("; the largest difference, {difference:.2}, is at {place}"));
            }
            notes.push(note);
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}
