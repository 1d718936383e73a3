//! Random bytes, and valid messages cut and changed: no panic, and never a stand-still.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use super::frontend::{self, Frontend};
use super::startup::{self, First};

const LIMIT: usize = 1 << 16;

/// Decodes messages until bytes are missing or the stream is lost; holds each to the bytes it came in.
fn decoded(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut buf = BytesMut::from(bytes);
    loop {
        let before = buf.len();
        match frontend::message(&mut buf, LIMIT) {
            Ok(Some(message)) => {
                prop_assert!(buf.len() <= before - 5);
                prop_assert!(held(&message) <= before - buf.len(), "{message:?} holds more than it came in");
            }
            Ok(None) => {
                prop_assert!(buf.len() == before && before <= 1 + LIMIT);
                return Ok(());
            }
            Err(error) if error.fatal => {
                prop_assert!(buf.len() == before && error.sqlstate == "08P01");
                return Ok(());
            }
            Err(error) => {
                prop_assert!(buf.len() <= before - 5);
                prop_assert!(["08P01", "22021"].contains(&error.sqlstate));
                prop_assert!(error.message.len() < 200);
            }
        }
    }
}

/// Bytes of the wire that the message's parts stand for; capacities count, not lengths.
fn held(message: &Frontend) -> usize {
    match message {
        Frontend::Query(text) | Frontend::CopyFail(text) => text.capacity(),
        Frontend::Parse { statement, query, types } => statement.capacity() + query.capacity() + 4 * types.capacity(),
        Frontend::Bind { portal, statement, formats, values, results } => {
            let bytes: usize = values.iter().flatten().map(Bytes::len).sum();
            portal.capacity()
                + statement.capacity()
                + 2 * formats.capacity()
                + 4 * values.capacity()
                + bytes
                + 2 * results.capacity()
        }
        Frontend::Describe { name, .. } | Frontend::Close { name, .. } => name.capacity(),
        Frontend::Execute { portal, .. } => portal.capacity(),
        Frontend::Password(bytes) | Frontend::CopyData(bytes) => bytes.len(),
        _ => 0,
    }
}

fn started(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut buf = BytesMut::from(bytes);
    match startup::first(&mut buf) {
        Ok(Some(First::Startup(startup))) => {
            let held: usize = startup.parameters.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
            prop_assert!(held + 9 == bytes.len() - buf.len());
        }
        Ok(Some(_)) => prop_assert!(bytes.len() - buf.len() >= 8),
        Ok(None) => prop_assert!(buf.len() == bytes.len() && buf.len() < 10_000),
        Err(error) => prop_assert!(error.fatal),
    }
    Ok(())
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

fn strings() -> impl Strategy<Value = Vec<u8>> {
    "[^\0]{0,12}".prop_map(|text| [text.as_bytes(), b"\0"].concat())
}

fn bind() -> impl Strategy<Value = Vec<u8>> {
    let values = prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..9)), 0..5);
    (strings(), strings(), values, prop::collection::vec(0i16..2, 0..4)).prop_map(
        |(portal, statement, values, results)| {
            let mut body = [portal, statement].concat();
            body.put_u16(1);
            body.put_i16(1);
            body.put_u16(u16::try_from(values.len()).unwrap());
            for value in values {
                body.put_i32(value.as_ref().map_or(-1, |value| i32::try_from(value.len()).unwrap()));
                body.put_slice(&value.unwrap_or_default());
            }
            body.put_u16(u16::try_from(results.len()).unwrap());
            results.iter().for_each(|&format| body.put_i16(format));
            framed(b'B', &body)
        },
    )
}

fn valid() -> impl Strategy<Value = Vec<u8>> {
    let named = (prop::sample::select(&b"CD"[..]), prop::sample::select(&b"SP"[..]), strings());
    prop_oneof![
        strings().prop_map(|text| framed(b'Q', &text)),
        strings().prop_map(|text| framed(b'f', &text)),
        (strings(), strings(), prop::collection::vec(any::<u32>(), 0..4)).prop_map(|(name, query, types)| {
            let mut body = [name, query].concat();
            body.put_u16(u16::try_from(types.len()).unwrap());
            types.iter().for_each(|&oid| body.put_u32(oid));
            framed(b'P', &body)
        }),
        bind(),
        named.prop_map(|(kind, target, name)| framed(kind, &[vec![target], name].concat())),
        (strings(), any::<i32>()).prop_map(|(name, most)| framed(b'E', &[&name[..], &most.to_be_bytes()].concat())),
        prop::sample::select(&b"SHXc"[..]).prop_map(|kind| framed(kind, b"")),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| framed(b'd', &bytes)),
    ]
}

fn session() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(("[^\0]{1,8}", "[^\0]{0,8}"), 0..4).prop_map(|parameters| {
        let mut body = vec![0, 3, 0, 0];
        for (name, value) in parameters {
            body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], &body].concat()
    })
}

/// Bytes with some of them replaced and the end cut off.
fn changed(valid: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (valid, changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut bytes, changes, end, cut)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let end = end.index(bytes.len());
        bytes.truncate(if cut { end } else { bytes.len() });
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        decoded(&bytes)?;
        started(&bytes)?;
    }

    #[test]
    fn random_bodies(kind in prop::sample::select(&b"QPBDECSHXpdcfF"[..]), body in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..64)) {
        decoded(&framed(kind, &body))?;
    }

    #[test]
    fn random_startup_bodies(code in prop::sample::select(&[0x0003_0000u32, 80_877_102, 80_877_103, 80_877_104][..]), body in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..64)) {
        let length = u32::try_from(body.len() + 8).unwrap();
        started(&[&length.to_be_bytes()[..], &code.to_be_bytes(), &body].concat())?;
    }

    #[test]
    fn whole_messages(messages in prop::collection::vec(valid(), 1..4)) {
        let mut buf = BytesMut::from(&messages.concat()[..]);
        for _ in &messages {
            prop_assert!(frontend::message(&mut buf, LIMIT).unwrap().is_some());
        }
        prop_assert!(buf.is_empty());
    }

    #[test]
    fn changed_messages(bytes in changed(prop::collection::vec(valid(), 1..4).prop_map(|messages| messages.concat()))) {
        decoded(&bytes)?;
    }

    #[test]
    fn whole_and_changed_sessions(whole in session(), bytes in changed(session())) {
        prop_assert!(matches!(startup::first(&mut BytesMut::from(&whole[..])), Ok(Some(First::Startup(_)))));
        started(&bytes)?;
    }
}
