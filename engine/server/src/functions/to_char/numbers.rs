//! Numbers by a pattern: `9,999.00`, `FM000`, `S99`.

/// What a pattern is made of.
#[derive(Debug, PartialEq)]
enum Item {
    Nine,
    Zero,
    Point,
    Group,
    /// `S`: `+` or `-` beside the digits.
    Sign,
    /// `SG`: `+` or `-` here.
    Here,
    /// `MI`: `-` here, or a blank.
    Minus,
    /// `PL`: `+` here, or a blank.
    Plus,
    Text(char),
}

/// A pattern, taken apart.
struct Pattern {
    items: Vec<Item>,
    fill: bool,
    angles: bool,
}

/// The most places of a pattern.
const MOST: usize = 1000;

/// A number, in digits, by a pattern.
pub(super) fn written(number: &str, pattern: &str) -> Result<String, String> {
    let pattern = read(pattern)?;
    let (negative, plain) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let plain = match plain.contains(['e', 'E']) {
        true => plain.parse::<f64>().map_or_else(|_| plain.to_owned(), |n| n.to_string()),
        false => plain.to_owned(),
    };
    let point = pattern.items.iter().position(|i| *i == Item::Point).unwrap_or(pattern.items.len());
    let digits = |items: &[Item]| items.iter().filter(|i| matches!(i, Item::Nine | Item::Zero)).count();
    let (before, after) = pattern.items.split_at(point);
    let (whole, fraction) = rounded(&plain, digits(after));
    let known = plain.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let fits = known && whole.len() <= digits(before);
    let negative = negative && (whole.bytes().chain(fraction.bytes()).any(|b| b != b'0') || !known);
    Ok(laid_out(&pattern, before, after, &Digits { whole, fraction, negative, fits }))
}

struct Digits {
    whole: String,
    fraction: String,
    negative: bool,
    /// Whether the places are enough; `#` stands in them otherwise.
    fits: bool,
}

fn laid_out(pattern: &Pattern, before: &[Item], after: &[Item], digits: &Digits) -> String {
    let all = &pattern.items;
    let (has, fill) = (|item: Item| all.contains(&item), pattern.fill);
    let places = before.iter().filter(|i| matches!(i, Item::Nine | Item::Zero)).count();
    let decimals = digits.fraction.len();
    // `S` stands before the digits or after them.
    let first = all.iter().position(|i| matches!(i, Item::Nine | Item::Zero | Item::Point)).unwrap_or(all.len());
    let trailing = all.iter().position(|i| *i == Item::Sign).is_some_and(|at| at > first);
    let sign = match (pattern.angles, digits.negative) {
        (true, true) => "<",
        (_, true) if has(Item::Sign) && !trailing => "-",
        (_, false) if has(Item::Sign) && !trailing => "+",
        (false, _) if has(Item::Sign) || has(Item::Minus) || has(Item::Here) => "",
        (false, true) => "-",
        _ if fill => "",
        _ => " ",
    };
    let mut out = String::new();
    let (mut place, mut begun) = (0, false);
    let mut slots = before.iter().filter(|i| matches!(i, Item::Nine | Item::Zero));
    let zeros = slots.position(|i| *i == Item::Zero).unwrap_or(places);
    let mut begin = |out: &mut String| {
        if !begun {
            out.push_str(sign);
            begun = true;
        }
    };
    let mut shown = false;
    for item in before {
        match item {
            Item::Nine | Item::Zero => {
                let digit =
                    (place + digits.whole.len()).checked_sub(places).and_then(|at| digits.whole.chars().nth(at));
                let only = digits.whole.is_empty() && place + 1 == places && !has(Item::Zero);
                let lone = only && (decimals == 0 || fill && digits.fraction.bytes().all(|b| b == b'0'));
                let c = match digit {
                    _ if !digits.fits => Some('#'),
                    Some(digit) => Some(digit),
                    None if place >= zeros || lone => Some('0'),
                    None => None,
                };
                match c {
                    Some(c) => {
                        begin(&mut out);
                        out.push(c);
                        shown = true;
                    }
                    None if fill => {}
                    None => out.push(' '),
                }
                place += 1;
            }
            Item::Group if shown => out.push(','),
            Item::Group if fill => {}
            Item::Group => out.push(' '),
            other => beside(other, digits.negative, trailing && shown, fill, &mut out),
        }
    }
    begin(&mut out);
    let slots = after.iter().filter(|i| matches!(i, Item::Nine | Item::Zero)).enumerate();
    // What need not be there is left out where blanks are.
    let needed = slots.filter(|(_, i)| **i == Item::Zero).map(|(at, _)| at + 1).last().unwrap_or(0);
    let kept = match fill && digits.fits {
        true => digits.fraction.trim_end_matches('0').len().max(needed),
        false => decimals,
    };
    let mut fraction = digits.fraction.chars().take(kept);
    for item in after {
        match item {
            Item::Point => out.push('.'),
            Item::Nine | Item::Zero => match digits.fits {
                true => out.extend(fraction.next()),
                false => out.push('#'),
            },
            Item::Group => {}
            other => beside(other, digits.negative, trailing, fill, &mut out),
        }
    }
    if pattern.angles {
        match digits.negative {
            true => out.push('>'),
            false if fill => {}
            false => out.push(' '),
        }
    }
    out
}

