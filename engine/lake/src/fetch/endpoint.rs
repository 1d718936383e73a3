//! Where a publisher offers a dataset: section `[fetch]` of its descriptor.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::content::Holds;
use crate::error::{Error, Result};
use crate::import::Descriptor;

/// What a program says of itself where the descriptor says nothing else.
const AGENT: &str = "envoi/{version} (+https://github.com/envoi-sql/envoi)";

/// `[fetch]`: addresses, what may be put into them, and which hosts may be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Hosts that may be asked, redirects included; no other ever is.
    pub hosts: Vec<String>,
    /// The user agent, where the publisher wants another than ours; `{version}` is the program's.
    pub agent: Option<String>,
    /// The page to download it from by hand, where that is not the descriptor's `url`.
    pub page: Option<String>,
    /// Most bytes of one file of it.
    pub most_bytes: Option<u64>,
    /// Forms that are fetched unless the user names one; none: that of the first file.
    #[serde(default)]
    pub usual: Vec<String>,
    /// What stands in braces in addresses.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The files.
    pub files: Vec<FilePattern>,
}

/// A placeholder that the user may set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it means.
    pub about: String,
    /// Its values where the user gives none; a file is fetched for each.
    pub default: Vec<String>,
    /// The values there are, where the descriptor knows them.
    #[serde(default)]
    pub choices: Vec<String>,
    /// It may be empty: all there is.
    #[serde(default)]
    pub optional: bool,
}

/// A file, or one for each value of its parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePattern {
    /// Which form of the dataset it is of.
    pub form: String,
    /// Its address; `{name}` is a parameter's value, `{newest}` what was discovered.
    pub url: String,
    /// Its name here; `{name}` is a parameter's value, `{base}` the last part of the address.
    pub file: String,
    /// What its bytes must be.
    pub holds: Holds,
    /// The `Accept` header, for publishers that choose the format by it.
    pub accept: Option<String>,
    /// How the newest edition is found, where the address names one.
    pub newest: Option<Newest>,
    /// How the pages of an answer are counted.
    pub pages: Option<Pages>,
}

/// How the newest edition is found: what to ask, and what to look for in the answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newest {
    /// Address of the publisher's list.
    pub ask: String,
    /// The `Accept` header of that question.
    pub accept: Option<String>,
    /// In JSON: a pattern for a whole string anywhere in it; `*` stands for anything but `/`.
    pub pattern: Option<String>,
    /// In XML: name of the element, without its prefix.
    pub element: Option<String>,
    /// In XML: attributes that the element must have.
    #[serde(default)]
    pub having: BTreeMap<String, String>,
    /// In XML: the attribute that tells editions apart.
    pub attribute: Option<String>,
}

/// An answer in pages of JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Parameter of the address that takes the number of the page, from 1.
    pub parameter: String,
    /// JSON pointer to the number of pages.
    pub count: String,
    /// JSON pointer to what must be the same in all pages: the edition.
    pub edition: Option<String>,
}

/// What the user wants of a dataset.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    /// Which form; none: the usual ones.
    pub form: Option<String>,
    /// Values of parameters.
    pub values: BTreeMap<String, Vec<String>>,
}

/// One file to fetch, all parameters filled in but what is yet to be discovered.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Address, with `{newest}` where [`Self::newest`] is to be asked first.
    pub url: String,
    /// Name here, perhaps with `{base}` and `{newest}`.
    pub file: String,
    /// What its bytes must be.
    pub holds: Holds,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// How the newest edition is found.
    pub newest: Option<Newest>,
    /// How its pages are counted.
    pub pages: Option<Pages>,
}

impl Endpoint {
    /// What we call ourselves there.
    pub fn agent(&self) -> String {
        self.agent.as_deref().unwrap_or(AGENT).replace("{version}", env!("CARGO_PKG_VERSION"))
    }

    /// The forms, in order.
    pub fn forms(&self) -> Vec<&str> {
        let mut forms: Vec<&str> = Vec::new();
        for file in &self.files {
            if !forms.contains(&file.form.as_str()) {
                forms.push(&file.form);
            }
        }
        forms
    }

    /// The forms that are fetched unless the user names one.
    pub fn usual(&self) -> Vec<&str> {
        match self.usual.is_empty() {
            true => self.forms().into_iter().take(1).collect(),
            false => self.usual.iter().map(String::as_str).collect(),
        }
    }

