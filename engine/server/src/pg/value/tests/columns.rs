//! Types of columns, and the values of every kind of array.

use std::sync::Arc;

use arrow::array::types::{Float64Type, Int16Type, Int32Type, Int64Type};
use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit, UnionFields, i256};

use super::{field, hexes, texts, values};
use crate::pg::error::FEATURE_NOT_SUPPORTED;
use crate::pg::value::types::PgType;
use crate::pg::value::{Format, Style, oid_of, type_of};

fn text_of(array: impl Array + 'static, pg_type: Option<&str>) -> Vec<String> {
    texts(&(Arc::new(array) as ArrayRef), pg_type, &Style::default())
}

fn hex_of(array: impl Array + 'static, pg_type: Option<&str>) -> Vec<String> {
    hexes(&(Arc::new(array) as ArrayRef), pg_type)
}

fn list(values: &[Option<i64>]) -> ListArray {
    ListArray::from_iter_primitive::<Int64Type, _, _>([Some(values.to_vec())])
}

#[test]
fn types_follow_arrow() {
    let item = |data_type: DataType| Arc::new(Field::new_list_field(data_type, true));
    let cases = [
        (DataType::Boolean, 16, 1),
        (DataType::UInt8, 21, 2),
        (DataType::UInt16, 23, 4),
        (DataType::UInt32, 26, 4),
        (DataType::UInt64, 1700, -1),
        (DataType::Float16, 700, 4),
        (DataType::LargeUtf8, 25, -1),
        (DataType::FixedSizeBinary(3), 17, -1),
        (DataType::Date64, 1082, 4),
        (DataType::Time32(TimeUnit::Second), 1083, 8),
        (DataType::Timestamp(TimeUnit::Nanosecond, None), 1114, 8),
        (DataType::Timestamp(TimeUnit::Second, Some("UTC".into())), 1184, 8),
        (DataType::Duration(TimeUnit::Second), 1186, 16),
        (DataType::Null, 25, -1),
        (DataType::Struct(Fields::empty()), 114, -1),
        (DataType::List(item(DataType::Int32)), 1007, -1),
        (DataType::LargeList(item(DataType::List(item(DataType::Utf8)))), 1009, -1),
        (DataType::List(item(DataType::Struct(Fields::empty()))), 199, -1),
        (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int16)), 21, 2),
    ];
    for (data_type, oid, size) in cases {
        let found = type_of(&Field::new("c", data_type.clone(), true));
        assert_eq!((found.oid, found.size, found.modifier), (oid, size, -1), "{data_type}");
        assert_eq!(oid_of(&data_type), oid);
    }
    let decimal = type_of(&Field::new("c", DataType::Decimal128(10, 2), true));
    assert_eq!(decimal, PgType { oid: 1700, size: -1, modifier: (10 << 16 | 2) + 4, element: None });
    let list = type_of(&Field::new("c", DataType::List(item(DataType::Int64)), true));
    assert_eq!(list.element, Some(20));
}

