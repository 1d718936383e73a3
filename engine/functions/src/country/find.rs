//! Names and codes: METHODS D1 and D3.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};

use super::lookup::{Lookup, Text, each_distinct, texts};
use super::{Countries, Known, Meaning};

const LANGUAGES: [&str; 6] = ["en", "fr", "es", "ar", "zh", "ru"];

const NAME: (&str, &str) = (
    "name_or_code",
    "A name in one of the six UN languages, a former or short name, or a code: ISO 3166 alpha-2 or alpha-3, M49, World Bank.",
);
const LIST: (&str, &str) = (
    "list",
    "Optional: the language of the name (`en`, `fr`, `es`, `ar`, `zh`, `ru`) or the list of the code (`worldbank`, `knomad`, `undesa`, `oecd` with DAC numbers).",
);

pub(super) fn country(known: Known) -> Lookup {
    let text = Text {
        description: "ISO 3166 alpha-3 code of an economy (XKX for Kosovo) from a name or code; blind to case, accents and punctuation, never fuzzy. NULL for NULL, for what is not known, and for aggregates such as World. `NA` is Namibia.",
        syntax: "country(name_or_code [, list])",
        example: "> select country('Côte d''Ivoire'), country('Ivory Coast'), country('625', 'oecd'), country('World');\nCIV, CIV, AFG, NULL",
        arguments: &[NAME, LIST],
    };
    Lookup::new("country", known, &[DataType::Utf8View, DataType::Utf8View], 1, DataType::Utf8View, find, &text)
}

pub(super) fn country_strict(known: Known) -> Lookup {
    let text = Text {
        description: "As `country`, but what is not an economy is an error that lists near names. NULL for NULL.",
        syntax: "country_strict(name_or_code [, list])",
        example: "> select country_strict('Viet Nam');\nVNM",
        arguments: &[NAME, LIST],
    };
    let types = [DataType::Utf8View, DataType::Utf8View];
    Lookup::new("country_strict", known, &types, 1, DataType::Utf8View, find_strict, &text)
}

pub(super) fn country_name(known: Known) -> Lookup {
    let text = Text {
        description: "Name of an economy in one of the six UN languages, as the country tables of envoi have it. NULL for NULL and for a code that is no economy; another language is an error.",
        syntax: "country_name(iso3 [, language])",
        example: "> select country_name('CIV'), country_name('CIV', 'ar');\nCôte d'Ivoire, كوت ديفوار",
        arguments: &[
            ("iso3", "ISO 3166 alpha-3 code, historic ones such as YUG too."),
            ("language", "Optional: `en` (the default), `fr`, `es`, `ar`, `zh` or `ru`."),
        ],
    };
    Lookup::new("country_name", known, &[DataType::Utf8View, DataType::Utf8View], 1, DataType::Utf8View, name, &text)
}

pub(super) fn is_aggregate(known: Known) -> Lookup {
    let text = Text {
        description: "True for a total, region, income group or residual of a publisher (World, SSF, Euro area, Bilateral unallocated), false for an economy, NULL for NULL and for what is not known.",
        syntax: "is_aggregate(name_or_code [, list])",
        example: "> select is_aggregate('SSF'), is_aggregate('SEN'), is_aggregate('Atlantis');\ntrue, false, NULL",
        arguments: &[NAME, LIST],
    };
    let types = [DataType::Utf8View, DataType::Utf8View];
    Lookup::new("is_aggregate", known, &types, 1, DataType::Boolean, aggregate, &text)
}

/// Name or code and, if given, the list.
fn asked<'a>(
    countries: &dyn Countries,
    arguments: &'a [ArrayRef],
) -> Result<impl Iterator<Item = Option<(&'a str, Option<&'a str>)>> + use<'a>> {
    let names = texts(arguments, 0)?;
    let lists = if arguments.len() > 1 { Some(texts(arguments, 1)?) } else { None };
    if let Some(list) = lists.and_then(|l| l.iter().flatten().find(|list| !countries.lists().contains(list))) {
        return exec_err!(
            "`{list}` is neither a language nor a list of codes; there are {}",
            countries.lists().join(", ")
        );
    }
    Ok((0..names.len()).map(move |row| {
        let list = match lists {
            Some(lists) if lists.is_null(row) => return None,
            Some(lists) => Some(lists.value(row)),
            None => None,
        };
        names.is_valid(row).then(|| (names.value(row), list))
    }))
}

fn find(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let found = each_distinct(asked(countries, arguments)?, |(text, list)| {
        Ok(countries.find(text, list).and_then(|meaning| match meaning {
            Meaning::Economy(iso3) => Some(iso3),
            Meaning::Aggregate => None,
        }))
    })?;
    Ok(Arc::new(found.into_iter().collect::<StringViewArray>()))
}

fn find_strict(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let found = each_distinct(asked(countries, arguments)?, |(text, list)| match countries.find(text, list) {
        Some(Meaning::Economy(iso3)) => Ok(Some(iso3)),
        Some(Meaning::Aggregate) => {
            exec_err!("`{text}` is an aggregate, not an economy; `is_aggregate` tells them apart")
        }
        None => {
            let near: Vec<String> =
                countries.near(text).iter().map(|(name, code)| format!("`{name}` ({code})")).collect();
            match near.is_empty() {
                true => exec_err!("unknown country `{text}`"),
                false => exec_err!("unknown country `{text}`; near are {}", near.join(", ")),
            }
        }
    })?;
    Ok(Arc::new(found.into_iter().collect::<StringViewArray>()))
}

fn aggregate(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let found = each_distinct(asked(countries, arguments)?, |(text, list)| {
        Ok(countries.find(text, list).map(|meaning| meaning == Meaning::Aggregate))
    })?;
    Ok(Arc::new(found.into_iter().collect::<BooleanArray>()))
}

fn name(countries: &dyn Countries, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let codes = texts(arguments, 0)?;
    let languages = if arguments.len() > 1 { Some(texts(arguments, 1)?) } else { None };
    let rows = (0..codes.len()).map(|row| {
        let language = match languages {
            Some(all) if all.is_null(row) => return None,
            Some(all) => all.value(row),
            None => LANGUAGES[0],
        };
        codes.is_valid(row).then(|| (codes.value(row), language))
    });
    let found = each_distinct(rows, |(code, language)| {
        if !LANGUAGES.contains(&language) {
            return exec_err!("`{language}` is not a language of `country_name`; there are {}", LANGUAGES.join(", "));
        }
        Ok(countries.name(code, language))
    })?;
    Ok(Arc::new(found.into_iter().collect::<StringViewArray>()))
}
