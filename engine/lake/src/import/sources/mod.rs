//! One importer a publisher's format.

mod central_bank_series;
mod country_list;
mod ecb_fx;
mod ecb_fx_sdmx;
mod facts;
mod household_survey;
mod knomad_bilateral_matrix;
mod knomad_data360;
mod knomad_flows;
mod knomad_flows_layout;
mod oecd_code_lists;
mod oecd_deflators;
mod oecd_sdmx;
mod oecd_stat;
mod said;
mod stata_table;
mod synthetic;
mod undesa_migrant_stock;
mod undesa_tidy_pairs;
mod worldbank_classification;
mod worldbank_income_history;
mod worldbank_migrant_stock;
mod worldbank_rpw;
mod worldbank_rpw_firms;
mod worldbank_wdi;
mod worldbank_wdi_json;
mod worldbank_wdi_metadata;

pub(super) use self::stata_table::rows as stata_rows;
use super::importer::Importer;
use crate::read::Grid;

/// Every importer, in the order in which a file is offered to them.
pub(super) static IMPORTERS: &[&dyn Importer] = &[
    // First, because others read whole sheets to know them, and these do not fit into memory.
    &worldbank_rpw_firms::WorldBankRpwFirms,
    &worldbank_wdi::WorldBankWdi,
    &knomad_bilateral_matrix::KnomadBilateralMatrix,
    &knomad_data360::KnomadData360,
    &knomad_flows::KnomadFlows,
    &worldbank_migrant_stock::WorldBankMigrantStock,
    &worldbank_classification::WorldBankClassification,
    &undesa_migrant_stock::UnDesaMigrantStock,
    &undesa_tidy_pairs::UnDesaTidyPairs,
    &oecd_sdmx::OecdSdmx,
    &oecd_stat::OecdStat,
    &oecd_deflators::OecdDeflators,
    &oecd_code_lists::OecdCodeLists,
    &country_list::CountryList,
    &worldbank_rpw::WorldBankRpw,
    &ecb_fx::EcbFx,
    &central_bank_series::CentralBankSeries,
    &household_survey::HouseholdSurvey,
    &stata_table::StataTable,
    &synthetic::Synthetic,
];

/// True if an importer reads a text of that beginning from disk, should it be large.
pub(super) fn streams(opening: &Grid) -> bool {
    IMPORTERS.iter().any(|importer| importer.streams(opening))
}
