//! One importer a publisher's format.

mod ecb_fx;
mod knomad_bilateral_matrix;
mod oecd_dac2a;
mod undesa_migrant_stock;
mod undesa_tidy_pairs;
mod worldbank_rpw;
mod worldbank_wdi;
mod worldbank_wdi_metadata;

use super::importer::Importer;

/// Every importer, in the order in which a file is offered to them.
pub(super) static IMPORTERS: &[&dyn Importer] = &[
    &worldbank_wdi::WorldBankWdi,
    &knomad_bilateral_matrix::KnomadBilateralMatrix,
    &undesa_migrant_stock::UnDesaMigrantStock,
    &undesa_tidy_pairs::UnDesaTidyPairs,
    &oecd_dac2a::OecdDac2a,
    &worldbank_rpw::WorldBankRpw,
    &ecb_fx::EcbFx,
];
