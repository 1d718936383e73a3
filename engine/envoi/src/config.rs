//! Settings: defaults < file < environment < flags < `SET`; unknown keys are errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use envoi_lake::fetch::Manners;
use envoi_lake::read::Limits;
use etcetera::BaseStrategy;

use crate::error::{Error, Result};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A setting: its key, its default, what it does, and how its text is checked.
#[derive(Debug)]
pub struct Setting {
    /// `section.key`, as in `envoi.toml`.
    pub key: &'static str,
    /// Default, as text; empty: not set.
    pub default: &'static str,
    /// What it does.
    pub description: &'static str,
    check: fn(&str) -> std::result::Result<(), String>,
}

/// Every setting. `envoi config` prints them; there are no others.
pub static SETTINGS: &[Setting] = &[
    Setting {
        key: "lake.url",
        default: "",
        description: "the lake: a folder or an object-store URL; empty: a folder in the user's data folder",
        check: |_| Ok(()),
    },
    Setting {
        key: "lake.as_of",
        default: "",
        description: "see the newest editions not later than this date; empty: the newest",
        check: |text| date(text).map(|_| ()),
    },
    Setting {
        key: "lake.version",
        default: "",
        description: "read this version of the lake; empty: the newest",
        check: |text| if text.is_empty() { Ok(()) } else { whole(text).map(|_| ()) },
    },
    Setting {
        key: "runtime.threads",
        default: "",
        description: "threads for query work; empty: as many as cores",
        check: |text| {
            if text.is_empty() {
                return Ok(());
            }
            match whole(text)? {
                1..=1024 => Ok(()),
                _ => Err("expected 1 to 1024".to_owned()),
            }
        },
    },
    Setting {
        key: "runtime.memory",
        default: "",
        description: "memory for query work, such as 4GiB; more spills to disk; empty: half of the machine's",
        check: |text| if text.is_empty() { Ok(()) } else { bytes(text).map(|_| ()) },
    },
    Setting {
        key: "runtime.spill",
        default: "",
        description: "folder for spilled data; empty: the system's folder for temporary files",
        check: |_| Ok(()),
    },
    Setting {
        key: "import.file_bytes",
        default: "1GiB",
        description: "most bytes of a file to import, as stored",
        check: |text| bound(text).map(|_| ()),
    },
    Setting {
        key: "import.unpacked_bytes",
        default: "1GiB",
        description: "most bytes that an archive or workbook may unpack to",
        check: |text| bound(text).map(|_| ()),
    },
    Setting {
        key: "import.streamed_bytes",
        default: "16GiB",
        description: "most bytes of what is read row by row and never held: a sheet unpacked, a large SDMX-CSV",
        check: |text| bound(text).map(|_| ()),
    },
    Setting {
        key: "import.ratio",
        default: "200",
        description: "most unpacked bytes for a stored byte of an archive or workbook",
        check: |text| count(text).map(|_| ()),
    },
    Setting {
        key: "import.members",
        default: "10000",
        description: "most files in an archive or folder to import",
        check: |text| count(text).map(|_| ()),
    },
    Setting {
        key: "import.rows",
        default: "10000000",
        description: "most rows of a sheet or text to import",
        check: |text| count(text).map(|_| ()),
    },
    Setting {
        key: "import.columns",
        default: "20000",
        description: "most cells in a row to import",
        check: |text| count(text).map(|_| ()),
    },
    Setting {
        key: "import.cells",
        default: "40000000",
        description: "most cells of a sheet or text to import; each takes 24 bytes of memory or more",
        check: |text| count(text).map(|_| ()),
    },
    Setting {
        key: "import.cell_bytes",
        default: "1MiB",
        description: "most bytes of a cell to import",
        check: |text| bound(text).map(|_| ()),
    },
    Setting {
        key: "fetch.folder",
        default: "",
        description: "folder for downloads; empty: `downloads` in the user's data folder; what is in it may be deleted",
        check: |_| Ok(()),
    },
    Setting {
        key: "fetch.timeout",
        default: "60",
        description: "seconds of a publisher's silence after which a download is taken up anew",
        check: |text| between(text, 1, 3600).map(|_| ()),
    },
    Setting {
        key: "fetch.retries",
        default: "5",
        description: "how often a request that failed is tried again",
        check: |text| between(text, 0, 100).map(|_| ()),
    },
    Setting {
        key: "fetch.pause",
        default: "1",
        description: "seconds before the first retry; they double with each, up to a minute",
        check: |text| between(text, 0, 60).map(|_| ()),
    },
    Setting {
        key: "fetch.base",
        default: "",
        description: "a server on this machine, such as http://127.0.0.1:8080, that stands for all publishers: it is asked for /HOST/PATH; empty: the publishers",
        check: |text| if text.is_empty() { Ok(()) } else { envoi_lake::fetch::base(text).map(|_| ()) },
    },
    Setting {
        key: "prompt.history",
        default: "10000",
        description: "statements the prompt remembers across runs",
        check: |text| whole(text).map(|_| ()),
    },
];

