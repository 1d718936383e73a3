//! Versions 113 to 115: fixed fields one after the other.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::layout::{Labels, Layout, Storage, Variable, labels, named};
use crate::error::Result;
use crate::read::Limits;

pub(super) fn read(bytes: &[u8], file: &str, version: u16, limits: &Limits) -> Result<Layout> {
    let mut c = Cursor::new(bytes, file, version);
    c.u8("version")?;
    let big = match c.u8("byte order")? {
        1 => true,
        2 => false,
        other => return Err(c.wrong(format_args!("byte order {other} is neither 1 nor 2"))),
    };
    c.set_big_endian(big);
    c.take(2, "file type")?;
    let count = c.size(2, "number of variables")?;
    let rows = c.size(4, "number of observations")?;
    let label = c.take(81, "label of the data set")?;
    let label = Some(c.text(label)).filter(|l| !l.is_empty());
    c.take(18, "time stamp")?;
    let types = c.items(count, 1, "types")?;
    let names = c.items(count, 33, "names")?;
    c.skip(count + 1, 2, "sort order")?;
    let formats = c.items(count, if version == 113 { 12 } else { 49 }, "formats")?;
    let labels_names = c.items(count, 33, "names of value labels")?;
    let texts = c.items(count, 81, "labels of variables")?;
    let mut variables = Vec::with_capacity(count);
    for (i, ((((kind, name), format), labels_name), label)) in
        types.zip(names).zip(formats).zip(labels_names).zip(texts).enumerate()
    {
        let storage = match kind.first().copied().unwrap_or_default() {
            width @ 1..=244 => Storage::Str(usize::from(width)),
            251 => Storage::Byte,
            252 => Storage::Int,
            253 => Storage::Long,
            254 => Storage::Float,
            255 => Storage::Double,
            other => return Err(c.wrong(format_args!("type {other} of variable {} is unknown", i + 1))),
        };
        variables.push(Variable {
            name: named(&c, c.text(name), i)?,
            storage,
            offset: 0,
            format: c.text(format),
            label: c.text(label),
            labels_name: c.text(labels_name),
            labels: Vec::new(),
        });
    }
    // Notes and other characteristics, which end with one of type 0.
    loop {
        let kind = c.u8("characteristics")?;
        let bytes = c.size(4, "length of a characteristic")?;
        if kind == 0 && bytes == 0 {
            break;
        }
        c.take(bytes, "a characteristic")?;
    }
    let data = c.at();
    let layout = Layout { version, big, utf8: false, rows, width: 0, data, strls: 0, label, variables };
    let layout = layout.finish(&c, HashMap::new(), limits)?;
    c.skip(layout.rows, layout.width, "observations")?;
    let mut sets: HashMap<String, Labels> = HashMap::new();
    while c.left() > 0 {
        let bytes = c.size(4, "length of value labels")?;
        let name = c.take(33, "name of value labels")?;
        let name = c.text(name);
        c.take(3, "padding")?;
        let mut table = c.within(bytes, "value labels")?;
        sets.insert(name, labels(&mut table)?);
    }
    layout.finish(&c, sets, limits)
}
