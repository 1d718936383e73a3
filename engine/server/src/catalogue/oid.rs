//! Oids of what the engine has: made of the names, so that they are the same in every session and after every start.

use std::collections::HashSet;

/// The first oid that PostgreSQL leaves to users.
pub(crate) const FIRST: u32 = 16_384;

/// Gives oids, none of them twice.
#[derive(Debug, Default)]
pub(super) struct Oids {
    taken: HashSet<u32>,
}

impl Oids {
    /// The oid of an object. Of two whose hashes meet, the one that asks later has the next free one: ask in the
    /// order of the names.
    pub(super) fn of(&mut self, kind: &str, schema: &str, name: &str) -> u32 {
        let room = (1_u32 << 31) - FIRST;
        let mut place = hash(&[kind, schema, name]) % room;
        while !self.taken.insert(FIRST + place) {
            place = (place + 1) % room;
        }
        FIRST + place
    }
}

/// FNV-1a over the parts, a byte of nought after each.
fn hash(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|p| p.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_no_oid_twice() {
        let mut oids = Oids::default();
        let first = oids.of("relation", "lake", "economy");
        assert_eq!(first, Oids::default().of("relation", "lake", "economy"));
        assert_eq!(oids.of("relation", "lake", "economy"), first + 1);
    }
}