/// All settings with their values and origins.
#[derive(Debug, Clone)]
pub struct Config {
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Default for Config {
    fn default() -> Self {
        Self { values: SETTINGS.iter().map(|s| (s.key, (s.default.to_owned(), Origin::Default))).collect() }
    }
}

/// Flags of the command line that are settings, as `(key, value, flag)`.
pub type Flags = Vec<(&'static str, String, &'static str)>;

impl Config {
    /// Puts the layers together. `file` is `--config`; without it `envoi.toml` in
    /// the user's configuration folder is read if it is there. The environment is
    /// `ENVOI_LAKE` and `ENVOI__SECTION__KEY`; another that begins with `ENVOI_` is an error.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: Flags,
    ) -> Result<Self> {
        let mut config = Self::default();
        match file {
            Some(path) => config.read_file(path)?,
            None => {
                let usual = config_folder()?.join("envoi.toml");
                if usual.exists() {
                    config.read_file(&usual)?;
                }
            }
        }
        for (name, value) in environment {
            let key = match name.as_str() {
                "ENVOI_LAKE" => "lake.url".to_owned(),
                _ => match name.strip_prefix("ENVOI__") {
                    Some(rest) => rest.to_lowercase().replace("__", "."),
                    None if name.starts_with("ENVOI_") => return Err(unknown_variable(&name)),
                    None => continue,
                },
            };
            config.set(&key, value, Origin::Environment(name))?;
        }
        for (key, value, flag) in flags {
            config.set(key, value, Origin::Flag(flag.to_owned()))?;
        }
        Ok(config)
    }

