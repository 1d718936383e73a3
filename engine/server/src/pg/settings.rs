//! Settings of a connection: those of PostgreSQL that its clients set, and those of `envoi`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{CANT_CHANGE, INVALID_PARAMETER_VALUE, PgError, Result, UNDEFINED_OBJECT};

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Takes {
    Bool,
    Integer(i64, i64),
    Real,
    /// Milliseconds, or a number with a unit.
    Time,
    /// Kilobytes, or a number with a unit.
    Size,
    Text,
    One(&'static [&'static str]),
    /// It can be read only.
    Nothing,
}

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) default: &'static str,
    pub(crate) description: &'static str,
    /// Clients are told of changes.
    pub(crate) reported: bool,
}

const fn of(name: &'static str, takes: Takes, default: &'static str, description: &'static str) -> Setting {
    Setting { name, takes, default, description, reported: false }
}

const fn reported(name: &'static str, takes: Takes, default: &'static str, description: &'static str) -> Setting {
    Setting { name, takes, default, description, reported: true }
}

const ISOLATION: &[&str] = &["serializable", "repeatable read", "read committed", "read uncommitted"];
const LEVELS: &[&str] =
    &["debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "notice", "warning", "error"];

/// All settings by name. Planner's switches and the like are taken and change nothing: tools set them.
pub(crate) static SETTINGS: &[Setting] = &[
    reported("application_name", Takes::Text, "", "name of the program that connected"),
    of("bytea_output", Takes::One(&["hex", "escape"]), "hex", "how bytes are written as text"),
    reported("client_encoding", Takes::Text, "UTF8", "encoding of texts; UTF8 alone"),
    of("client_min_messages", Takes::One(LEVELS), "notice", "least level of messages that are sent"),
    of("constraint_exclusion", Takes::One(&["partition", "on", "off"]), "partition", "changes nothing"),
    reported("DateStyle", Takes::Text, "ISO, MDY", "how dates are written, and in which order they are read"),
    of("default_table_access_method", Takes::Text, "heap", "changes nothing"),
    of("default_text_search_config", Takes::Text, "pg_catalog.simple", "changes nothing"),
    of("default_tablespace", Takes::Text, "", "changes nothing"),
    of("default_transaction_deferrable", Takes::Bool, "off", "changes nothing"),
    of(
        "default_transaction_isolation",
        Takes::One(ISOLATION),
        "read committed",
        "every transaction reads one version of the lake",
    ),
    reported("default_transaction_read_only", Takes::Bool, "on", "transactions read only"),
    of("enable_bitmapscan", Takes::Bool, "on", "changes nothing"),
    of("enable_hashagg", Takes::Bool, "on", "changes nothing"),
    of("enable_hashjoin", Takes::Bool, "on", "changes nothing"),
    of("enable_indexscan", Takes::Bool, "on", "changes nothing"),
    of("enable_mergejoin", Takes::Bool, "on", "changes nothing"),
    of("enable_nestloop", Takes::Bool, "on", "changes nothing"),
    of("enable_seqscan", Takes::Bool, "on", "changes nothing"),
    of("enable_sort", Takes::Bool, "on", "changes nothing"),
    of("escape_string_warning", Takes::Bool, "on", "changes nothing"),
    of(
        "extra_float_digits",
        Takes::Integer(-15, 3),
        "1",
        "digits of floating-point numbers; from 1 on the shortest that is exact",
    ),
    of("from_collapse_limit", Takes::Integer(1, i64::MAX), "8", "changes nothing"),
    of("geqo", Takes::Bool, "on", "changes nothing"),
    of("gin_fuzzy_search_limit", Takes::Integer(0, i64::MAX), "0", "changes nothing"),
    of(
        "idle_in_transaction_session_timeout",
        Takes::Time,
        "0",
        "milliseconds that a transaction may wait for its client; 0 for the server's limit",
    ),
    of("idle_session_timeout", Takes::Time, "0", "milliseconds that a connection may be idle; 0 for no limit"),
    reported("integer_datetimes", Takes::Nothing, "on", "times are integers"),
    reported("in_hot_standby", Takes::Nothing, "off", "the server is no standby"),
    reported(
        "IntervalStyle",
        Takes::One(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]),
        "postgres",
        "how intervals are written",
    ),
    reported("is_superuser", Takes::Nothing, "off", "there is no superuser"),
    of("jit", Takes::Bool, "on", "changes nothing"),
    of("join_collapse_limit", Takes::Integer(1, i64::MAX), "8", "changes nothing"),
    of("lc_collate", Takes::Nothing, "C", "texts are ordered by their bytes"),
    of("lc_ctype", Takes::Nothing, "C.UTF-8", "classes of characters"),
    of("lc_messages", Takes::Text, "C", "language of messages"),
    of("lc_monetary", Takes::Text, "C", "changes nothing"),
    of("lc_numeric", Takes::Text, "C", "changes nothing"),
    of("lc_time", Takes::Text, "C", "changes nothing"),
    of("lock_timeout", Takes::Time, "0", "milliseconds to wait for a lock; there are no locks"),
    of("log_statement", Takes::Text, "none", "changes nothing"),
    of("maintenance_work_mem", Takes::Size, "65536", "changes nothing"),
    of("max_identifier_length", Takes::Nothing, "63", "bytes of a name"),
    of("max_index_keys", Takes::Nothing, "32", "columns of a key"),
    of("max_parallel_workers_per_gather", Takes::Integer(0, 1024), "2", "changes nothing"),
    of("password_encryption", Takes::Nothing, "scram-sha-256", "how verifiers are made"),
    of("plan_cache_mode", Takes::Text, "auto", "changes nothing"),
    of("quote_all_identifiers", Takes::Bool, "off", "changes nothing"),
    of("random_page_cost", Takes::Real, "4", "changes nothing"),
    of("role", Takes::One(&["none"]), "none", "roles are those of the users"),
    of("row_security", Takes::Bool, "on", "row filters of users always hold"),
    of("search_path", Takes::Text, "mart, lake, model", "schemas that names without one are sought in"),
    of("seq_page_cost", Takes::Real, "1", "changes nothing"),
    reported("server_encoding", Takes::Nothing, "UTF8", "encoding of texts"),
    reported("server_version", Takes::Nothing, VERSION, "version of PostgreSQL that is spoken"),
    of("server_version_num", Takes::Nothing, "150018", "the same as a number"),
    reported("session_authorization", Takes::Nothing, "", "user of the connection"),
    of("session_replication_role", Takes::One(&["origin", "replica", "local"]), "origin", "changes nothing"),
    of("ssl", Takes::Nothing, "off", "whether connections may be encrypted"),
    reported("standard_conforming_strings", Takes::One(&["on"]), "on", "a backslash in a text is a backslash"),
    of("statement_timeout", Takes::Time, "0", "milliseconds that a statement may take; 0 for the server's limit"),
    of("synchronize_seqscans", Takes::Bool, "on", "changes nothing"),
    of("synchronous_commit", Takes::Text, "on", "changes nothing"),
    of("temp_buffers", Takes::Size, "8192", "changes nothing"),
    reported("TimeZone", Takes::Text, "UTC", "zone of timestamps"),
    of("transaction_deferrable", Takes::Bool, "off", "changes nothing"),
    of(
        "transaction_isolation",
        Takes::One(ISOLATION),
        "read committed",
        "every transaction reads one version of the lake",
    ),
    of("transaction_read_only", Takes::Bool, "on", "the transaction reads only"),
    of("vacuum_cost_delay", Takes::Real, "0", "changes nothing"),
    of("work_mem", Takes::Size, "4096", "changes nothing: memory is the server's limit"),
    of("xmloption", Takes::One(&["content", "document"]), "content", "changes nothing"),
];

