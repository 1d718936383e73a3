//! `COPY ... TO STDOUT`, as PostgreSQL writes the same rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int32Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;

use crate::pg::value::{CopyEncoder, CopyFormat, CopyOptions, ForceQuote, Style};

fn batch() -> RecordBatch {
    let texts = vec![
        Some("tab\there\nnl\rcr\\bs\u{8}b\u{c}ff\u{b}v"),
        None,
        Some(""),
        Some("\\N"),
        Some("\\."),
        Some("a,b"),
        Some("q\"uote"),
    ];
    let decimals = vec![Some(150), None, Some(0), Some(-100), Some(200), Some(300), Some(400)];
    RecordBatch::try_from_iter([
        ("a", Arc::new(Int32Array::from_iter_values(1..=7)) as ArrayRef),
        ("t", Arc::new(StringArray::from(texts))),
        ("d", Arc::new(Decimal128Array::from(decimals).with_precision_and_scale(10, 2).unwrap())),
    ])
    .unwrap()
}

/// The messages' contents, one behind the other.
fn copied(batch: &RecordBatch, options: CopyOptions) -> Vec<u8> {
    let encoder = CopyEncoder::new(&batch.schema(), options, &Style::default()).unwrap();
    let mut out = BytesMut::new();
    encoder.begin(&mut out).unwrap();
    encoder.rows(batch, 0..batch.num_rows(), &mut out).unwrap();
    encoder.end(&mut out).unwrap();
    let mut all = Vec::new();
    let mut rest = &out[..];
    while let Some((b'd', after)) = rest.split_first() {
        let length = u32::from_be_bytes(after[..4].try_into().unwrap()) as usize;
        all.extend_from_slice(&after[4..length]);
        rest = &after[length..];
    }
    assert!(rest.is_empty());
    all
}

fn lines(batch: &RecordBatch, options: CopyOptions) -> String {
    String::from_utf8(copied(batch, options)).unwrap()
}

#[test]
fn text() {
    let expected = "a\tt\td\n\
        1\ttab\\there\\nnl\\rcr\\\\bs\\bb\\fff\\vv\t1.50\n\
        2\t\\N\t\\N\n3\t\t0.00\n4\t\\\\N\t-1.00\n5\t\\\\.\t2.00\n6\ta,b\t3.00\n7\tq\"uote\t4.00\n";
    assert_eq!(lines(&batch(), CopyOptions { header: true, ..CopyOptions::new(CopyFormat::Text) }), expected);
    let comma = lines(&batch(), CopyOptions { delimiter: b',', ..CopyOptions::new(CopyFormat::Text) });
    assert!(comma.ends_with("6,a\\,b,3.00\n7,q\"uote,4.00\n"), "{comma}");
    let minus = lines(&batch().slice(3, 1), CopyOptions { delimiter: b'-', ..CopyOptions::new(CopyFormat::Text) });
    assert_eq!(minus, "4-\\\\N-\\-1.00\n");
}

#[test]
fn csv() {
    let expected = "a,t,d\n1,\"tab\there\nnl\rcr\\bs\u{8}b\u{c}ff\u{b}v\",1.50\n\
        2,,\n3,\"\",0.00\n4,\\N,-1.00\n5,\\.,2.00\n6,\"a,b\",3.00\n7,\"q\"\"uote\",4.00\n";
    assert_eq!(lines(&batch(), CopyOptions { header: true, ..CopyOptions::new(CopyFormat::Csv) }), expected);
    let odd = CopyOptions {
        delimiter: b';',
        null: "NULL".into(),
        quote: b'\'',
        escape: b'\\',
        force_quote: ForceQuote::Columns(vec![0]),
        ..CopyOptions::new(CopyFormat::Csv)
    };
    let expected = "'1';'tab\there\nnl\rcr\\\\bs\u{8}b\u{c}ff\u{b}v';1.50\n\
        '2';NULL;NULL\n'3';;0.00\n'4';\\N;-1.00\n'5';\\.;2.00\n'6';a,b;3.00\n'7';q\"uote;4.00\n";
    assert_eq!(lines(&batch(), odd), expected);
    let null = CopyOptions { null: "3".into(), delimiter: b'|', ..CopyOptions::new(CopyFormat::Csv) };
    assert_eq!(lines(&batch().slice(1, 2), null), "2|3|3\n\"3\"||0.00\n");
    let all = CopyOptions { force_quote: ForceQuote::All, ..CopyOptions::new(CopyFormat::Csv) };
    assert_eq!(lines(&batch().slice(1, 1), all), "\"2\",,\n");
    let alone = RecordBatch::try_from_iter([("a", Arc::new(StringArray::from(vec!["\\."])) as ArrayRef)]).unwrap();
    assert_eq!(lines(&alone, CopyOptions::new(CopyFormat::Csv)), "\"\\.\"\n");
}

#[test]
fn binary() {
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef, true),
        ("b", Arc::new(StringArray::from(vec![None::<&str>])), true),
        ("c", Arc::new(StringArray::from(vec!["x"])), true),
    ])
    .unwrap();
    let expected = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\
        \0\x03\0\0\0\x08\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01x\xff\xff";
    assert_eq!(copied(&batch, CopyOptions::new(CopyFormat::Binary)), expected);
}
