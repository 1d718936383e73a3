//! The lake's tables: names, grain, keys, sort order, columns and units.
//!
//! One definition serves the writer, the catalogue, comments and generated
//! references. Grain and names are the product's contract.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Arrow field metadata key: unit of a column.
pub const UNIT: &str = "unit";
/// Arrow field metadata key: what a column means.
pub const DESCRIPTION: &str = "description";

/// A column of a lake table.
#[derive(Debug)]
pub struct ColumnDef {
    /// Column name.
    pub name: &'static str,
    /// Arrow type.
    pub data_type: DataType,
    /// May be NULL.
    pub nullable: bool,
    /// Unit of the values, if they have one.
    pub unit: Option<&'static str>,
    /// What it means.
    pub description: &'static str,
}

/// A table of the lake.
#[derive(Debug)]
pub struct TableDef {
    /// Table name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// One row per what.
    pub grain: &'static str,
    /// Columns that identify a row within one edition of a series.
    pub key: &'static [&'static str],
    /// Sort order of the files: the columns that queries filter on come first.
    pub sort: &'static [&'static str],
    /// Its rows are of people or households, not published: who is not the owner sees
    /// aggregates of many of them only.
    pub microdata: bool,
    /// Columns in order.
    pub columns: &'static [ColumnDef],
}

impl TableDef {
    /// The Arrow schema, with unit and description as field metadata.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|c| {
                let mut metadata = HashMap::from([(DESCRIPTION.to_owned(), c.description.to_owned())]);
                if let Some(unit) = c.unit {
                    metadata.insert(UNIT.to_owned(), unit.to_owned());
                }
                Field::new(c.name, c.data_type.clone(), c.nullable).with_metadata(metadata)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// Position of a column, `None` if there is none of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// The table of that name, `None` for another.
pub fn table(name: &str) -> Option<&'static TableDef> {
    TABLES.iter().copied().find(|t| t.name == name)
}

/// Every table of the lake.
pub static TABLES: &[&TableDef] = &[
    &COUNTRY,
    &COUNTRY_ALIAS,
    &COUNTRY_GROUP,
    &OBSERVATION,
    &AGGREGATE_OBSERVATION,
    &INDICATOR,
    &CORRIDOR_FLOW,
    &AID_FLOW,
    &MIGRANT_STOCK,
    &MIGRANT_STOCK_TOTAL,
    &CORRIDOR_PRICE,
    &HOUSEHOLD,
    &TRANSFER,
    &FX_RATE,
    &SOURCE,
];

const fn text(name: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Utf8, nullable: false, unit: None, description }
}
const fn text_or_null(name: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Utf8, nullable: true, unit: None, description }
}
const fn year() -> ColumnDef {
    ColumnDef {
        name: "year",
        data_type: DataType::Int32,
        nullable: false,
        unit: Some("calendar year"),
        description: "calendar year",
    }
}
const fn date(name: &'static str, nullable: bool, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Date32, nullable, unit: Some("date"), description }
}
const fn number(name: &'static str, unit: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Float64, nullable: false, unit: Some(unit), description }
}
const fn number_or_null(name: &'static str, unit: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Float64, nullable: true, unit: Some(unit), description }
}
const fn flag_or_null(name: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Boolean, nullable: true, unit: None, description }
}
const fn count(name: &'static str, unit: &'static str, description: &'static str) -> ColumnDef {
    ColumnDef { name, data_type: DataType::Int64, nullable: false, unit: Some(unit), description }
}
const SOURCE_ID: ColumnDef = text("source_id", "dataset the row comes from: `source.source_id`");
const VINTAGE: ColumnDef = date("vintage", false, "date of the publisher's edition");
const OBS_STATUS: ColumnDef = text_or_null(
    "obs_status",
    "`A` actual, `E` estimate, `F` forecast, `I` interpolated or imputed; NULL where the publisher does not say",
);