    fn read_file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::user(format!("cannot read configuration `{}`: {e}", path.display())))?;
        let table: toml::Table =
            text.parse().map_err(|e| Error::user(format!("configuration `{}`: {e}", path.display())))?;
        for (section, entries) in table {
            let toml::Value::Table(entries) = entries else {
                return Err(Error::user(format!(
                    "configuration `{}`: `{section}` is not a section; write `[section]` and `key = value` below it",
                    path.display()
                )));
            };
            for (key, value) in entries {
                let text = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Array(_) | toml::Value::Table(_) => {
                        return Err(Error::user(format!(
                            "configuration `{}`: `{section}.{key}` is not a single value",
                            path.display()
                        )));
                    }
                    other => other.to_string(),
                };
                self.set(&format!("{section}.{key}"), text, Origin::File(path.to_owned()))?;
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: String, origin: Origin) -> Result<()> {
        let Some(setting) = SETTINGS.iter().find(|s| s.key == key) else {
            let error = Error::user(format!("unknown setting `{key}` ({origin})"));
            return Err(match crate::error::nearest(key, SETTINGS.iter().map(|s| s.key)) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error.with_hint("`envoi config` lists the settings"),
            });
        };
        (setting.check)(&value)
            .map_err(|why| Error::user(format!("setting `{key}` cannot be `{value}` ({origin}): {why}")))?;
        self.values.insert(setting.key, (value, origin));
        Ok(())
    }

    /// Key, value and origin of every setting, in order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Setting, &str, &Origin)> {
        SETTINGS.iter().filter_map(|s| self.values.get(s.key).map(|(value, origin)| (s, value.as_str(), origin)))
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|(value, _)| value.as_str()).filter(|v| !v.is_empty())
    }

    /// The lake as the user named it, `None` for the default one.
    pub fn lake_url(&self) -> Option<&str> {
        self.text("lake.url")
    }

    /// Editions not later than this are seen.
    pub fn as_of(&self) -> Option<NaiveDate> {
        self.text("lake.as_of").and_then(|t| date(t).ok().flatten())
    }

    /// The lake version to read, `None` for the newest.
    pub fn lake_version(&self) -> Option<u64> {
        self.text("lake.version").and_then(|t| whole(t).ok())
    }

    /// Threads for query work.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.text("runtime.threads")
            .and_then(|t| whole(t).ok())
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or_else(cores)
    }

    /// Bytes for query work.
    pub fn memory(&self) -> usize {
        self.text("runtime.memory").and_then(|t| bytes(t).ok()).unwrap_or_else(half_of_memory)
    }

    /// Folder for spilled data, `None` for the system's.
    pub fn spill(&self) -> Option<PathBuf> {
        self.text("runtime.spill").map(PathBuf::from)
    }

    /// Bounds on files to import.
    pub fn import_limits(&self) -> Limits {
        let default = Limits::default();
        let number = |key: &str, read: fn(&str) -> std::result::Result<u64, String>, usual: u64| {
            self.text(key).and_then(|t| read(t).ok()).unwrap_or(usual)
        };
        // On a machine of 32 bits a larger bound is none.
        let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let counted = |key: &str, usual: usize| whole(number(key, count, usual as u64));
        Limits {
            file_bytes: number("import.file_bytes", bound, default.file_bytes),
            unpacked_bytes: number("import.unpacked_bytes", bound, default.unpacked_bytes),
            streamed_bytes: number("import.streamed_bytes", bound, default.streamed_bytes),
            ratio: number("import.ratio", count, default.ratio),
            members: counted("import.members", default.members),
            rows: counted("import.rows", default.rows),
            columns: counted("import.columns", default.columns),
            cells: counted("import.cells", default.cells),
            cell_bytes: whole(number("import.cell_bytes", bound, default.cell_bytes as u64)),
        }
    }

    /// How publishers are asked.
    pub fn fetch_manners(&self) -> Manners {
        let number = |key: &str| self.text(key).and_then(|t| whole(t).ok());
        let seconds = |key: &str, usual| number(key).map_or(usual, Duration::from_secs);
        let usual = Manners::default();
        Manners {
            timeout: seconds("fetch.timeout", usual.timeout),
            retries: number("fetch.retries").and_then(|n| u32::try_from(n).ok()).unwrap_or(usual.retries),
            pause: seconds("fetch.pause", usual.pause),
            base: self.text("fetch.base").and_then(|t| envoi_lake::fetch::base(t).ok()),
            ..usual
        }
    }

    /// Folder for downloads.
    pub fn fetch_folder(&self) -> Result<PathBuf> {
        self.text("fetch.folder").map_or_else(|| Ok(data_folder()?.join("downloads")), |folder| Ok(folder.into()))
    }

    /// Statements the prompt remembers.
    pub fn history(&self) -> usize {
        self.text("prompt.history").and_then(|t| t.parse().ok()).unwrap_or(0)
    }
}

/// The variables of this process; what is not Unicode is no setting of ours, unless its name says so.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}