/// What stands beside the digits.
fn beside(item: &Item, negative: bool, trailing: bool, fill: bool, out: &mut String) {
    match item {
        Item::Text(c) => out.push(*c),
        Item::Sign if trailing => out.push(if negative { '-' } else { '+' }),
        Item::Here => out.push(if negative { '-' } else { '+' }),
        Item::Minus if negative => out.push('-'),
        Item::Plus if !negative => out.push('+'),
        Item::Minus | Item::Plus if !fill => out.push(' '),
        _ => {}
    }
}

/// Digits before and after the point, rounded; none before it for zero.
fn rounded(number: &str, decimals: usize) -> (String, String) {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let up = fraction.as_bytes().get(decimals).is_some_and(|b| *b >= b'5');
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals)).collect();
    if up {
        let mut carried = true;
        for digit in digits.iter_mut().rev() {
            carried = *digit == b'9';
            *digit = if carried { b'0' } else { digit.saturating_add(1) };
            if !carried {
                break;
            }
        }
        if carried {
            digits.insert(0, b'1');
        }
    }
    let text: String = digits.into_iter().map(char::from).collect();
    let (whole, fraction) = text.split_at(text.len().saturating_sub(decimals));
    (whole.trim_start_matches('0').to_owned(), fraction.to_owned())
}

fn read(pattern: &str) -> Result<Pattern, String> {
    let (mut items, mut fill, mut angles) = (Vec::new(), false, false);
    let mut rest = pattern;
    let upper = |text: &str, word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    while let Some(c) = rest.chars().next() {
        let words =
            [("FM", None), ("SG", Some(Item::Here)), ("MI", Some(Item::Minus)), ("PL", Some(Item::Plus)), ("PR", None)];
        let mut taken = c.len_utf8();
        if let Some((word, item)) = words.into_iter().find(|(word, _)| upper(rest, word)) {
            taken = word.len();
            fill |= word == "FM";
            angles |= word == "PR";
            items.extend(item);
        } else if c == '"' {
            let text = rest.get(1..).unwrap_or_default().split('"').next().unwrap_or_default();
            items.extend(text.chars().map(Item::Text));
            taken = (text.len() + 2).min(rest.len());
        } else {
            for word in ["EEEE", "RN", "TH", "V"] {
                if upper(rest, word) {
                    return Err(format!("`{word}` in a pattern of to_char is not supported"));
                }
            }
            items.push(match c {
                '9' => Item::Nine,
                '0' => Item::Zero,
                '.' | 'D' | 'd' if items.contains(&Item::Point) => return Err("multiple decimal points".to_owned()),
                '.' | 'D' | 'd' => Item::Point,
                ',' | 'G' | 'g' => Item::Group,
                'S' | 's' => Item::Sign,
                'L' | 'l' => Item::Text(' '),
                other => Item::Text(other),
            });
        }
        rest = rest.get(taken..).unwrap_or_default();
        if items.len() > MOST {
            return Err(format!("a pattern of to_char has at most {MOST} places"));
        }
    }
    Ok(Pattern { items, fill, angles })
}