/// The version of PostgreSQL whose catalogue and protocol are spoken.
pub(crate) const VERSION: &str = "15.18";

/// Prefix of settings that are the engine's.
pub(crate) const ENGINE: &str = "envoi.";

/// The settings of a connection, as they are now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// What was changed, by name in lower case.
    changed: BTreeMap<String, String>,
    /// What the connection began with, instead of the program's defaults.
    first: BTreeMap<String, String>,
}

/// The setting of a name, in whatever case.
pub(crate) fn known(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.name.eq_ignore_ascii_case(name))
}

impl Settings {
    /// Gives a default that holds for this connection, such as its user.
    pub(crate) fn begin_with(&mut self, name: &str, value: impl Into<String>) {
        self.first.insert(name.to_lowercase(), value.into());
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// 42704 for a name that is none.
    pub(crate) fn get(&self, name: &str) -> Result<String> {
        let lower = name.to_lowercase();
        let value = self.changed.get(&lower).or_else(|| self.first.get(&lower)).cloned();
        value.or_else(|| known(name).map(|s| s.default.to_owned())).ok_or_else(|| unknown(name))
    }

    /// Changes a setting, or with no value brings it back; gives the new value.
    ///
    /// # Errors
    /// 42704 for a name that is none, 22023 for a value it does not take, 55P02 for one that is read only.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<String> {
        let lower = name.to_lowercase();
        let Some(setting) = known(name) else {
            // Settings of extensions have two parts; a name of the engine below is none of them.
            if !lower.contains('.') || lower.starts_with("datafusion.") {
                return Err(unknown(name));
            }
            match value {
                Some(value) => self.changed.insert(lower, value.to_owned()),
                None => self.changed.remove(&lower),
            };
            return Ok(value.unwrap_or_default().to_owned());
        };
        let Some(value) = value else {
            self.changed.remove(&lower);
            return self.get(name);
        };
        let value = setting.taken(value, &self.get(name)?)?;
        self.changed.insert(lower, value.clone());
        Ok(value)
    }

