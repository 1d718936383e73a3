//! Floats as text.
//!
//! PostgreSQL prints the shortest digits that read back the same, but never such that lie
//! exactly half-way to a neighbour (it does not trust readers to round to even). `zmij` takes
//! those where it may, so they are looked for and done again: `strictly_inside`.

use arrow::datatypes::i256;

use super::number;
use super::out::Out;

/// A float8; `extra_digits` is `extra_float_digits`.
#[inline]
pub fn float8(value: f64, extra_digits: i32, out: &mut Out<'_>) {
    if extra_digits < 1 {
        return rounded(value, 15 + extra_digits, out);
    }
    let size = value.abs();
    let mut buffer = zmij::Buffer::new();
    if (1e-4..1e15).contains(&size) {
        plain(buffer.format_finite(value), out);
    } else if value.is_finite() && value != 0.0 {
        let bits = value.to_bits();
        let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
        let tie = if size < 1e41 { strictly_inside(fraction | 1 << 52, exponent - 1075, 1 << 52) } else { None };
        scientific(value < 0.0, buffer.format_finite(size), tie, out);
    } else {
        special(value, out);
    }
}

/// A float4; `extra_digits` is `extra_float_digits`.
#[inline]
pub fn float4(value: f32, extra_digits: i32, out: &mut Out<'_>) {
    if extra_digits < 1 {
        return rounded(f64::from(value), 6 + extra_digits, out);
    }
    let size = value.abs();
    let mut buffer = zmij::Buffer::new();
    if (1e-4..1e6).contains(&size) {
        plain(buffer.format_finite(value), out);
    } else if value.is_finite() && value != 0.0 {
        let bits = value.to_bits();
        let (fraction, exponent) = (bits & ((1 << 23) - 1), (bits >> 23 & 0xff) as i32);
        let tie = strictly_inside(u64::from(fraction | 1 << 23), exponent - 150, 1 << 23);
        scientific(value < 0.0, buffer.format_finite(size), tie, out);
    } else {
        special(f64::from(value), out);
    }
}

/// The neighbours' half-ways of a float that are whole tens, and what to write instead.
struct Tie {
    low: i256,
    high: i256,
    exact: i256,
    /// All three count powers of two.
    unit: u32,
}

/// The bounds that the digits of `fraction * 2^exponent` must be strictly within; `None` where
/// no decimal of so few digits can lie on them: it would need a factor five for each zero.
fn strictly_inside(fraction: u64, exponent: i32, least: u64) -> Option<Tie> {
    let unit = u32::try_from(exponent.checked_sub(2)?).ok()?;
    let exact = 4 * fraction;
    let low = exact - if fraction == least { 1 } else { 2 };
    let whole = |n: u64| i256::from_i128(i128::from(n));
    (unit <= 90).then(|| Tie { low: whole(low), high: whole(exact + 2), exact: whole(exact), unit })
}

impl Tie {
    /// The digits to write where `digits` followed by `zeros` zeros lie on a bound.
    fn resolve(&self, digits: u64, zeros: u32) -> Option<(u64, u32)> {
        let power = i256::from_i128(2).checked_pow(self.unit)?;
        let [low, high, exact] = [self.low, self.high, self.exact].map(|n| n.wrapping_mul(power));
        let ten = |zeros: u32| i256::from_i128(10).checked_pow(zeros);
        let written = i256::from_i128(i128::from(digits)).checked_mul(ten(zeros)?)?;
        if written != low && written != high {
            return None;
        }
        (0..=zeros).rev().find_map(|zeros| {
            let step = ten(zeros)?;
            let below = exact.checked_div(step)?.checked_mul(step)?;
            let above = below.checked_add(step)?;
            let distance = |n: i256| if n < exact { exact.wrapping_sub(n) } else { n.wrapping_sub(exact) };
            let inside = [below, above].into_iter().filter(|n| *n > low && *n < high);
            let nearest = inside.min_by_key(|n| distance(*n))?;
            Some((u64::try_from(nearest.checked_div(step)?.to_i128()?).ok()?, zeros))
        })
    }
}

/// Without exponent: as `zmij` writes it, but no `.0`.
#[inline]
fn plain(text: &str, out: &mut Out<'_>) {
    out.put(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cold]
fn special(value: f64, out: &mut Out<'_>) {
    let text: &[u8] = match value {
        _ if value.is_nan() => b"NaN",
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ if value.is_sign_negative() => b"-0",
        _ => b"0",
    };
    out.put(text);
}

/// With an exponent of two digits or more, from any decimal that `zmij` writes.
fn scientific(negative: bool, text: &str, tie: Option<Tie>, out: &mut Out<'_>) {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: u64 = 0;
    // Not a fold over all of them: a plain number above 2^53 may end in more zeros than fit.
    let mut exponent = power;
    for digit in whole.bytes().chain(fraction.trim_end_matches('0').bytes()) {
        digits = digits * 10 + u64::from(digit - b'0');
    }
    exponent -= fraction.trim_end_matches('0').len() as i32;
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        exponent += 1;
    }
    if let (Some(tie), Ok(zeros)) = (tie, u32::try_from(exponent))
        && let Some((better, zeros)) = tie.resolve(digits, zeros)
    {
        (digits, exponent) = (better, zeros as i32);
    }
    let mut written = [0; 20];
    let len = number::width(digits);
    number::fill(&mut written[..len], digits);
    exponential(negative, &written[..len], exponent + len as i32 - 1, out);
}

/// `d.ddde±xx`.
fn exponential(negative: bool, digits: &[u8], exponent: i32, out: &mut Out<'_>) {
    if negative {
        out.byte(b'-');
    }
    if let Some((first, rest)) = digits.split_first() {
        out.byte(*first);
        if !rest.is_empty() {
            out.byte(b'.');
            out.put(rest);
        }
    }
    out.put(if exponent < 0 { b"e-" } else { b"e+" });
    number::padded(u64::from(exponent.unsigned_abs()), 2, out);
}

/// C's `%.*g`, with at least one digit.
fn rounded(value: f64, digits: i32, out: &mut Out<'_>) {
    if !value.is_finite() || value == 0.0 {
        return special(value, out);
    }
    let digits = digits.max(1);
    let text = format!("{:.*e}", digits as usize - 1, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let kept: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let kept = kept.trim_zeros();
    let negative = value < 0.0;
    if exponent < -4 || exponent >= digits {
        return exponential(negative, kept, exponent, out);
    }
    if negative {
        out.byte(b'-');
    }
    if exponent < 0 {
        out.put(b"0.");
        out.space((-1 - exponent) as usize).fill(b'0');
        return out.put(kept);
    }
    let whole = exponent as usize + 1;
    out.put(&kept[..kept.len().min(whole)]);
    out.space(whole.saturating_sub(kept.len())).fill(b'0');
    if kept.len() > whole {
        out.byte(b'.');
        out.put(&kept[whole..]);
    }
}

trait TrimZeros {
    fn trim_zeros(&self) -> &Self;
}

impl TrimZeros for [u8] {
    /// Without the zeros at the end.
    fn trim_zeros(&self) -> &Self {
        let len = self.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        &self[..len]
    }
}
