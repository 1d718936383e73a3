//! One importer a publisher's format.

mod central_bank_series;
mod ecb_fx;
mod ecb_fx_sdmx;
mod facts;
mod household_survey;
mod knomad_bilateral_matrix;
mod knomad_data360;
mod knomad_flows;
mod knomad_flows_layout;
mod oecd_dac2a;
mod said;
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

use super::importer::Importer;

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
    &oecd_dac2a::OecdDac2a,
    &worldbank_rpw::WorldBankRpw,
    &ecb_fx::EcbFx,
    &central_bank_series::CentralBankSeries,
    &household_survey::HouseholdSurvey,
];
