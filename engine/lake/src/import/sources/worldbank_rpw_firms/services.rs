//! Services as they are read, told apart, and made rows of `corridor_price`.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::layout::{Column, Layout, QuoteColumns, Settings};
use super::service::{Quote, Service, Texts, hash, quarter};
use super::summary::Summary;
use crate::country::{Iso3, Match, Provider};
use crate::error::{Error, Place, Printable, Result};
use crate::import::cells::{number, squeeze};
use crate::import::importer::Context;
use crate::import::rows::{Rows, Value};
use crate::read::{Cell, Grid, Row};
use crate::tables::CORRIDOR_PRICE;

/// All services of a file.
pub(super) struct Services<'a> {
    context: &'a Context<'a>,
    settings: &'a Settings,
    texts: Texts,
    economies: HashMap<String, Iso3>,
    all: Vec<Service>,
    /// Sheets so far, without their rows; the last is the one being read.
    sheets: Vec<Grid>,
    summary: Summary,
}

impl<'a> Services<'a> {
    pub(super) fn new(context: &'a Context<'a>, settings: &'a Settings) -> Self {
        Self {
            context,
            settings,
            texts: Texts::default(),
            economies: HashMap::new(),
            all: Vec::new(),
            sheets: Vec::new(),
            summary: Summary::default(),
        }
    }

