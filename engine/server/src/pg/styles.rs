//! How values are written as text, by the settings of a connection.

use super::settings::Settings;
use super::value::{Bytea, DateOrder, DateStyle, IntervalStyle, Style, TimeZone};

/// The style that the settings ask for.
pub(super) fn style(settings: &Settings) -> Style {
    let get = |name: &str| settings.get(name).unwrap_or_default();
    let dates = get("datestyle");
    let (layout, order) = dates.split_once(", ").unwrap_or((dates.as_str(), "MDY"));
    Style {
        time_zone: zone(&get("timezone")),
        date_style: match layout {
            "SQL" => DateStyle::Sql,
            "Postgres" => DateStyle::Postgres,
            "German" => DateStyle::German,
            _ => DateStyle::Iso,
        },
        date_order: match order {
            "DMY" => DateOrder::Dmy,
            "YMD" => DateOrder::Ymd,
            _ => DateOrder::Mdy,
        },
        interval_style: match get("intervalstyle").as_str() {
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            "sql_standard" => IntervalStyle::SqlStandard,
            "iso_8601" => IntervalStyle::Iso8601,
            _ => IntervalStyle::Postgres,
        },
        bytea: if get("bytea_output") == "escape" { Bytea::Escape } else { Bytea::Hex },
        extra_float_digits: get("extra_float_digits").parse().unwrap_or(1),
    }
}

/// A name of the IANA database, or `<+05:30>-05:30` as settings keep hours.
fn zone(text: &str) -> TimeZone {
    if let Some((shown, _)) = text.strip_prefix('<').and_then(|t| t.split_once('>')) {
        let (sign, rest) = match shown.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, shown.trim_start_matches('+')),
        };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let seconds = |text: &str, of: i32| text.parse::<i32>().unwrap_or(0) * of;
        return TimeZone::Fixed(sign * (seconds(hours, 3600) + seconds(minutes, 60)));
    }
    TimeZone::Named(text.parse().unwrap_or(chrono_tz::Tz::UTC))
}