    /// Brings all settings back.
    pub(crate) fn reset_all(&mut self) {
        self.changed.clear();
    }

    /// Settings of the engine that are not as the program has them, by name in lower case.
    pub(crate) fn engine(&self) -> BTreeMap<&str, &str> {
        let all = self.first.iter().chain(&self.changed);
        all.filter(|(name, _)| name.starts_with(ENGINE)).map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// What was changed, by name in lower case.
    pub(crate) fn changed(&self) -> &BTreeMap<String, String> {
        &self.changed
    }

    /// A duration in milliseconds; `None` for 0.
    pub(crate) fn time(&self, name: &str) -> Option<Duration> {
        let millis = self.get(name).ok().and_then(|text| milliseconds(&text)).filter(|ms| *ms > 0)?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }
}

fn unknown(name: &str) -> PgError {
    PgError::new(UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

impl Setting {
    /// The value as it is kept.
    fn taken(&self, value: &str, now: &str) -> Result<String> {
        let wrong = |hint: Option<String>| {
            let error = PgError::new(
                INVALID_PARAMETER_VALUE,
                format!("invalid value for parameter \"{}\": \"{value}\"", self.name),
            );
            Err(match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            })
        };
        match self.takes {
            Takes::Nothing if value.eq_ignore_ascii_case(now) => Ok(now.to_owned()),
            Takes::Nothing => Err(PgError::new(CANT_CHANGE, format!("parameter \"{}\" cannot be changed", self.name))),
            Takes::Bool => match boolean(value) {
                Some(false) if ["transaction_read_only", "default_transaction_read_only"].contains(&self.name) => {
                    Err(PgError::new("25006", "cannot set transaction read-write mode: this server is read-only"))
                }
                Some(on) => Ok(if on { "on" } else { "off" }.to_owned()),
                None => Err(PgError::new(
                    INVALID_PARAMETER_VALUE,
                    format!("parameter \"{}\" requires a Boolean value", self.name),
                )),
            },
            Takes::Integer(least, most) => match value.trim().parse::<i64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
                Ok(number) => Err(PgError::new(
                    INVALID_PARAMETER_VALUE,
                    format!("{number} is outside the valid range for parameter \"{}\" ({least} .. {most})", self.name),
                )),
                Err(_) => wrong(None),
            },
            Takes::Real => {
                if value.trim().parse::<f64>().is_ok() {
                    Ok(value.trim().to_owned())
                } else {
                    wrong(None)
                }
            }
            Takes::Time => match milliseconds(value) {
                Some(ms) if (0..=i64::from(i32::MAX)).contains(&ms) => Ok(shown_time(ms)),
                _ => wrong(Some(
                    "valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"".to_owned(),
                )),
            },
            Takes::Size => Ok(value.to_owned()),
            Takes::One(all) => match all.iter().find(|one| one.eq_ignore_ascii_case(value)) {
                Some(one) => Ok((*one).to_owned()),
                None => wrong(Some(format!("available values: {}", all.join(", ")))),
            },
            Takes::Text => match self.name {
                "client_encoding" => match value.to_lowercase().replace(['-', '_', '\'', '"'], "").as_str() {
                    "utf8" | "unicode" => Ok("UTF8".to_owned()),
                    // A client that takes bytes as they come.
                    "sqlascii" => Ok("SQL_ASCII".to_owned()),
                    _ => wrong(Some("this server sends UTF8".to_owned())),
                },
                "TimeZone" => zone(value).map_or_else(|| wrong(None), Ok),
                "DateStyle" => date_style(value, now).map_or_else(|| wrong(None), Ok),
                _ => Ok(value.to_owned()),
            },
        }
    }
}

/// The spellings of PostgreSQL.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "on" | "true" | "t" | "yes" | "y" | "1" => Some(true),
        "off" | "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// A duration as text: a number of milliseconds, or with a unit.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit)?;
    let number: f64 = number.trim().parse().ok()?;
    let factor = match unit.trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1e3,
        "min" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        _ => return None,
    };
    let value = (number * factor).round();
    (value.is_finite() && value.abs() < 1e15).then_some(value as i64)
}

