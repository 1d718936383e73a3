//! Whole numbers as text.

use super::out::Out;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
                            2021222324252627282930313233343536373839\
                            4041424344454647484950515253545556575859\
                            6061626364656667686970717273747576777879\
                            8081828384858687888990919293949596979899";

/// The two digits of a number below 100.
#[inline]
pub fn pair(n: u32) -> [u8; 2] {
    let at = (n % 100) as usize * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// Fills `to` from its end with the last digits of `n`, zeros in front; gives what is left of `n`.
#[inline]
pub fn fill(to: &mut [u8], mut n: u64) -> u64 {
    let mut chunks = to.rchunks_exact_mut(2);
    for chunk in &mut chunks {
        chunk.copy_from_slice(&pair((n % 100) as u32));
        n /= 100;
    }
    if let [first] = chunks.into_remainder() {
        *first = b'0' + (n % 10) as u8;
        n /= 10;
    }
    n
}

/// How many digits a number has; zero has one.
#[inline]
pub fn width(n: u64) -> usize {
    n.checked_ilog10().unwrap_or(0) as usize + 1
}

/// A number without a sign.
#[inline]
pub fn unsigned(n: u64, out: &mut Out<'_>) {
    fill(out.space(width(n)), n);
}

/// A number with its sign.
#[inline]
pub fn signed(n: i64, out: &mut Out<'_>) {
    let size = n.unsigned_abs();
    if n < 0 {
        let to = out.space(width(size) + 1);
        fill(to, size);
        to[0] = b'-';
    } else {
        unsigned(size, out);
    }
}

/// At least `least` digits, zeros in front.
#[inline]
pub fn padded(n: u64, least: usize, out: &mut Out<'_>) {
    fill(out.space(width(n).max(least)), n);
}
