//! `numeric`: decimals as text and in groups of four digits.

use arrow::datatypes::i256;

use super::out::Out;

const NEGATIVE: u16 = 0x4000;
/// Ten to this many fits a u64.
const CHUNK: usize = 19;

/// The decimal digits of a whole number without its sign; none of zero.
pub(super) struct Digits {
    buffer: [u8; CHUNK * 5],
    start: usize,
}

impl Digits {
    pub(super) fn of_u64(n: u64) -> Self {
        Self::of([n, 0, 0, 0])
    }

    pub(super) fn of_u128(n: u128) -> Self {
        Self::of([n as u64, (n >> 64) as u64, 0, 0])
    }

    pub(super) fn of_i256(n: i256) -> Self {
        let (low, high) = n.wrapping_abs().to_parts();
        Self::of([low as u64, (low >> 64) as u64, high as u64, (high as u128 >> 64) as u64])
    }

    /// From 64 bits each, the low ones first.
    fn of(mut words: [u64; 4]) -> Self {
        const TEN_TO_THE_CHUNK: u64 = 10_u64.pow(CHUNK as u32);
        let mut buffer = [b'0'; CHUNK * 5];
        let mut top = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        for chunk in buffer.rchunks_exact_mut(CHUNK) {
            if top == 0 {
                break;
            }
            let mut rest: u64 = 0;
            for word in words[..top].iter_mut().rev() {
                let dividend = u128::from(rest) << 64 | u128::from(*word);
                *word = (dividend / u128::from(TEN_TO_THE_CHUNK)) as u64;
                rest = (dividend % u128::from(TEN_TO_THE_CHUNK)) as u64;
            }
            super::number::fill(chunk, rest);
            while top > 0 && words[top - 1] == 0 {
                top -= 1;
            }
        }
        let start = buffer.iter().position(|digit| *digit != b'0').unwrap_or(buffer.len());
        Self { buffer, start }
    }

    fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// As text, the point `scale` digits from the end; zeros instead of digits where it is negative.
    pub(super) fn text(&self, negative: bool, scale: i8, out: &mut Out<'_>) {
        let digits = self.as_slice();
        if negative {
            out.byte(b'-');
        }
        let fraction = usize::try_from(scale).unwrap_or(0);
        let whole = digits.len().saturating_sub(fraction);
        if whole == 0 {
            out.byte(b'0');
        } else {
            out.put(&digits[..whole]);
            out.space(usize::from(scale.min(0).unsigned_abs())).fill(b'0');
        }
        if fraction > 0 {
            out.byte(b'.');
            out.space(fraction.saturating_sub(digits.len())).fill(b'0');
            out.put(&digits[whole..]);
        }
    }

    /// In binary: groups of four digits counted from the point, without zeros at either end.
    pub(super) fn binary(&self, negative: bool, scale: i8, out: &mut Out<'_>) {
        let digits = self.as_slice();
        // Power of ten of the first digit.
        let first = digits.len() as i32 - i32::from(scale) - 1;
        let weight = first.div_euclid(4);
        let mut groups = [0_u16; CHUNK * 5 / 4 + 2];
        for (place, digit) in digits.iter().enumerate() {
            let power = first - place as i32;
            let group = &mut groups[(weight - power.div_euclid(4)) as usize];
            *group += u16::from(digit - b'0') * [1, 10, 100, 1000][power.rem_euclid(4) as usize];
        }
        let count = groups.iter().rposition(|group| *group != 0).map_or(0, |last| last + 1);
        let weight = if count == 0 { 0 } else { weight as i16 };
        out.put_array((count as u16).to_be_bytes());
        out.put_array(weight.to_be_bytes());
        out.put_array(if negative { NEGATIVE } else { 0 }.to_be_bytes());
        out.put_array(u16::try_from(scale).unwrap_or(0).to_be_bytes());
        for group in &groups[..count] {
            out.put_array(group.to_be_bytes());
        }
    }
}