#[test]
fn metadata_names_a_type_that_fits() {
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let lists: ArrayRef = Arc::new(list(&[Some(1)]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let nulls: ArrayRef = Arc::new(NullArray::new(1));
    let oid = |array: &ArrayRef, name| type_of(&field(array, Some(name))).oid;
    for (name, expected) in [("oid", 26), ("regclass", 2205), ("xid8", 5069), ("jsonb", 3802), ("void", 2278)] {
        assert_eq!(oid(&ints, name), expected);
        assert_eq!(oid(&nulls, name), expected);
    }
    for (name, expected) in [("name", 19), ("\"char\"", 18), ("inet", 869), ("pg_node_tree", 194), ("bpchar", 1042)] {
        assert_eq!(oid(&text, name), expected);
    }
    for (name, expected) in [("oid[]", 1028), ("int2vector", 22), ("oidvector", 30), ("anyarray", 2277)] {
        assert_eq!(oid(&lists, name), expected);
    }
    assert_eq!(oid(&floats, "oid"), 701);
    assert_eq!(oid(&text, "no such type"), 25);
    assert_eq!(type_of(&field(&text, Some("name"))).size, 64);
}

#[test]
fn numbers() {
    assert_eq!(text_of(Int8Array::from(vec![Some(-128), None]), None), ["-128", "<null>"]);
    assert_eq!(hex_of(Int8Array::from(vec![Some(-128), None]), None), ["ff80", "<null>"]);
    assert_eq!(text_of(UInt64Array::from(vec![u64::MAX]), None), ["18446744073709551615"]);
    assert_eq!(hex_of(UInt64Array::from(vec![10_000]), None), ["00010001000000000001"]);
    assert_eq!(hex_of(Int32Array::from(vec![1]), None), ["00000001"]);
    assert_eq!(hex_of(Float32Array::from(vec![1.5]), None), ["3fc00000"]);
    assert_eq!(hex_of(BooleanArray::from(vec![true, false]), None), ["01", "00"]);
    let wide = Decimal256Array::from(vec![i256::MINUS_ONE]).with_precision_and_scale(76, 38).unwrap();
    assert_eq!(text_of(wide, None), ["-0.00000000000000000000000000000000000001"]);
    let narrow = Decimal32Array::from(vec![i32::MIN]).with_precision_and_scale(9, 2).unwrap();
    assert_eq!(text_of(narrow, None), ["-21474836.48"]);
}

#[test]
fn times_in_binary() {
    assert_eq!(hex_of(Date32Array::from(vec![10_956, 19_782, i32::MIN]), None), ["ffffffff", "00002279", "80000000"]);
    let moments = TimestampMillisecondArray::from(vec![1_704_164_645_500, i64::MAX]);
    assert_eq!(hex_of(moments, None), ["0002b0ec851d9460", "7fffffffffffffff"]);
    let nanos = TimestampNanosecondArray::from(vec![-1]).with_timezone("Europe/Berlin");
    assert_eq!(text_of(nanos, None), ["1969-12-31 23:59:59.999999+00"]);
    assert_eq!(hex_of(Time32MillisecondArray::from(vec![14_706_500]), None), ["000000036c9361a0"]);
    let far: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX / 2]));
    let error = values(&far, None, Format::Text, &Style::default()).unwrap_err();
    assert_eq!(error.sqlstate, "22008");
    let span =
        IntervalMonthDayNanoArray::from(vec![arrow::datatypes::IntervalMonthDayNano::new(14, 3, 14_706_500_000_999)]);
    assert_eq!(hex_of(span, None), ["000000036c9361a0000000030000000e"]);
    assert_eq!(text_of(DurationSecondArray::from(vec![90_000]), None), ["1 day 01:00:00"]);
    assert_eq!(text_of(Date64Array::from(vec![-1]), None), ["1969-12-31"]);
}

#[test]
fn types_of_the_catalogue() {
    assert_eq!(text_of(Int32Array::from(vec![-1]), Some("oid")), ["4294967295"]);
    assert_eq!(hex_of(Int64Array::from(vec![26]), Some("oid")), ["0000001a"]);
    assert_eq!(text_of(StringArray::from(vec!["pg_class"]), Some("regclass")), ["pg_class"]);
    assert_eq!(hex_of(StringArray::from(vec!["1259"]), Some("regclass")), ["000004eb"]);
    assert_eq!(hex_of(StringArray::from(vec!["i", ""]), Some("\"char\"")), ["69", "00"]);
    assert_eq!(text_of(Int8Array::from(vec![105, 0, -1]), Some("\"char\"")), ["i", "", "\\377"]);
    let (v4, v6) = ("192.168.0.1/24", "::1");
    assert_eq!(
        hex_of(StringArray::from(vec![v4, v6]), Some("inet")),
        ["02180004c0a80001", "0380001000000000000000000000000000000001"]
    );
    assert_eq!(hex_of(StringArray::from(vec!["16/B374D848"]), Some("pg_lsn")), ["00000016b374d848"]);
    assert_eq!(text_of(UInt64Array::from(vec![0x16_B374_D848]), Some("pg_lsn")), ["16/B374D848"]);
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    assert_eq!(hex_of(StringArray::from(vec![uuid]), Some("uuid")), [uuid.replace('-', "")]);
    let bytes = crate::pg::value::decode::uuid_bytes(uuid).unwrap();
    assert_eq!(text_of(FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap(), Some("uuid")), [uuid]);
    assert_eq!(hex_of(StringArray::from(vec!["{\"a\": 1}"]), Some("jsonb")), ["017b2261223a20317d"]);
    assert_eq!(text_of(Int32Array::from(vec![1]), Some("void")), [""]);
    assert_eq!(
        hex_of(list(&[Some(1), Some(2), Some(3)]), Some("int2vector")),
        ["0000000100000000000000150000000300000000000000020001000000020002000000020003"]
    );
    let oids = hex_of(list(&[Some(26), Some(23)]), Some("oidvector"));
    assert_eq!(oids, ["00000001000000000000001a0000000200000000000000040000001a0000000400000017"]);
    assert_eq!(text_of(list(&[Some(26), Some(23)]), Some("oidvector")), ["26 23"]);
    assert_eq!(hex_of(list(&[]), Some("int2vector")), ["0000000100000000000000150000000000000000"]);
}