    /// The files the user wants.
    ///
    /// # Errors
    /// A usage error for a form, a parameter or a value that there is not.
    pub fn plan(&self, wanted: &Wanted) -> Result<Vec<Planned>> {
        let forms = match &wanted.form {
            Some(form) if !self.forms().contains(&form.as_str()) => {
                return Err(Error::Usage(format!(
                    "there is no form `{form}`; there are `{}`",
                    self.forms().join("`, `")
                )));
            }
            Some(form) => vec![form.as_str()],
            None => self.usual(),
        };
        let files: Vec<&FilePattern> = self.files.iter().filter(|f| forms.contains(&f.form.as_str())).collect();
        self.check(wanted, &files)?;
        let mut planned = Vec::new();
        for file in files {
            for values in self.combinations(file, wanted) {
                let one = Planned {
                    url: filled(&file.url, &values, &percent),
                    file: filled(&file.file, &values, &str::to_owned),
                    holds: file.holds,
                    accept: file.accept.clone(),
                    newest: file.newest.as_ref().map(|n| Newest {
                        ask: filled(&n.ask, &values, &percent),
                        pattern: n.pattern.as_ref().map(|p| filled(p, &values, &str::to_owned)),
                        ..n.clone()
                    }),
                    pages: file.pages.clone(),
                };
                planned.push(one);
            }
        }
        Ok(planned)
    }

    fn check(&self, wanted: &Wanted, files: &[&FilePattern]) -> Result<()> {
        for (name, values) in &wanted.values {
            let Some(parameter) = self.parameters.get(name) else {
                let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
                return Err(Error::Usage(match known.is_empty() {
                    true => format!("there is no parameter `{name}`: this dataset has none"),
                    false => format!("there is no parameter `{name}`; there are `{}`", known.join("`, `")),
                }));
            };
            if !files.iter().any(|f| names(f, name)) {
                return Err(Error::Usage(format!("parameter `{name}` is of another form; choose it with --form")));
            }
            if values.is_empty() {
                return Err(Error::Usage(format!("parameter `{name}` has no value: {}", parameter.about)));
            }
            for value in values {
                parameter.check(name, value)?;
            }
        }
        Ok(())
    }

    /// Every combination of the values of the parameters that the file names.
    fn combinations(&self, file: &FilePattern, wanted: &Wanted) -> Vec<Vec<(String, String)>> {
        let mut all: Vec<Vec<(String, String)>> = vec![Vec::new()];
        for (name, parameter) in self.parameters.iter().filter(|(name, _)| names(file, name)) {
            let values = wanted.values.get(name).unwrap_or(&parameter.default);
            let with = |one: &Vec<(String, String)>, value: &String| {
                let mut one = one.clone();
                one.push((name.clone(), value.clone()));
                one
            };
            all = all.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect();
        }
        all
    }
}

impl Parameter {
    /// Values go into addresses and file names, so few characters are let in.
    fn check(&self, name: &str, value: &str) -> Result<()> {
        const LONGEST: usize = 200;
        if value.is_empty() && self.optional {
            return Ok(());
        }
        let sound = value.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
        let begins = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !sound || !begins || value.contains("..") || value.len() > LONGEST {
            return Err(Error::Usage(format!(
                "parameter `{name}` cannot be `{}`: letters, digits, `.`, `_`, `-` and `+` only ({})",
                crate::error::Printable(value),
                self.about
            )));
        }
        if !self.choices.is_empty() && !self.choices.iter().any(|c| c == value) {
            return Err(Error::Usage(format!(
                "parameter `{name}` cannot be `{value}`; there are `{}`",
                self.choices.join("`, `")
            )));
        }
        Ok(())
    }
}

/// The section of a dataset, or an error that says how it is come by.
pub fn endpoint(descriptor: &Descriptor) -> Result<&Endpoint> {
    descriptor.fetch.as_ref().ok_or_else(|| {
        let by_hand = match &descriptor.url {
            Some(url) => format!("; download it by hand from {url} and run `envoi source import FILE`"),
            None => String::new(),
        };
        Error::Usage(format!("`{}` has no public address that this program knows{by_hand}", descriptor.id))
    })
}

/// True if the file's patterns name the parameter.
fn names(file: &FilePattern, name: &str) -> bool {
    let placeholder = format!("{{{name}}}");
    let asked = file
        .newest
        .as_ref()
        .is_some_and(|n| n.ask.contains(&placeholder) || n.pattern.as_ref().is_some_and(|p| p.contains(&placeholder)));
    asked || file.url.contains(&placeholder)
}

