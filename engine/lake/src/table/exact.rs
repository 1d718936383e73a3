//! Which type holds decimal texts without rounding any of them.

use super::ColumnKind;

/// The narrowest kind that holds every value exactly; `None` if none does.
pub(super) fn number_kind(values: &[Option<String>]) -> Option<ColumnKind> {
    let all = || values.iter().flatten();
    if all().all(|v| v.parse::<i64>().is_ok()) {
        return Some(ColumnKind::Integer);
    }
    if all().all(|v| float_is_exact(v)) {
        return Some(ColumnKind::Number);
    }
    let parts = |v: &str| {
        let (whole, fraction) = v.trim_start_matches('-').split_once('.').unwrap_or((v.trim_start_matches('-'), ""));
        (whole.len(), fraction.len())
    };
    let whole = all().map(|v| parts(v).0).max().unwrap_or(1);
    let scale = all().map(|v| parts(v).1).max().unwrap_or(0);
    let precision = u8::try_from(whole + scale).ok().filter(|&p| p <= 76)?;
    Some(ColumnKind::Decimal { precision, scale: i8::try_from(scale).ok()? })
}

/// True if the nearest float prints as the same decimal, zeros at the end aside.
fn float_is_exact(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    // Fifteen significant digits always survive; counting leading zeros only errs to the safe side.
    if digits <= 15 {
        return true;
    }
    let Ok(float) = value.parse::<f64>() else {
        return false;
    };
    let plain = if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
    format!("{float}") == plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rounded() {
        let kind = |values: &[&str]| number_kind(&values.iter().map(|v| Some((*v).to_owned())).collect::<Vec<_>>());
        assert_eq!(kind(&["1", "-9223372036854775808"]), Some(ColumnKind::Integer));
        assert_eq!(kind(&["0.1", "1.50", "61103118000.55"]), Some(ColumnKind::Number));
        assert_eq!(kind(&["0.5", "9007199254740993"]), Some(ColumnKind::Decimal { precision: 17, scale: 1 }));
        assert_eq!(kind(&["9223372036854775808"]), Some(ColumnKind::Decimal { precision: 19, scale: 0 }));
        assert_eq!(kind(&[&"9".repeat(80)]), None);
    }
}
