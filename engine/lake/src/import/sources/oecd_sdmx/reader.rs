//! From the text to facts: several threads, each with blocks of whole records.

use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use csv::{ByteRecord, ReaderBuilder};

use super::columns::{Columns, Settings, code_of};
use super::facts::{BUCKETS, Buckets, Fact};
use super::registry::Registry;
use super::shape::{Lot, shape, text};
use crate::country::{Match, Provider};
use crate::error::{Error, Place, Result};
use crate::import::cells::{number, year};
use crate::import::importer::Context;
use crate::read::{Block, Cell, Grid, Row, each_block};

/// What the reading of one text has in common.
pub(super) struct Reading<'a> {
    pub(super) file: &'a str,
    pub(super) delimiter: u8,
    pub(super) columns: &'a Columns,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context<'a>,
    pub(super) registry: &'a Registry,
    pub(super) buckets: &'a Buckets,
    /// Rows that were left out as the descriptor says.
    pub(super) left: &'a AtomicU64,
}

/// Facts that a thread gathers before it hands them on.
const GATHERED: usize = 1024;

impl Reading<'_> {
    /// Reads all of `text` on `threads` threads. The error is that of the first block that has one.
    pub(super) fn all(&self, text: &mut dyn Read, threads: usize) -> Result<()> {
        let (send, receive) = sync_channel::<Block>(threads);
        let receive = Arc::new(Mutex::new(receive));
        let failed: Mutex<Option<Failed>> = Mutex::new(None);
        let stop = AtomicBool::new(false);
        let read = std::thread::scope(|scope| {
            let (failed, stop) = (&failed, &stop);
            for _ in 0..threads {
                let receive = Arc::clone(&receive);
                scope.spawn(move || {
                    if let Err(new) = Worker::new(self).work(&receive, stop) {
                        stop.store(true, Ordering::Relaxed);
                        let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        if first.as_ref().is_none_or(|old| new.line < old.line) {
                            *first = Some(new);
                        }
                    }
                });
            }
            // The threads alone hold the receiving end: when all have stopped it is gone, and
            // a block that waits to be sent waits no longer.
            drop(receive);
            let read =
                each_block(text, self.file, &mut |block| Ok(!stop.load(Ordering::Relaxed) && send.send(block).is_ok()));
            drop(send);
            read
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failed) => Err(*failed.error),
            None => read,
        }
    }

    fn at(&self, row: u64, column: &str) -> Place {
        Place::file(self.file).row(row).column(column)
    }
}

/// What a thread stopped at, and the first line of its block.
struct Failed {
    line: u64,
    error: Box<Error>,
}

/// Line of the text that a record begins on. The reader's position is behind the
/// record before, so line ends that it has not passed yet are counted here.
fn line_of(block: &Block, record: &ByteRecord) -> u64 {
    let Some(position) = record.position() else { return block.first_line };
    let ahead = usize::try_from(position.byte()).ok().and_then(|at| block.bytes.get(at..)).unwrap_or_default();
    let ends = ahead.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
    block.first_line + position.line().saturating_sub(1) + ends as u64
}

/// One thread's part: what it has met before costs it no lock.
struct Worker<'a> {
    reading: &'a Reading<'a>,
    places: HashMap<Vec<u8>, u32>,
    shapes: HashMap<Vec<u8>, Option<Known>>,
    gathered: Vec<Vec<Fact>>,
    key: Vec<u8>,
    last_place: (Vec<u8>, u32),
    left: u64,
}

#[derive(Clone, Copy)]
struct Known {
    shape: u32,
    bucket: usize,
    factor: f64,
}

impl<'a> Worker<'a> {
    fn new(reading: &'a Reading<'a>) -> Self {
        Self {
            reading,
            places: HashMap::new(),
            shapes: HashMap::new(),
            gathered: (0..BUCKETS).map(|_| Vec::new()).collect(),
            key: Vec::new(),
            last_place: (Vec::new(), u32::MAX),
            left: 0,
        }
    }