fn filled(pattern: &str, values: &[(String, String)], written: &dyn Fn(&str) -> String) -> String {
    let mut text = pattern.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), &written(value));
    }
    text
}

/// In a query `+` would be a blank.
pub(super) fn percent(value: &str) -> String {
    value.replace('+', "%2B")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::descriptors;
    use url::Url;

    fn wanted(form: Option<&str>, values: &[(&str, &[&str])]) -> Wanted {
        let values =
            values.iter().map(|(name, all)| ((*name).to_owned(), all.iter().map(|v| (*v).to_owned()).collect()));
        Wanted { form: form.map(str::to_owned), values: values.collect() }
    }

    fn wdi() -> &'static Endpoint {
        endpoint(crate::import::descriptor("worldbank.wdi").unwrap()).unwrap()
    }

    /// What is wrong with a descriptor's section.
    fn mistakes(endpoint: &Endpoint) -> Vec<String> {
        let mut found = Vec::new();
        for form in endpoint.usual.iter().filter(|u| !endpoint.files.iter().any(|f| f.form == **u)) {
            found.push(format!("usual form `{form}` has no file"));
        }
        for (name, parameter) in &endpoint.parameters {
            if !endpoint.files.iter().any(|f| names(f, name)) {
                found.push(format!("parameter `{name}` is in no address"));
            }
            if parameter.default.is_empty() {
                found.push(format!("parameter `{name}` has no default"));
            }
            found
                .extend(parameter.default.iter().filter_map(|v| parameter.check(name, v).err()).map(|e| e.to_string()));
        }
        let wanted = |form: &&str| Wanted { form: Some((*form).to_owned()), values: BTreeMap::new() };
        for planned in endpoint.forms().iter().filter_map(|form| endpoint.plan(&wanted(form)).ok()).flatten() {
            let asked = planned.newest.as_ref().map(|n| n.ask.as_str());
            let direct = (!planned.url.starts_with("{newest}")).then_some(planned.url.as_str());
            for url in asked.into_iter().chain(direct) {
                let url = url.replace("{newest}", "1.0");
                let known = Url::parse(&url).ok().and_then(|u| u.host_str().map(str::to_owned));
                if !known.is_some_and(|host| endpoint.hosts.contains(&host)) || url.contains(['{', '}']) {
                    found.push(format!("`{url}` is at none of its hosts, or has a placeholder left"));
                }
            }
            let kinds =
                planned.newest.as_ref().map(|n| (n.pattern.is_some(), n.element.is_some(), n.attribute.is_some()));
            if !matches!(kinds, None | Some((true, false, false) | (false, true, true))) {
                found.push(format!("`{}`: newest is a pattern, or an element and its attribute", planned.url));
            }
        }
        found
    }

    #[test]
    fn every_descriptor_is_sound() {
        let mut with = 0;
        for descriptor in descriptors().unwrap() {
            let Some(endpoint) = &descriptor.fetch else { continue };
            with += 1;
            assert_eq!(mistakes(endpoint), Vec::<String>::new(), "{}", descriptor.id);
            assert!(endpoint.page.is_some() || descriptor.url.is_some(), "{}: no page to do it by hand", descriptor.id);
        }
        assert!(with >= 7, "{with}");
    }

    #[test]
    fn a_file_for_each_value() {
        let planned = wdi().plan(&wanted(None, &[("indicator", &["SP.POP.TOTL", "NY.GDP.MKTP.CD"])])).unwrap();
        let urls: Vec<&str> = planned.iter().map(|p| p.url.as_str()).collect();
        let url = |code: &str| format!("https://api.worldbank.org/v2/en/indicator/{code}?downloadformat=csv");
        assert_eq!(urls, [url("SP.POP.TOTL"), url("NY.GDP.MKTP.CD")]);
        assert!(planned.iter().all(|p| p.file.ends_with(".zip")));
    }

    #[test]
    fn what_there_is_not_is_said() {
        let refused = |form: Option<&str>, values: &[(&str, &[&str])], words: &str| {
            let message = wdi().plan(&wanted(form, values)).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        };
        refused(Some("pdf"), &[], "there are `csv`");
        refused(None, &[("colour", &["red"])], "there is no parameter `colour`; there are `");
        refused(Some("bulk"), &[("indicator", &["SP.POP.TOTL"])], "is of another form");
        for bad in ["", "../x", "a/b", "a?b", "a b", "é", "a..b", "-x", "a%2fb", "a\nb"] {
            refused(None, &[("indicator", &[bad])], "cannot be `");
        }
    }
}