/// Economies and their periods of validity.
pub static COUNTRY: TableDef = TableDef {
    name: "country",
    description: "Economies with codes, names in the six UN languages, region and currency",
    grain: "one row per economy and validity period",
    key: &["iso3", "valid_from"],
    sort: &["iso3", "valid_from"],
    microdata: false,
    columns: &[
        text("iso3", "ISO 3166-1 alpha-3 code; XKX for Kosovo"),
        text_or_null("iso2", "ISO 3166-1 alpha-2 code; `NA` is Namibia"),
        text_or_null("m49", "UN M49 code, three digits"),
        text("name_en", "short name in English"),
        text_or_null("name_fr", "short name in French"),
        text_or_null("name_es", "short name in Spanish"),
        text_or_null("name_ar", "short name in Arabic"),
        text_or_null("name_zh", "short name in Chinese"),
        text_or_null("name_ru", "short name in Russian"),
        text_or_null("un_region", "UN M49 region"),
        text_or_null("un_subregion", "UN M49 sub-region"),
        text_or_null("wb_region", "World Bank region code: EAS, ECS, LCN, MEA, NAC, SAS or SSF"),
        text_or_null("currency", "ISO 4217 code of the currency in use"),
        date("valid_from", true, "first day of the period; NULL: before the table begins"),
        date("valid_to", true, "last day of the period; NULL: still valid"),
        SOURCE_ID,
        VINTAGE,
    ],
};

/// Spellings of economies, by provider.
pub static COUNTRY_ALIAS: TableDef = TableDef {
    name: "country_alias",
    description: "Spellings and codes by which providers name economies",
    grain: "one row per provider and spelling",
    key: &["provider", "alias"],
    sort: &["provider", "alias"],
    microdata: false,
    columns: &[
        text("provider", "who spells it so"),
        text("alias", "name or code as the provider writes it"),
        text("iso3", "economy meant"),
        SOURCE_ID,
        VINTAGE,
    ],
};

/// Membership of economies in groups.
pub static COUNTRY_GROUP: TableDef = TableDef {
    name: "country_group",
    description: "Membership of economies in regions, income groups and UN lists",
    grain: "one row per group, member and period",
    key: &["group_kind", "group_code", "iso3", "valid_from"],
    sort: &["group_kind", "group_code", "iso3"],
    microdata: false,
    columns: &[
        text("group_kind", "region, income, ldc, lldc, sids or dac_recipient"),
        text("group_code", "World Bank code of the group: LIC, LMC, UMC, HIC; EAS, ECS, LCN, MEA, NAC, SAS, SSF"),
        text("group_name", "name of the group as this edition spells it"),
        text("iso3", "member"),
        date("valid_from", true, "first day of the membership; NULL: not known"),
        date("valid_to", true, "last day of the membership; NULL: current"),
        SOURCE_ID,
        VINTAGE,
    ],
};