#[test]
fn arrays() {
    let ints =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None, Some(3)]), Some(vec![]), None]);
    assert_eq!(text_of(ints.clone(), None), ["{1,NULL,3}", "{}", "<null>"]);
    assert_eq!(
        hex_of(ints, None)[..2],
        [
            "00000001000000010000001700000003000000010000000400000001ffffffff0000000400000003",
            "000000000000000000000017"
        ]
    );
    let mut words = ListBuilder::new(StringBuilder::new());
    let all =
        [Some("a"), Some("b c"), None, Some("q\"x"), Some(""), Some("null"), Some("a\\b"), Some("{x}"), Some("a,b")];
    words.append_value(all);
    let words = words.finish();
    assert_eq!(text_of(words.clone(), None), [r#"{a,"b c",NULL,"q\"x","","null","a\\b","{x}","a,b"}"#]);
    assert_eq!(
        hex_of(words, None),
        ["0000000100000001000000190000000900000001000000016100000003622063ffffffff00000003712278\
          00000000000000046e756c6c00000003615c62000000037b787d00000003612c62"]
    );
    let times =
        ListArray::from_iter_primitive::<arrow::datatypes::TimestampMicrosecondType, _, _>([Some(vec![Some(0)])]);
    assert_eq!(text_of(times, None), ["{\"1970-01-01 00:00:00\"}"]);
    let view: ArrayRef = Arc::new(ListViewArray::from(list(&[Some(4), Some(5)])));
    assert_eq!(texts(&view, None, &Style::default()), ["{4,5}"]);
    let fixed = FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(1.5), Some(-2.0)])], 2);
    assert_eq!(text_of(fixed, None), ["{1.5,-2}"]);
}

/// Lists of lists, each given by how many numbers its lists have; the numbers count up from one.
fn nested(lengths: &[usize]) -> ListArray {
    let numbers = Int64Array::from_iter_values(1..=lengths.iter().sum::<usize>() as i64);
    let item = |data_type: &DataType| Arc::new(Field::new_list_field(data_type.clone(), true));
    let inner = ListArray::new(
        item(&DataType::Int64),
        OffsetBuffer::from_lengths(lengths.iter().copied()),
        Arc::new(numbers),
        None,
    );
    let outer = OffsetBuffer::from_lengths([lengths.len()]);
    ListArray::new(item(inner.data_type()), outer, Arc::new(inner), None)
}

