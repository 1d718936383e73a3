//! Where the figures come from: which edition of which dataset.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use envoi::lake::Manifest;
use envoi::lake::lake::REFERENCE_SOURCE;

use super::data::{BriefData, Figure, SourceLine};
use super::error::Error;
use super::load::{Ask, query};
use super::{queries, rows};

/// The oldest edition of each figure that the lake holds, seen or not. The
/// tables of economies are left out: they are seen at every date.
pub(crate) fn oldest_editions(manifest: &Manifest) -> BTreeMap<Figure, NaiveDate> {
    let mut oldest = BTreeMap::new();
    for file in manifest.files.iter().filter(|f| f.schema == "lake" && f.source_id != REFERENCE_SOURCE) {
        let name = match file.table.as_str() {
            "observation" => file.series.rsplit('/').next().unwrap_or_default(),
            "corridor_flow" => "corridor",
            "country_group" => "group",
            other => other,
        };
        // An economy without a survey lacks nothing, so no edition of one is missed.
        if let Some(figure) = figure_of(name).filter(|figure| *figure != Figure::Household) {
            let day = oldest.entry(figure).or_insert(file.vintage);
            *day = file.vintage.min(*day);
        }
    }
    oldest
}

/// The editions that feed what `data` shows, each once, in the order of the
/// figures.
pub(super) async fn sources(ask: &impl Ask, data: &BriefData) -> Result<Vec<SourceLine>, Error> {
    let mut feeds = rows::feeds(&query(ask, "the origin of the figures", queries::FEEDS).await?)?;
    feeds.retain(|(name, source, vintage)| match figure_of(name) {
        // Of surveys only those that are shown.
        Some(Figure::Household) => data.families.iter().any(|f| (&f.source_id, &f.vintage) == (source, vintage)),
        // Only the page of one economy shows amounts per head.
        Some(Figure::Population) => data.country.is_some(),
        // Without a fact there is no group of economies to show either.
        Some(Figure::Group) => data.year.is_some() || data.country.is_some(),
        _ => true,
    });
    let known = rows::sources(&query(ask, "the sources", queries::SOURCES).await?)?;
    Ok(join_sources(&feeds, &known))
}

fn join_sources(feeds: &[(String, String, String)], known: &[SourceLine]) -> Vec<SourceLine> {
    let mut out: Vec<SourceLine> = Vec::new();
    for figure in Figure::ALL {
        for (_, id, vintage) in feeds.iter().filter(|(name, ..)| figure_of(name) == Some(figure)) {
            if let Some(line) = out.iter_mut().find(|s| s.source_id == *id && s.vintage == *vintage) {
                if !line.figures.contains(&figure) {
                    line.figures.push(figure);
                }
                continue;
            }
            let of_source = || known.iter().filter(|s| s.source_id == *id);
            let exact = of_source().find(|s| s.vintage == *vintage).cloned();
            let line = exact.or_else(|| of_source().next().map(other_edition));
            let line = line.map(|line| SourceLine { source_id: id.clone(), vintage: vintage.clone(), ..line });
            out.push(SourceLine { figures: vec![figure], ..line.unwrap_or_else(|| unlisted(id, vintage)) });
        }
    }
    out
}

/// What holds for every edition of a dataset; a citation or a caveat of another
/// edition would be wrong.
fn other_edition(line: &SourceLine) -> SourceLine {
    SourceLine {
        provider: line.provider.clone(),
        dataset: line.dataset.clone(),
        licence: line.licence.clone(),
        ..SourceLine::default()
    }
}

/// A source without a line in `lake.source`.
fn unlisted(id: &str, vintage: &str) -> SourceLine {
    SourceLine { source_id: id.to_owned(), vintage: vintage.to_owned(), ..SourceLine::default() }
}

fn figure_of(name: &str) -> Option<Figure> {
    Some(match name {
        "BX.TRF.PWKR.CD.DT" => Figure::Remittance,
        "DT.ODA.ALLD.CD" | "aid_flow" => Figure::Oda,
        "NY.GDP.MKTP.CD" => Figure::Gdp,
        "SP.POP.TOTL" => Figure::Population,
        "corridor" => Figure::Corridor,
        "group" => Figure::Group,
        "household" => Figure::Household,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_of_one_dataset_stay_apart() {
        let line = |vintage: &str| SourceLine {
            source_id: "wdi".into(),
            vintage: vintage.into(),
            citation: format!("edition {vintage}"),
            ..SourceLine::default()
        };
        let feed = |f: &str, v: &str| (f.to_owned(), "wdi".to_owned(), v.to_owned());
        let feeds = [
            feed("BX.TRF.PWKR.CD.DT", "2025-07-01"),
            feed("DT.ODA.ALLD.CD", "2025-10-07"),
            feed("group", "2025-07-01"),
        ];
        let out = join_sources(&feeds, &[line("2025-10-07"), line("2025-07-01")]);
        assert_eq!(out.len(), 2);
        assert_eq!(out[0].figures, [Figure::Remittance, Figure::Group]);
        assert_eq!(out[0].citation, "edition 2025-07-01");
        assert_eq!(out[1].figures, [Figure::Oda]);

        let unknown = join_sources(&feeds[..1], &[line("2020-01-01")]);
        assert_eq!(unknown[0].vintage, "2025-07-01");
        assert_eq!(unknown[0].citation, "", "the citation of another edition");
    }
}
