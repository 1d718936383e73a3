//! Where a sheet of services has what: columns by the words of the header.

use serde::Deserialize;

use crate::import::cells::{column_letters, squeeze};
use crate::read::{Grid, Row};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) missing: Vec<String>,
    pub(super) yes: Vec<String>,
    pub(super) no: Vec<String>,
    pub(super) cost_tolerance: f64,
    columns: Columns,
    service: Service,
    pub(super) amounts: Vec<Amount>,
    quote: Quote,
}

/// Words that may head a column, the first of which that has a value counts.
type Words = Vec<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    id: Words,
    period: Words,
    sender: Words,
    sender_name: Words,
    receiver: Words,
    receiver_name: Words,
    provider: Words,
    product: Words,
    transparent: Words,
    qualifies: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    parts: Vec<Words>,
    silent: Vec<String>,
}

/// An amount sent, the columns of which begin with `prefix`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amount {
    pub(super) prefix: String,
    pub(super) usd: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    denomination: String,
    sent: String,
    fee: String,
    margin: String,
    cost: String,
}

impl Settings {
    /// True if `text` stands where nothing is known.
    pub(super) fn is_missing(&self, text: &str) -> bool {
        text.is_empty() || self.missing.iter().any(|m| m == text)
    }

    /// True if `text` says no more of a service than that it was not asked.
    pub(super) fn is_silent(&self, text: &str) -> bool {
        self.is_missing(text) || self.service.silent.iter().any(|s| s.eq_ignore_ascii_case(text))
    }
}

/// A column and its header as the file writes it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) name: String,
}

/// The columns of one amount.
#[derive(Debug)]
pub(super) struct QuoteColumns {
    /// Index into `Settings::amounts`.
    pub(super) amount: usize,
    pub(super) denomination: Option<Column>,
    pub(super) sent: Option<Column>,
    pub(super) fee: Option<Column>,
    pub(super) margin: Option<Column>,
    pub(super) cost: Column,
}

/// Where what stands.
#[derive(Debug)]
pub(super) struct Layout {
    /// Index of the header among the first rows.
    pub(super) header: usize,
    pub(super) id: Option<Column>,
    pub(super) period: Column,
    pub(super) sender: Column,
    pub(super) sender_name: Option<Column>,
    pub(super) receiver: Column,
    pub(super) receiver_name: Option<Column>,
    pub(super) provider: Column,
    pub(super) product: Vec<Column>,
    pub(super) service: Vec<Vec<Column>>,
    pub(super) transparent: Option<Column>,
    pub(super) qualifies: Option<Column>,
    pub(super) quotes: Vec<QuoteColumns>,
}

impl Layout {
    /// True of a remark: a row with one cell, which is none that every service has.
    pub(super) fn is_prose(&self, row: &Row) -> bool {
        row.cells.iter().filter(|c| !c.is_blank()).count() == 1
    }
}

/// What a sheet is.
pub(super) enum Found {
    /// Nothing of ours.
    Nothing,
    /// A table of services.
    Table(Box<Layout>),
    /// One that lacks something: what.
    Lacking(String),
}

/// A header's words: case, and what is between them, do not count.
fn words(text: &str) -> String {
    squeeze(&text.replace(['_', '-'], " ")).to_lowercase()
}

/// The table that begins in the first rows of a sheet.
pub(super) fn find(head: &Grid, settings: &Settings) -> Found {
    let marked = head.rows.iter().enumerate().find_map(|(i, row)| {
        let names = names(row);
        // What no other dataset has: both ends of a corridor, and a cost.
        let has = |all: &[String]| all.iter().any(|w| position(&names, w).is_some());
        let c = &settings.columns;
        let marks = [&c.sender, &c.receiver, &c.provider, &c.period].into_iter().filter(|w| has(w)).count();
        let costs = settings.amounts.iter().any(|a| cost(&names, a, settings).is_some());
        (marks >= 3 && (costs || has(&c.transparent)) || marks == 2 && costs).then_some((i, names))
    });
    let Some((header, names)) = marked else { return Found::Nothing };
    match layout(header, &names, settings) {
        Ok(layout) => Found::Table(Box::new(layout)),
        Err(why) => {
            let sheet = head.sheet.as_ref().map_or_else(String::new, |s| format!("in sheet `{s}` "));
            Found::Lacking(format!("{sheet}{why}"))
        }
    }
}