/// The environment variable of a setting.
fn variable(setting: &Setting) -> String {
    format!("ENVOI__{}", setting.key.to_uppercase().replace('.', "__"))
}

/// A variable that looks like ours and is not: the one that was meant, by its
/// last words (`ENVOI_MEMORY`) or else by its spelling.
fn unknown_variable(name: &str) -> Error {
    let rest = name.trim_start_matches("ENVOI_").to_lowercase();
    let whole = |s: &Setting| s.key.replace('.', "_");
    let of_words = |s: &&Setting| whole(s) == rest || s.key.split('.').next_back() == Some(&rest);
    // The prefix that all have in common would make any two of them alike.
    let spelled = || {
        let mut known: Vec<String> = SETTINGS.iter().map(whole).collect();
        known.push("lake".to_owned());
        let near = crate::error::nearest(&rest, known.iter().map(String::as_str))?;
        Some(SETTINGS.iter().find(|s| whole(s) == near).map_or("ENVOI_LAKE".to_owned(), variable))
    };
    let meant = SETTINGS.iter().find(of_words).map(variable).or_else(spelled);
    let error = Error::user(format!("unknown environment variable `{name}`"));
    match meant {
        Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
        None => error.with_hint("settings are `ENVOI_LAKE` and `ENVOI__SECTION__KEY`; `envoi config` lists them"),
    }
}

/// The user's configuration folder for envoi.
pub fn config_folder() -> Result<PathBuf> {
    base().map(|b| b.config_dir().join("envoi"))
}

/// The user's data folder for envoi: the default lake and the sample lake.
pub fn data_folder() -> Result<PathBuf> {
    base().map(|b| b.data_dir().join("envoi"))
}

fn base() -> Result<impl BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|e| {
        Error::user(format!("the user's folders are not known: {e}; set HOME, or name a lake with --lake"))
    })
}

fn whole(text: &str) -> std::result::Result<u64, String> {
    text.trim().parse().map_err(|_| "expected a whole number".to_owned())
}

fn between(text: &str, least: u64, most: u64) -> std::result::Result<u64, String> {
    whole(text).ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| format!("expected {least} to {most}"))
}

/// A date `YYYY-MM-DD`; empty text is none.
pub(crate) fn date(text: &str) -> std::result::Result<Option<NaiveDate>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .map(Some)
        .map_err(|_| format!("`{text}` is not a date; expected YYYY-MM-DD"))
}

/// A number of things, 1 or more.
fn count(text: &str) -> std::result::Result<u64, String> {
    match whole(text)? {
        0 => Err("expected 1 or more".to_owned()),
        n => Ok(n),
    }
}

/// A size to bound something by, 1 byte or more.
fn bound(text: &str) -> std::result::Result<u64, String> {
    size(text).filter(|size| *size >= 1).ok_or_else(|| "expected a size such as 1MiB or 4GiB".to_owned())
}

/// A size of memory for queries.
fn bytes(text: &str) -> std::result::Result<usize, String> {
    let size = size(text).filter(|size| *size >= 16 << 20);
    size.and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| "expected a size such as 512MiB or 4GiB, at least 16MiB".to_owned())
}

/// Bytes of a size with a unit: 512MiB, 4GiB, 2GB, or plain bytes; `None` for any other text, and above 1e15.
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: f64 = digits.parse().ok()?;
    let scale = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "kib" | "k" => 1024.0,
        "mb" => 1e6,
        "mib" | "m" => 1024.0 * 1024.0,
        "gb" => 1e9,
        "gib" | "g" => 1024.0 * 1024.0 * 1024.0,
        "tib" | "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number * scale).filter(|size| *size <= 1e15).map(|size| size as u64)
}

