//! Versions 117 to 119: parts between tags, with a map of where they begin.

use std::collections::HashMap;

use super::cursor::{Cursor, number};
use super::layout::{Labels, Layout, Storage, Variable, labels, named};
use crate::error::Result;
use crate::read::Limits;

pub(super) fn read(bytes: &[u8], file: &str, version: u16, limits: &Limits) -> Result<Layout> {
    let (name_width, format_width, label_width) = if version == 117 { (33, 49, 81) } else { (129, 57, 321) };
    let mut c = Cursor::new(bytes, file, version);
    c.tag("<stata_dta><header><release>")?;
    c.take(3, "version")?;
    c.tag("</release><byteorder>")?;
    let big = match c.take(3, "byte order")? {
        b"MSF" => true,
        b"LSF" => false,
        _ => return Err(c.wrong("byte order is neither MSF nor LSF")),
    };
    c.set_big_endian(big);
    c.tag("</byteorder><K>")?;
    let count = c.size(if version == 119 { 4 } else { 2 }, "number of variables")?;
    c.tag("</K><N>")?;
    let rows = c.size(if version == 117 { 4 } else { 8 }, "number of observations")?;
    c.tag("</N><label>")?;
    let length = c.size(if version == 117 { 1 } else { 2 }, "length of the label")?;
    let label = c.take(length, "label of the data set")?;
    let label = Some(c.text(label)).filter(|l| !l.is_empty());
    c.tag("</label><timestamp>")?;
    let length = c.size(1, "length of the time stamp")?;
    c.take(length, "time stamp")?;
    c.tag("</timestamp></header><map>")?;
    let map: Vec<usize> = (0..14).map(|_| c.size(8, "map")).collect::<Result<_>>()?;
    c.tag("</map><variable_types>")?;
    let types = c.items(count, 2, "types")?;
    c.tag("</variable_types><varnames>")?;
    let names = c.items(count, name_width, "names")?;
    c.tag("</varnames><sortlist>")?;
    c.skip(count.saturating_add(1), if version == 119 { 4 } else { 2 }, "sort order")?;
    c.tag("</sortlist><formats>")?;
    let formats = c.items(count, format_width, "formats")?;
    c.tag("</formats><value_label_names>")?;
    let labels_names = c.items(count, name_width, "names of value labels")?;
    c.tag("</value_label_names><variable_labels>")?;
    let texts = c.items(count, label_width, "labels of variables")?;
    c.tag("</variable_labels><characteristics>")?;
    let mut variables = Vec::with_capacity(count);
    for (i, ((((kind, name), format), labels_name), label)) in
        types.zip(names).zip(formats).zip(labels_names).zip(texts).enumerate()
    {
        let storage = match number(kind, big) {
            width @ 1..=2045 => Storage::Str(width as usize),
            32_768 => Storage::StrL,
            65_526 => Storage::Double,
            65_527 => Storage::Float,
            65_528 => Storage::Long,
            65_529 => Storage::Int,
            65_530 => Storage::Byte,
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
    while c.tag_if("<ch>") {
        let bytes = c.size(4, "length of a characteristic")?;
        c.take(bytes, "a characteristic")?;
        c.tag("</ch>")?;
    }
    c.tag("</characteristics><data>")?;
    let data = c.at();
    let layout = Layout { version, big, utf8: version >= 118, rows, width: 0, data, strls: 0, label, variables };
    let mut layout = layout.finish(&c, HashMap::new(), limits)?;
    c.skip(layout.rows, layout.width, "observations")?;
    c.tag("</data>")?;
    layout.strls = c.at();
    c.tag("<strls>")?;
    // Long strings may be most of the file: the map says where they end.
    c.seek(map.get(11).copied().unwrap_or_default().max(c.at()));
    c.tag("<value_labels>")?;
    let mut sets: HashMap<String, Labels> = HashMap::new();
    while c.tag_if("<lbl>") {
        let bytes = c.size(4, "length of value labels")?;
        let name = c.take(name_width, "name of value labels")?;
        let name = c.text(name);
        c.take(3, "padding")?;
        let mut table = c.within(bytes, "value labels")?;
        sets.insert(name, labels(&mut table)?);
        c.tag("</lbl>")?;
    }
    c.tag("</value_labels>")?;
    c.tag("</stata_dta>")?;
    layout.finish(&c, sets, limits)
}