/// Headers as words, with what the file writes.
fn names(row: &Row) -> Vec<(String, String)> {
    let texts = row.cells.iter().map(|c| squeeze(&c.text()));
    texts.map(|text| (words(&text), text)).collect()
}

fn position(names: &[(String, String)], wanted: &str) -> Option<Column> {
    let wanted = words(wanted);
    let index = names.iter().position(|(w, _)| *w == wanted)?;
    names.get(index).map(|(_, name)| Column { index, name: name.clone() })
}

fn cost(names: &[(String, String)], amount: &Amount, settings: &Settings) -> Option<Column> {
    position(names, &format!("{} {}", amount.prefix, settings.quote.cost))
}

fn layout(header: usize, names: &[(String, String)], settings: &Settings) -> Result<Layout, String> {
    let (c, q) = (&settings.columns, &settings.quote);
    let any = |wanted: &[String]| -> Vec<Column> { wanted.iter().filter_map(|w| position(names, w)).collect() };
    let first = |wanted: &[String]| any(wanted).into_iter().next();
    let needed = |wanted: &[String]| {
        first(wanted).ok_or_else(|| format!("it has no column `{}`; give it its name back", wanted.join("` or `")))
    };
    let mut quotes = Vec::new();
    for (index, amount) in settings.amounts.iter().enumerate() {
        let of = |part: &str| position(names, &format!("{} {part}", amount.prefix));
        let others = [of(&q.denomination), of(&q.sent), of(&q.fee), of(&q.margin)];
        let [denomination, sent, fee, margin] = others;
        match cost(names, amount, settings) {
            Some(cost) => quotes.push(QuoteColumns { amount: index, denomination, sent, fee, margin, cost }),
            None if denomination.or(sent).or(fee).or(margin).is_some() => {
                return Err(format!("it has no column `{} {}`; give it its name back", amount.prefix, q.cost));
            }
            None => {}
        }
    }
    if quotes.is_empty() {
        let wanted: Vec<String> = settings.amounts.iter().map(|a| format!("`{} {}`", a.prefix, q.cost)).collect();
        return Err(format!("it has no column {}; give them their names back", wanted.join(" or ")));
    }
    let layout = Layout {
        header,
        id: first(&c.id),
        period: needed(&c.period)?,
        sender: needed(&c.sender)?,
        sender_name: first(&c.sender_name),
        receiver: needed(&c.receiver)?,
        receiver_name: first(&c.receiver_name),
        provider: needed(&c.provider)?,
        product: any(&c.product),
        service: settings.service.parts.iter().map(|part| any(part)).filter(|part| !part.is_empty()).collect(),
        transparent: first(&c.transparent),
        qualifies: first(&c.qualifies),
        quotes,
    };
    once(&layout, names)?;
    Ok(layout)
}

/// Of two columns with one name nobody knows which is meant.
fn once(layout: &Layout, names: &[(String, String)]) -> Result<(), String> {
    let quotes = layout.quotes.iter();
    let priced =
        quotes.flat_map(|q| [&q.denomination, &q.sent, &q.fee, &q.margin].into_iter().flatten().chain([&q.cost]));
    let single = [&layout.period, &layout.sender, &layout.receiver, &layout.provider];
    let perhaps = [&layout.id, &layout.transparent, &layout.qualifies].into_iter().flatten();
    let parts = layout.product.iter().chain(layout.service.iter().flatten());
    for column in priced.chain(single).chain(perhaps).chain(parts) {
        let name = words(&column.name);
        let again = names.iter().enumerate().skip(column.index + 1).find(|(_, (w, _))| *w == name);
        if let Some((index, _)) = again {
            let (one, two) = (column_letters(column.index), column_letters(index));
            return Err(format!("column `{}` stands twice, in {one} and {two}; remove one of the two", column.name));
        }
    }
    Ok(())
}