    fn work(mut self, blocks: &Mutex<Receiver<Block>>, stop: &AtomicBool) -> Result<(), Failed> {
        loop {
            let block = blocks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            // Blocks that were handed out before the one that failed are read to the
            // end; none behind it is begun.
            let Ok(block) = block else { break };
            let line = block.first_line;
            self.block(&block).map_err(|error| Failed { line, error: Box::new(error) })?;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        for (bucket, facts) in self.gathered.iter_mut().enumerate().filter(|(_, facts)| !facts.is_empty()) {
            let added = self.reading.buckets.add(bucket, facts);
            added.map_err(|error| Failed { line: u64::MAX, error: Box::new(error) })?;
        }
        self.reading.left.fetch_add(self.left, Ordering::Relaxed);
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let reading = self.reading;
        let mut records = ReaderBuilder::new()
            .delimiter(reading.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(block.bytes.as_slice());
        let mut record = ByteRecord::new();
        let failed = |e: csv::Error| Error::data(Place::file(reading.file).row(block.first_line), e.to_string());
        while records.read_byte_record(&mut record).map_err(failed)? {
            let row = line_of(block, &record);
            if row > reading.columns.line {
                self.record(row, &record)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, row: u64, record: &ByteRecord) -> Result<()> {
        let Reading { columns, file, .. } = *self.reading;
        if record.len() < columns.width {
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                return Ok(());
            }
            let what =
                format!("the row has {} cells, the header {}; the file seems cut off", record.len(), columns.width);
            return Err(Error::data(Place::file(file).row(row), what));
        }
        let Some(amount) = self.amount(row, record)? else { return Ok(()) };
        let Some(known) = self.shape(row, record)? else {
            self.left += 1;
            return Ok(());
        };
        let time = record.get(columns.time).unwrap_or_default();
        let year = self.year(row, time)?;
        let place = self.place(row, record)?;
        let Known { shape, bucket, factor } = known;
        let fact = Fact { shape, place, year, row, value: amount * factor };
        let gathered = self.gathered.get_mut(bucket).ok_or_else(|| Error::Internal("no such bucket".to_owned()))?;
        gathered.push(fact);
        if gathered.len() >= GATHERED { self.reading.buckets.add(bucket, gathered) } else { Ok(()) }
    }

    fn amount(&self, row: u64, record: &ByteRecord) -> Result<Option<f64>> {
        let Reading { columns, settings, .. } = *self.reading;
        let cell = record.get(columns.value).unwrap_or_default();
        // The common case: digits, a sign and a point, which the strict reader would take too.
        let plain = cell.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-')
            && cell.iter().all(|b| b.is_ascii_digit() || *b == b'.' || *b == b'-');
        if let (true, Ok(text)) = (plain, std::str::from_utf8(cell))
            && let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return Ok(Some(number));
        }
        let (grid, row) = self.one_cell(row, text(record, columns.value));
        number(&grid, &row, 0, &columns.value_name, &settings.missing)
    }

    fn year(&self, row: u64, cell: &[u8]) -> Result<i32> {
        if let [a @ b'1'..=b'2', b, c, d] = *cell
            && [b, c, d].iter().all(u8::is_ascii_digit)
        {
            let year = [a, b, c, d].iter().fold(0, |year, digit| year * 10 + i32::from(digit - b'0'));
            if (1800..=2200).contains(&year) {
                return Ok(year);
            }
        }
        let text = String::from_utf8_lossy(cell).into_owned();
        year(&Cell::Text(text.clone()))
            .ok_or_else(|| Error::data(self.reading.at(row, "TIME_PERIOD"), format!("`{text}` is not a year")))
    }

    fn place(&mut self, row: u64, record: &ByteRecord) -> Result<u32> {
        let reading = self.reading;
        let cell = record.get(reading.columns.place).unwrap_or_default();
        if self.last_place.1 != u32::MAX && self.last_place.0 == cell {
            return Ok(self.last_place.1);
        }
        let place = match self.places.get(cell) {
            Some(known) => *known,
            None => {
                let text = text(record, reading.columns.place);
                let code = code_of(&text);
                let at = reading.at(row, &reading.settings.place);
                let found = match reading.context.concordance.lookup(Provider::Oecd, code) {
                    // A donor may be any organisation; none has a code of three letters.
                    None if reading.settings.place == "DONOR" && code.len() != 3 && !code.is_empty() => {
                        Match::Aggregate { code: code.to_owned(), name: self.place_name(record, code) }
                    }
                    Some(found) => found,
                    None => reading.context.concordance.resolve(Provider::Oecd, code, at)?,
                };
                let place = reading.registry.place(code, found)?;
                self.places.insert(cell.to_owned(), place);
                place
            }
        };
        self.last_place.0.clear();
        self.last_place.0.extend_from_slice(cell);
        self.last_place.1 = place;
        Ok(place)
    }

    /// The label of the place, or its code where there is none.
    fn place_name(&self, record: &ByteRecord, code: &str) -> String {
        let columns = self.reading.columns;
        let cell = text(record, columns.place);
        let label = cell.split_once(':').map(|(_, label)| label.trim().to_owned());
        let label = label.or_else(|| columns.place_label.map(|at| text(record, at)));
        label.filter(|l| !l.is_empty()).unwrap_or_else(|| code.to_owned())
    }

    fn shape(&mut self, row: u64, record: &ByteRecord) -> Result<Option<Known>> {
        let reading = self.reading;
        self.key.clear();
        for coded in &reading.columns.coded {
            self.key.extend_from_slice(record.get(coded.at).unwrap_or_default());
            self.key.push(0x1f);
        }
        if let Some(known) = self.shapes.get(&self.key) {
            return Ok(*known);
        }
        let at = |column: &str| reading.at(row, column);
        let known = match shape(record, reading.columns, reading.settings, &reading.context.descriptor.id, &at)? {
            Lot::Leave => None,
            Lot::Take(shape) => {
                let factor = shape.factor;
                let (shape, bucket) = reading.registry.shape(&self.key, *shape, &at)?;
                Some(Known { shape, bucket, factor })
            }
        };
        self.shapes.insert(self.key.clone(), known);
        Ok(known)
    }

    fn one_cell(&self, number: u64, text: String) -> (Grid, Row) {
        let row = Row { number, hidden: false, cells: vec![Cell::Text(text)] };
        (Grid { file: self.reading.file.to_owned(), sheet: None, rows: Vec::new() }, row)
    }
}