#[test]
fn arrays_of_arrays() {
    assert_eq!(text_of(nested(&[2, 2]), None), ["{{1,2},{3,4}}"]);
    assert_eq!(
        hex_of(nested(&[2, 2]), None),
        ["000000020000000000000014000000020000000100000002000000010000000800000000000000010000000800000000\
          00000002000000080000000000000003000000080000000000000004"]
    );
    assert_eq!(text_of(nested(&[0, 0]), None), ["{}"]);
    assert_eq!(text_of(nested(&[]), None), ["{}"]);
    for format in [Format::Text, Format::Binary] {
        let error = values(&(Arc::new(nested(&[2, 1])) as ArrayRef), None, format, &Style::default()).unwrap_err();
        assert_eq!(error.sqlstate, FEATURE_NOT_SUPPORTED);
        assert!(error.message.starts_with("column \"c\": "), "{}", error.message);
    }
    assert_eq!(text_of(nested(&[2, 1]), Some("json")), ["[[1,2],[3]]"]);
}

#[test]
fn encoded_arrays() {
    let dictionary: DictionaryArray<Int32Type> = [Some("x"), None, Some("y"), Some("x")].into_iter().collect();
    assert_eq!(text_of(dictionary.clone(), None), ["x", "<null>", "y", "x"]);
    assert_eq!(hex_of(dictionary.slice(2, 2), None), ["79", "78"]);
    let runs = RunArray::<Int16Type>::try_new(
        &Int16Array::from(vec![2, 3, 5]),
        &Int32Array::from(vec![Some(7), None, Some(9)]),
    )
    .unwrap();
    assert_eq!(text_of(runs.clone(), None), ["7", "7", "<null>", "9", "9"]);
    assert_eq!(text_of(runs.slice(1, 3), None), ["7", "<null>", "9"]);
    let fields: UnionFields =
        [(0, Arc::new(Field::new("n", DataType::Int32, true))), (4, Arc::new(Field::new("s", DataType::Utf8, true)))]
            .into_iter()
            .collect();
    let children: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![5])), Arc::new(StringArray::from(vec!["five"]))];
    let union = UnionArray::try_new(fields, vec![4, 0].into(), Some(vec![0, 0].into()), children).unwrap();
    assert_eq!(text_of(union.clone(), None), ["five", "5"]);
    assert_eq!(hex_of(union, None), ["66697665", "35"]);
}

#[test]
fn structs_and_maps_are_json() {
    let fields: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(Int64Array::from(vec![i64::MAX]))),
        ("b\"", Arc::new(StringArray::from(vec!["q\"\\/\n\u{1}"]))),
        ("c", Arc::new(NullArray::new(1))),
        ("d", Arc::new(Float64Array::from(vec![1e20]))),
        ("e", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ("f", Arc::new(TimestampMicrosecondArray::from(vec![1_704_164_645_500_000]))),
        ("g", Arc::new(TimestampSecondArray::from(vec![0]).with_timezone("UTC"))),
        ("h", Arc::new(Date32Array::from(vec![19_724]))),
        ("i", Arc::new(list(&[Some(1), None]))),
        ("j", Arc::new(IntervalYearMonthArray::from(vec![1]))),
        ("k", Arc::new(BinaryArray::from(vec![&b"\xde\xad"[..]]))),
        ("l", Arc::new(Decimal128Array::from(vec![1250]).with_precision_and_scale(10, 2).unwrap())),
        ("n", Arc::new(BooleanArray::from(vec![true]))),
        ("r", Arc::new(nested(&[2, 1]))),
    ];
    let fields =
        fields.into_iter().map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    let structure = StructArray::from(fields.collect::<Vec<_>>());
    let expected = r#"{"a":9223372036854775807,"b\"":"q\"\\/\n\u0001","c":null,"d":1e+20,"e":"NaN","f":"2024-01-02T03:04:05.5","g":"1970-01-01T00:00:00+00:00","h":"2024-01-02","i":[1,null],"j":"1 mon","k":"\\xdead","l":12.50,"n":true,"r":[[1,2],[3]]}"#;
    assert_eq!(text_of(structure.clone(), None), [expected]);
    serde_json::from_str::<serde_json::Value>(expected).unwrap();
    assert_eq!(hex_of(structure.clone(), Some("jsonb")), [format!("01{}", super::hex(expected.as_bytes()))]);
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("x");
    map.append(true).unwrap();
    assert_eq!(text_of(map.finish(), None), [r#"{"7":"x"}"#]);
}
