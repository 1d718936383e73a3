//! What is known of a dataset: `datasets/sources/*.toml`.

use std::sync::OnceLock;

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::sources::IMPORTERS;
use crate::error::{Error, Place, Result};
use crate::fetch::Endpoint;

#[derive(RustEmbed)]
#[folder = "../../datasets/sources"]
struct Files;

#[derive(RustEmbed)]
#[folder = "../../datasets/surveys"]
struct Surveys;

/// A dataset that envoi can import: producer, licence, citation, caveats, and
/// the settings of its importer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// `<provider>.<dataset>`, the `source_id` of its rows.
    pub id: String,
    /// Publisher.
    pub provider: String,
    /// Name of the dataset.
    pub dataset: String,
    /// What it holds, in a sentence.
    pub description: String,
    /// Licence as the publisher states it.
    pub licence: String,
    /// How to cite it; `{vintage}` stands for the date of the edition.
    pub citation: String,
    /// Where the publisher offers it.
    pub url: Option<String>,
    /// File formats the importer reads.
    #[serde(default)]
    pub formats: Vec<String>,
    /// Lake tables it feeds.
    #[serde(default)]
    pub tables: Vec<String>,
    /// The producer's own caveats.
    #[serde(default)]
    pub caveats: Vec<String>,
    /// Which importer reads it, where that is not one of its own with the same id.
    pub importer: Option<String>,
    /// Where the publisher offers it to programs.
    pub fetch: Option<Endpoint>,
    /// File of a mapping of the user's; none for what is part of the program.
    #[serde(skip)]
    pub mapping: Option<String>,
    /// What the importer needs to know; each importer has its own type for it.
    #[serde(default)]
    settings: toml::Table,
}

impl Descriptor {
    /// The settings of the importer.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T> {
        self.try_settings().map_err(|e| Error::Internal(format!("datasets/sources: settings of `{}`: {e}", self.id)))
    }

    /// As [`Self::settings`], for a descriptor of the user's, the error of which is theirs to mend.
    pub(super) fn try_settings<T: DeserializeOwned>(&self) -> std::result::Result<T, toml::de::Error> {
        self.settings.clone().try_into()
    }
}

/// All descriptors, sorted by id. They are part of the program: an error is a bug of ours.
pub fn descriptors() -> Result<&'static [Descriptor]> {
    static ALL: OnceLock<std::result::Result<Vec<Descriptor>, String>> = OnceLock::new();
    let load = || {
        let mut all = Vec::new();
        let files = Files::iter().map(|name| (Files::get(&name), name));
        let surveys = Surveys::iter().map(|name| (Surveys::get(&name), name));
        for (file, name) in files.chain(surveys).filter(|(_, name)| name.ends_with(".toml")) {
            let file = file.ok_or_else(|| format!("{name}: not embedded"))?;
            let text = std::str::from_utf8(&file.data).map_err(|e| format!("{name}: {e}"))?;
            all.push(toml::from_str::<Descriptor>(text).map_err(|e| format!("{name}: {e}"))?);
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    };
    match ALL.get_or_init(load) {
        Ok(all) => Ok(all),
        Err(e) => Err(Error::Internal(format!("datasets/sources: {e}"))),
    }
}

/// Reads a descriptor that is not part of the program, for an importer that is told by it what
/// is where: household surveys and series of central banks. `name` is the file's, for messages.
///
/// # Errors
/// A data error for a text that is no such descriptor: what is wrong, and where.
pub fn mapping(text: &str, name: &str) -> Result<Descriptor> {
    let wrong = |what: String| Error::data(Place::file(name), what);
    let mut found: Descriptor = toml::from_str(text).map_err(|e| wrong(format!("is no mapping: {}", one_line(&e))))?;
    let Some(importer) = &found.importer else {
        return Err(wrong(
            "names no importer; add importer = \"household_survey\" or \"central_bank.series\"".to_owned(),
        ));
    };
    let Some(importer) = IMPORTERS.iter().find(|i| i.id() == importer) else {
        return Err(wrong(format!(
            "there is no importer `{importer}`; mappings are for `household_survey` and `central_bank.series`"
        )));
    };
    importer.check(&found).map_err(wrong)?;
    if found.fetch.is_some() {
        return Err(wrong("has a section [fetch]; only datasets that are part of the program are fetched".to_owned()));
    }
    if descriptors()?.iter().any(|d| d.id == found.id && d.importer != found.importer) {
        return Err(wrong(format!("id `{}` is that of a dataset of another kind; choose another", found.id)));
    }
    found.mapping = Some(name.to_owned());
    Ok(found)
}

pub(super) fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    text.split('\n').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The descriptor of that id; an unknown one is an error that lists what there is.
pub fn descriptor(id: &str) -> Result<&'static Descriptor> {
    let all = descriptors()?;
    all.iter().find(|d| d.id == id).ok_or_else(|| {
        let mut ids: Vec<&str> = all.iter().map(|d| d.id.as_str()).collect();
        ids.sort_by_key(|known| std::cmp::Reverse((strsim::jaro_winkler(known, id) * 1000.0) as u32));
        Error::Usage(format!("unknown source `{id}`; known are `{}`", ids.join("`, `")))
    })
}