/// Half of the machine's memory, or 2 GiB where the system does not say.
fn half_of_memory() -> usize {
    const FALLBACK: usize = 2 << 30;
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        text.lines().find_map(|l| l.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
    kib.map_or(FALLBACK, |kib| kib * 1024 / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_override_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("envoi.toml");
        std::fs::write(&file, "[lake]\nurl = \"from-file\"\n[runtime]\nthreads = 2\nmemory = \"1GiB\"\n").unwrap();
        let environment =
            [("ENVOI__RUNTIME__MEMORY".to_owned(), "2GiB".to_owned()), ("HOME_X".to_owned(), "x".to_owned())];
        let config =
            Config::load(Some(&file), environment.into_iter(), vec![("lake.url", "from-flag".to_owned(), "--lake")])
                .unwrap();
        assert_eq!(config.lake_url(), Some("from-flag"));
        assert_eq!(config.threads(), 2);
        assert_eq!(config.memory(), 2 << 30);
        let origins: Vec<String> = config.entries().map(|(s, _, o)| format!("{} {o}", s.key)).collect();
        assert!(origins.contains(&"lake.url flag --lake".to_owned()), "{origins:?}");
        assert!(origins.contains(&"runtime.memory environment ENVOI__RUNTIME__MEMORY".to_owned()), "{origins:?}");
    }

    #[test]
    fn unknown_variables_are_errors() {
        for (name, part) in [
            ("ENVOI_LAK", "did you mean `ENVOI_LAKE`?"),
            ("ENVOI_MEMORY", "did you mean `ENVOI__RUNTIME__MEMORY`?"),
            ("ENVOI_RUNTIME_THREADS", "did you mean `ENVOI__RUNTIME__THREADS`?"),
            ("ENVOI_AS_OF", "did you mean `ENVOI__LAKE__AS_OF`?"),
            ("ENVOI_ZZZZ", "settings are `ENVOI_LAKE` and"),
        ] {
            let environment = std::iter::once((name.to_owned(), "1".to_owned()));
            let error = Config::load(Some(Path::new("/dev/null")), environment, Vec::new()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(part), "{name}: {error}");
        }
        let others = ["ENVOIRONMENT", "envoi_lak"].map(|n| (n.to_owned(), "1".to_owned()));
        assert!(Config::load(Some(Path::new("/dev/null")), others.into_iter(), Vec::new()).is_ok());
    }

    #[test]
    fn limits_of_imports() {
        let (here, there) = (Config::default().fetch_manners(), Manners::default());
        assert_eq!((here.timeout, here.retries, here.pause), (there.timeout, there.retries, there.pause));
        assert_eq!(Config::default().import_limits(), Limits::default(), "what `envoi config` prints is what holds");
        let flags = vec![("import.file_bytes", "2GiB".to_owned(), "--x"), ("import.ratio", "500".to_owned(), "--x")];
        let limits = Config::load(Some(Path::new("/dev/null")), std::iter::empty(), flags).unwrap().import_limits();
        assert_eq!(limits, Limits { file_bytes: 2 << 30, ratio: 500, ..Limits::default() });
    }

    #[test]
    fn unknown_keys_and_bad_values_are_errors() {
        let flag = |key, value: &str| {
            Config::load(Some(Path::new("/dev/null")), std::iter::empty(), vec![(key, value.to_owned(), "--x")])
        };
        for (key, value, part) in [
            ("runtime.thread", "2", "did you mean `runtime.threads`?"),
            ("runtime.threads", "0", "expected 1 to 1024"),
            ("runtime.threads", "two", "expected a whole number"),
            ("runtime.memory", "4 parsecs", "expected a size"),
            ("runtime.memory", "1KiB", "at least 16MiB"),
            ("lake.as_of", "2023-13-01", "is not a date"),
            ("import.row", "1", "did you mean `import.rows`?"),
            ("import.rows", "0", "expected 1 or more"),
            ("import.cell_bytes", "0", "expected a size"),
            ("import.file_bytes", "big", "expected a size"),
        ] {
            let error = flag(key, value).unwrap_err().to_string();
            assert!(error.contains(part), "{key}={value}: {error}");
        }
    }
}