/// As `SHOW` prints it: in the largest unit that divides it.
fn shown_time(ms: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    match units.into_iter().find(|(_, size)| ms > 0 && ms % size == 0) {
        Some((unit, size)) => format!("{}{unit}", ms / size),
        None if ms == 0 => "0".to_owned(),
        None => format!("{ms}ms"),
    }
}

/// The zone as it is kept: a name of the tz database, or hours from UTC.
fn zone(text: &str) -> Option<String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("default") || text.eq_ignore_ascii_case("local") {
        return Some("UTC".to_owned());
    }
    if let Some(zone) = chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(text)) {
        return Some(zone.name().to_owned());
    }
    // Hours east of UTC, of which POSIX's spelling has the other sign.
    let hours: f64 = match text.parse::<f64>() {
        Ok(hours) => hours,
        Err(_) => {
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1.0, rest),
                None => (1.0, text.strip_prefix('+')?),
            };
            let (h, m) = rest.split_once(':')?;
            sign * (h.parse::<f64>().ok()? + m.parse::<f64>().ok()? / 60.0)
        }
    };
    if hours.is_nan() || hours.abs() > 15.0 {
        return None;
    }
    let minutes = (hours * 60.0).round() as i64;
    let sign = if minutes < 0 { '-' } else { '+' };
    let other = if minutes < 0 { '+' } else { '-' };
    let (h, m) = (minutes.abs() / 60, minutes.abs() % 60);
    let of = if m == 0 { format!("{h:02}") } else { format!("{h:02}:{m:02}") };
    Some(format!("<{sign}{of}>{other}{of}"))
}

/// The two parts of DateStyle, of which a new value may change one.
fn date_style(text: &str, now: &str) -> Option<String> {
    let (mut style, mut order) = now.split_once(", ")?;
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        match part.to_lowercase().as_str() {
            "iso" => style = "ISO",
            "sql" => style = "SQL",
            "postgres" => style = "Postgres",
            "german" => (style, order) = ("German", "DMY"),
            "dmy" | "euro" | "european" => order = "DMY",
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY",
            "ymd" => order = "YMD",
            "default" => (style, order) = ("ISO", "MDY"),
            _ => return None,
        }
    }
    Some(format!("{style}, {order}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_and_kept_as_postgresql_shows_them() {
        let mut s = Settings::default();
        assert_eq!(s.set("STATEMENT_TIMEOUT", Some("90s")).unwrap(), "90s");
        assert_eq!(s.time("statement_timeout"), Some(Duration::from_secs(90)));
        assert_eq!(s.set("statement_timeout", Some("1500")).unwrap(), "1500ms");
        assert_eq!(s.set("datestyle", Some("german")).unwrap(), "German, DMY");
        assert_eq!(s.set("DateStyle", Some("iso")).unwrap(), "ISO, DMY");
        assert_eq!(s.set("timezone", Some("europe/paris")).unwrap(), "Europe/Paris");
        assert_eq!(s.set("timezone", Some("-5")).unwrap(), "<-05>+05");
        assert_eq!(s.set("timezone", Some("+05:30")).unwrap(), "<+05:30>-05:30");
        assert_eq!(s.set("extra_float_digits", Some("3")).unwrap(), "3");
        assert_eq!(s.set("my.own", Some("x")).unwrap(), "x");
        assert_eq!(s.get("my.own").unwrap(), "x");
        for (name, value, sqlstate) in [
            ("nonsense", "1", UNDEFINED_OBJECT),
            ("datafusion.execution.batch_size", "1", UNDEFINED_OBJECT),
            ("extra_float_digits", "9", INVALID_PARAMETER_VALUE),
            ("timezone", "Mars/Olympus", INVALID_PARAMETER_VALUE),
            ("client_encoding", "LATIN1", INVALID_PARAMETER_VALUE),
            ("statement_timeout", "soon", INVALID_PARAMETER_VALUE),
            ("server_version", "1", CANT_CHANGE),
            ("jit", "maybe", INVALID_PARAMETER_VALUE),
            ("default_transaction_read_only", "off", "25006"),
            ("standard_conforming_strings", "off", INVALID_PARAMETER_VALUE),
        ] {
            assert_eq!(s.set(name, Some(value)).unwrap_err().sqlstate, sqlstate, "{name} = {value}");
        }
        s.reset_all();
        assert_eq!(s.get("statement_timeout").unwrap(), "0");
        assert!(s.get("my.own").is_err());
    }
}
