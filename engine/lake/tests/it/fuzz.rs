//! No bytes make an import panic, and none that are refused leave a trace.

use proptest::prelude::*;

use crate::support::{DAC2A, Scratch, WDI_REMITTANCES, fixture_bytes};
use crate::workbooks::{Matrix, stocks_2020, stocks_2024_pairs};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let s = Scratch::new();
        if s.import_bytes("any", bytes).is_err() {
            prop_assert!(s.snapshot().is_empty());
        }
    }

    #[test]
    fn damaged_files(which in 0..5usize, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = match which {
            0 => fixture_bytes(WDI_REMITTANCES),
            1 => fixture_bytes(DAC2A),
            2 => Matrix::default().book(),
            3 => stocks_2020().book(),
            _ => stocks_2024_pairs().book(),
        };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let s = Scratch::new();
        if s.import_bytes("damaged", bytes).is_err() {
            prop_assert!(s.snapshot().is_empty());
        }
    }
}