/// Facts of an economy in a period.
pub static OBSERVATION: TableDef = TableDef {
    name: "observation",
    description: "Indicators of economies over time; aggregates are in aggregate_observation",
    grain: "one row per indicator, economy and period",
    key: &["indicator", "iso3", "period", "frequency"],
    sort: &["indicator", "iso3", "period"],
    microdata: false,
    columns: &[
        text("indicator", "indicator code: `indicator.indicator`"),
        text("iso3", "economy"),
        date("period", false, "first day of the period"),
        text("frequency", "A annual, Q quarterly, M monthly"),
        number("value", "see column `unit`", "the value, in base units"),
        text_or_null("unit", "unit of the value"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// The publishers' own totals over several economies.
pub static AGGREGATE_OBSERVATION: TableDef = TableDef {
    name: "aggregate_observation",
    description: "Publishers' own totals and averages over groups of economies, kept apart from them",
    grain: "one row per indicator, aggregate and period",
    key: &["indicator", "aggregate_code", "period"],
    sort: &["indicator", "aggregate_code", "period"],
    microdata: false,
    columns: &[
        text("indicator", "indicator code"),
        text("aggregate_code", "the publisher's code of the aggregate"),
        text("aggregate_name", "the publisher's name of the aggregate"),
        date("period", false, "first day of the period"),
        number("value", "see column `unit`", "the value, in base units"),
        text_or_null("unit", "unit of the value"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// What the indicators mean.
pub static INDICATOR: TableDef = TableDef {
    name: "indicator",
    description: "Indicators with name, unit and definition",
    grain: "one row per indicator",
    key: &["indicator"],
    sort: &["indicator"],
    microdata: false,
    columns: &[
        text("indicator", "indicator code"),
        text("name", "the publisher's name"),
        text_or_null("unit", "unit of the values"),
        text_or_null("definition", "the publisher's definition"),
        SOURCE_ID,
        VINTAGE,
    ],
};

/// Remittances between pairs of economies.
pub static CORRIDOR_FLOW: TableDef = TableDef {
    name: "corridor_flow",
    description: "Remittances by sending and receiving economy",
    grain: "one row per sender, receiver, year and method",
    key: &["sender_iso3", "receiver_iso3", "year", "method"],
    sort: &["year", "receiver_iso3", "sender_iso3"],
    microdata: false,
    columns: &[
        text("sender_iso3", "economy the money is sent from"),
        text("receiver_iso3", "economy the money is received in"),
        year(),
        number("remittance_usd", "current US dollars", "remittances in the year"),
        text("method", "published_matrix, or estimate_rule_1 to estimate_rule_3"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// Aid between donors and recipients.
pub static AID_FLOW: TableDef = TableDef {
    name: "aid_flow",
    description: "Official flows by donor and recipient economy",
    grain: "one row per donor, recipient, year, measure, flow type and price basis",
    key: &["donor_code", "recipient_iso3", "year", "measure", "flow_type", "price_basis"],
    sort: &["measure", "recipient_iso3", "year"],
    microdata: false,
    columns: &[
        text("donor_code", "DAC code of the donor; ALLD is all donors together"),
        text("recipient_iso3", "economy that receives"),
        year(),
        text("measure", "DAC measure: 206 is total net ODA"),
        text("flow_type", "DAC flow type: D disbursements"),
        text("price_basis", "V current prices, Q constant prices"),
        number("aid_usd", "US dollars on the row's price basis", "net flow; negative where repayments exceed grants"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// Migrants by origin and destination.
pub static MIGRANT_STOCK: TableDef = TableDef {
    name: "migrant_stock",
    description: "International migrants by economy of origin and of destination",
    grain: "one row per origin, destination, year and sex",
    key: &["origin_iso3", "destination_iso3", "year", "sex"],
    sort: &["year", "sex", "destination_iso3", "origin_iso3"],
    microdata: false,
    columns: &[
        text("origin_iso3", "economy the migrants come from"),
        text("destination_iso3", "economy the migrants live in"),
        year(),
        text("sex", "both, male or female"),
        number("stock_persons", "persons", "migrants at mid-year"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// The publisher's totals of migrants by destination or origin.
pub static MIGRANT_STOCK_TOTAL: TableDef = TableDef {
    name: "migrant_stock_total",
    description: "International migrants of an economy, as destination or as origin: the publisher's totals",
    grain: "one row per economy, role, year and sex",
    key: &["iso3", "role", "year", "sex"],
    sort: &["role", "sex", "iso3", "year"],
    microdata: false,
    columns: &[
        text("iso3", "economy"),
        text("role", "destination or origin"),
        year(),
        text("sex", "both, male or female"),
        number("stock_persons", "persons", "migrants at mid-year"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// What it costs to send money.
pub static CORRIDOR_PRICE: TableDef = TableDef {
    name: "corridor_price",
    description: "Cost of sending money by corridor and service",
    grain: "one row per sender, receiver, period and service; provider NULL is the publisher's average of the corridor",
    key: &["sender_iso3", "receiver_iso3", "period", "provider", "product", "service", "amount_usd"],
    sort: &["receiver_iso3", "sender_iso3", "period", "provider"],
    microdata: false,
    columns: &[
        text("sender_iso3", "economy the money is sent from"),
        text("receiver_iso3", "economy the money is received in"),
        date("period", false, "first day of the quarter of the survey"),
        text_or_null("provider", "firm; NULL for the average over the services of the corridor"),
        text_or_null("product", "kind of service: how it is paid in and paid out"),
        text_or_null("service", "what tells services of one firm and product apart: access point, speed, pickup"),
        number_or_null("amount_usd", "US dollars", "amount sent"),
        number_or_null("fee_pct", "percent of the amount", "fee"),
        number_or_null(
            "fx_margin_pct",
            "percent of the amount",
            "margin of the exchange rate; negative where better than the market's",
        ),
        number_or_null("cost_pct", "percent of the amount", "fee and exchange rate margin together"),
        flag_or_null("transparent", "the firm discloses its exchange rate margin"),
        flag_or_null("qualifies", "the service counts for SmaRT: fast, and with wide enough access"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// Households of surveys.
pub static HOUSEHOLD: TableDef = TableDef {
    name: "household",
    description: "Households of income surveys, with remittances as one source of income",
    grain: "one row per survey and household",
    key: &["survey_id", "household_id"],
    sort: &["survey_id", "stratum", "psu", "household_id"],
    microdata: true,
    columns: &[
        text("survey_id", "survey and round, such as `mex_enigh_2012`"),
        text("iso3", "economy"),
        ColumnDef {
            name: "survey_year",
            data_type: DataType::Int32,
            nullable: false,
            unit: Some("calendar year"),
            description: "year the survey describes",
        },
        text("household_id", "household within the survey"),
        text_or_null("stratum", "stratum of the sample"),
        text_or_null("psu", "primary sampling unit"),
        number("weight", "households", "households of the population that this one stands for"),
        number_or_null("size_persons", "persons", "members of the household"),
        number_or_null(
            "adults",
            "persons",
            "members whom the survey's mapping counts as adults, for equivalence scales",
        ),
        number_or_null("children", "persons", "members whom it counts as children"),
        flag_or_null("urban", "lives in an urban area"),
        text_or_null("region", "region within the economy, the survey's code"),
        number_or_null("income_total", "`currency` over `months`", "income from all sources, remittances among them"),
        number_or_null("income_labour", "`currency` over `months`", "income from work"),
        number_or_null("income_farm", "`currency` over `months`", "income from farm and own business"),
        number_or_null("income_transfer", "`currency` over `months`", "transfers other than remittances"),
        number_or_null(
            "remittance",
            "`currency` over `months`",
            "remittances from other economies; 0 for a household that receives none",
        ),
        number_or_null("remittance_domestic", "`currency` over `months`", "money from households in the same economy"),
        number_or_null("consumption", "`currency` over `months`", "consumption"),
        text("currency", "ISO 4217 code of the amounts"),
        number("months", "months", "reference period of the amounts"),
        SOURCE_ID,
        VINTAGE,
    ],
};

/// Transactions of remittance providers.
pub static TRANSFER: TableDef = TableDef {
    name: "transfer",
    description: "Remittances one by one, as providers record them",
    grain: "one row per transaction",
    key: &["transfer_id"],
    sort: &["sent_at", "transfer_id"],
    // Senders and households are pseudonyms of the provider: no survey that was promised secrecy.
    microdata: false,
    columns: &[
        text("transfer_id", "transaction"),
        ColumnDef {
            name: "sent_at",
            data_type: DataType::Timestamp(TimeUnit::Microsecond, None),
            nullable: false,
            unit: Some("UTC"),
            description: "when the money was sent",
        },
        text("sender_iso3", "economy that the money leaves"),
        text("receiver_iso3", "economy that the money reaches"),
        text_or_null("provider", "who carries it"),
        text_or_null("channel", "`cash`, `bank`, `mobile` or `card`"),
        text_or_null("purpose", "what the sender says that it is for"),
        text_or_null("sender_id", "who sends, as a pseudonym"),
        text_or_null("household_id", "household that receives, as a pseudonym"),
        number("amount_usd", "US dollars", "amount sent, without the fee"),
        number_or_null("fee_usd", "US dollars", "fee that the sender pays"),
        number_or_null(
            "fx_margin_pct",
            "percent of the amount",
            "margin of the exchange rate; below 0 it is in favour of the customer",
        ),
        text_or_null("currency", "ISO 4217 code of what is paid out"),
        text_or_null("status", "`completed`, `failed` or `returned`"),
        SOURCE_ID,
        VINTAGE,
    ],
};
/// Exchange rates by day.
pub static FX_RATE: TableDef = TableDef {
    name: "fx_rate",
    description: "Exchange rates by currency and day",
    grain: "one row per currency and day",
    key: &["currency", "day"],
    sort: &["currency", "day"],
    microdata: false,
    columns: &[
        text("currency", "ISO 4217 code"),
        date("day", false, "day of the rate"),
        number("per_usd", "units of the currency per US dollar", "exchange rate"),
        SOURCE_ID,
        VINTAGE,
        OBS_STATUS,
    ],
};

/// Editions of datasets that the lake holds; served from the manifest.
pub static SOURCE: TableDef = TableDef {
    name: "source",
    description: "Editions of datasets in this lake: licence, citation, checksum, caveats",
    grain: "one row per dataset, edition and file",
    key: &["source_id", "edition", "sha256"],
    sort: &["source_id", "edition"],
    microdata: false,
    columns: &[
        text("source_id", "dataset"),
        text("provider", "publisher"),
        text("dataset", "name of the dataset"),
        text("edition", "which part and edition of it"),
        VINTAGE,
        text("licence", "licence as the publisher states it"),
        text("citation", "how to cite it"),
        text_or_null("url", "where the publisher offers it"),
        text("file", "name of the imported file"),
        text("sha256", "checksum of the imported file"),
        count("bytes", "bytes", "size of the imported file"),
        count("rows", "rows", "rows it gave to the lake"),
        text("imported_at", "when it was imported, UTC"),
        text_or_null("caveats", "the producer's caveats and those of the import"),
    ],
};