    pub(super) fn source(&self) -> &'a str {
        &self.context.descriptor.id
    }

    /// First and last quarter.
    pub(super) fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        let quarters = || self.all.iter().map(|s| s.key.2);
        quarters().min().zip(quarters().max())
    }

    /// The rows that follow are of this sheet.
    pub(super) fn begin(&mut self, head: &Grid) {
        self.sheets.push(Grid { file: head.file.clone(), sheet: head.sheet.clone(), rows: Vec::new() });
    }

    /// Takes a row of the sheet that was begun.
    pub(super) fn push(&mut self, layout: &Layout, row: &Row) -> Result<()> {
        let sheet = self.sheets.len().saturating_sub(1);
        let Some(grid) = self.sheets.pop() else { return Ok(()) };
        let service = self.service(&grid, sheet, layout, row);
        self.sheets.push(grid);
        self.all.push(service?);
        Ok(())
    }

    fn service(&mut self, grid: &Grid, sheet: usize, layout: &Layout, row: &Row) -> Result<Service> {
        let period = text(row, &layout.period);
        let day = quarter(&period).ok_or_else(|| {
            let what = format!("`{}` is not a quarter; expected such as `2011_1Q`", Printable(&period));
            Error::data(grid.at(row, &layout.period.name), what)
        })?;
        let sender = self.economy(grid, row, &layout.sender, layout.sender_name.as_ref())?;
        let receiver = self.economy(grid, row, &layout.receiver, layout.receiver_name.as_ref())?;
        let firm = text(row, &layout.provider);
        if self.settings.is_missing(&firm) {
            let what = "has no firm; a price without one would pass for the average of the corridor";
            return Err(Error::data(grid.at(row, &layout.provider.name), what));
        }
        let said =
            |columns: &[Column]| columns.iter().map(|c| text(row, c)).find(|text| !self.settings.is_silent(text));
        let product = said(&layout.product);
        let parts: Vec<String> = layout.service.iter().filter_map(|part| said(part)).collect();
        let transparent = self.flag(grid, row, layout.transparent.as_ref())?;
        let qualifies = self.flag(grid, row, layout.qualifies.as_ref())?;
        let quotes = self.quotes(grid, row, layout, transparent)?;
        let id = layout.id.as_ref().map(|c| text(row, c)).filter(|id| !self.settings.is_missing(id));
        let parts = Some(parts.join("; ")).filter(|parts| !parts.is_empty());
        let mut add = |text: &str| self.texts.add(text);
        let key = (sender, receiver, day, add(&firm), product.as_deref().map(&mut add), parts.as_deref().map(&mut add));
        let id = id.as_deref().map(&mut add);
        Ok(Service { key, id, transparent, qualifies, quotes, sheet, row: row.number, hash: hash(row) })
    }

    fn economy(&mut self, grid: &Grid, row: &Row, column: &Column, name: Option<&Column>) -> Result<Iso3> {
        let code = text(row, column);
        if let Some(known) = self.economies.get(&code) {
            return Ok(*known);
        }
        let place = grid.at(row, &column.name);
        let name = name.map(|c| text(row, c)).unwrap_or_default();
        match self.context.concordance.resolve_code(Provider::WorldBank, &code, &name, place.clone())? {
            Match::Economy(iso3) => {
                self.economies.insert(code, iso3);
                Ok(iso3)
            }
            Match::Aggregate { name, .. } => {
                let what = format!("`{}` is an aggregate; corridors are between economies", Printable(&name));
                Err(Error::data(place, what))
            }
        }
    }

    fn flag(&self, grid: &Grid, row: &Row, column: Option<&Column>) -> Result<Option<bool>> {
        let Some(column) = column else { return Ok(None) };
        let text = text(row, column);
        let among = |words: &[String]| words.iter().any(|w| w.eq_ignore_ascii_case(&text));
        if self.settings.is_missing(&text) {
            Ok(None)
        } else if among(&self.settings.yes) {
            Ok(Some(true))
        } else if among(&self.settings.no) {
            Ok(Some(false))
        } else {
            let what = format!("`{}` is neither yes nor no", Printable(&text));
            Err(Error::data(grid.at(row, &column.name), what))
        }
    }

    fn number(&mut self, grid: &Grid, row: &Row, column: Option<&Column>) -> Result<Option<f64>> {
        let Some(column) = column else { return Ok(None) };
        match row.cell(column.index) {
            Cell::Error(text) if self.settings.is_missing(text) => {
                self.summary.broken += 1;
                return Ok(None);
            }
            Cell::Text(text) if grid.sheet.is_some() && !self.settings.is_missing(text.trim()) => {
                self.summary.texts += 1;
            }
            _ => {}
        }
        number(grid, row, column.index, &column.name, &self.settings.missing)
    }

    fn quotes(&mut self, grid: &Grid, row: &Row, layout: &Layout, transparent: Option<bool>) -> Result<Vec<Quote>> {
        let mut quotes: Vec<Quote> = Vec::with_capacity(layout.quotes.len());
        for columns in &layout.quotes {
            let Some(quote) = self.quote(grid, row, columns, transparent)? else { continue };
            if quotes.iter().any(|q| q.usd == quote.usd) {
                let what = format!("two prices of sending US$ {}; one of the amounts must be wrong", quote.usd);
                let column = columns.denomination.as_ref().unwrap_or(&columns.cost);
                return Err(Error::data(grid.at(row, &column.name), what));
            }
            quotes.push(quote);
        }
        Ok(quotes)
    }

    fn quote(
        &mut self,
        grid: &Grid,
        row: &Row,
        columns: &QuoteColumns,
        transparent: Option<bool>,
    ) -> Result<Option<Quote>> {
        let denomination = self.number(grid, row, columns.denomination.as_ref())?;
        let sent = self.number(grid, row, columns.sent.as_ref())?;
        let fee = self.number(grid, row, columns.fee.as_ref())?;
        let margin = self.number(grid, row, columns.margin.as_ref())?;
        let cost = self.number(grid, row, Some(&columns.cost))?;
        if fee.is_none() && margin.is_none() && cost.is_none() {
            self.summary.without_price += 1;
            return Ok(None);
        }
        let Some(asked) = self.settings.amounts.get(columns.amount) else {
            return Err(Error::Internal("an amount without settings".to_owned()));
        };
        let usd = match denomination {
            Some(usd) if usd > 0.0 => usd,
            Some(usd) => {
                let column = columns.denomination.as_ref().unwrap_or(&columns.cost);
                return Err(Error::data(grid.at(row, &column.name), format!("`{usd}` is no amount; one is above 0")));
            }
            None => {
                self.summary.assumed(&asked.prefix);
                asked.usd
            }
        };
        if usd != asked.usd {
            self.summary.other_amount(&asked.prefix, usd);
        }
        let sent = sent.filter(|sent| *sent > 0.0);
        if fee.is_some() && sent.is_none() {
            self.summary.without_amount += 1;
        }
        let fee = fee.zip(sent).map(|(fee, sent)| 100.0 * fee / sent);
        if let (Some(fee), Some(margin), Some(cost)) = (fee, margin, cost) {
            let place = || grid.at(row, &columns.cost.name);
            self.summary.check(fee + margin - cost, self.settings.cost_tolerance, place);
        }
        // A margin that is not disclosed is published as 0.
        let opaque = transparent == Some(false);
        if let (true, Some(margin)) = (opaque, margin) {
            self.summary.undisclosed(margin);
        }
        let margin = margin.filter(|_| !opaque);
        Ok(Some(Quote { amount: columns.amount, usd, fee, margin, cost }))
    }

    /// The rows of the lake, one a service and amount.
    pub(super) fn finish(mut self, vintage: NaiveDate, notes: &mut Vec<String>) -> Result<Rows> {
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        order.sort_by_key(|i| self.all.get(*i).map(|s| s.key));
        let key = |i: &usize| self.all.get(*i).map(|s| s.key);
        let mut rows = Rows::new(&CORRIDOR_PRICE, format!("{}/service", self.source()));
        let mut summary = std::mem::take(&mut self.summary);
        for group in order.chunk_by(|a, b| key(a) == key(b)) {
            let kept = self.apart(group, &mut summary)?;
            for (index, service) in kept.iter().enumerate() {
                let label = self.label(service, (kept.len() > 1).then_some(index + 1));
                self.emit(service, label.as_deref(), vintage, &mut rows)?;
                summary.add(service);
            }
        }
        summary.notes(self.settings, notes);
        Ok(rows)
    }

    /// Services alike in all that the lake tells them apart by, those entered twice once.
    fn apart(&self, group: &[usize], summary: &mut Summary) -> Result<Vec<&Service>> {
        let mut kept: Vec<&Service> = Vec::with_capacity(group.len());
        for service in group.iter().filter_map(|i| self.all.get(*i)) {
            if kept.iter().any(|k| k.repeats(service)) {
                summary.repeated += 1;
                continue;
            }
            if let (Some(id), Some(first)) = (service.id, kept.iter().find(|k| k.id.is_some() && k.id == service.id)) {
                let what = format!(
                    "duplicate key (period, id {}): {} has it already, with other prices; remove one of the two",
                    Printable(self.texts.get(id)),
                    self.place(first)
                );
                return Err(Error::data(self.place(service), what));
            }
            kept.push(service);
        }
        if kept.len() > 1 {
            summary.alike += kept.len();
        }
        Ok(kept)
    }

    fn place(&self, service: &Service) -> Place {
        self.sheets.get(service.sheet).map(Grid::place).unwrap_or_default().row(service.row)
    }

    /// What tells the service apart, with the producer's id where the words do not.
    fn label(&self, service: &Service, number: Option<usize>) -> Option<String> {
        let words = service.key.5.map(|i| self.texts.get(i).to_owned());
        let Some(number) = number else { return words };
        let apart = service.id.map_or_else(|| format!("no. {number}"), |id| format!("id {}", self.texts.get(id)));
        Some(words.map_or_else(|| apart.clone(), |words| format!("{words}; {apart}")))
    }

    fn emit(&self, service: &Service, label: Option<&str>, vintage: NaiveDate, rows: &mut Rows) -> Result<()> {
        let (sender, receiver, day, firm, product, _) = &service.key;
        for quote in &service.quotes {
            let column = self.settings.amounts.get(quote.amount).map_or("", |a| &a.prefix);
            let values = [
                Value::Text(sender.as_str()),
                Value::Text(receiver.as_str()),
                Value::Date(*day),
                Value::Text(self.texts.get(*firm)),
                Value::MaybeText(product.map(|i| self.texts.get(i))),
                Value::MaybeText(label),
                Value::Number(quote.usd),
                Value::MaybeNumber(quote.fee),
                Value::MaybeNumber(quote.margin),
                Value::MaybeNumber(quote.cost),
                Value::MaybeFlag(service.transparent),
                Value::MaybeFlag(service.qualifies),
                Value::Text(self.source()),
                Value::Date(vintage),
                Value::Null,
            ];
            rows.push(service.row, column, &values)?;
        }
        Ok(())
    }
}

fn text(row: &Row, column: &Column) -> String {
    squeeze(&row.cell(column.index).text())
}
