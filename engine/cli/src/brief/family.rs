//! Families: what the newest household survey of an economy says of remittances, as plain data.

/// One survey with everything that is shown of it; money in the survey's currency a year
/// unless its name says otherwise, shares as fractions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Family {
    pub survey_id: String,
    pub name: String,
    pub year: i32,
    pub source_id: String,
    /// Date of the edition.
    pub vintage: String,
    /// ISO 4217 code.
    pub currency: String,
    pub households_sampled: i64,
    /// Households of the population.
    pub households: Option<f64>,
    /// How a poor family is told, and the line that makes of it.
    pub poverty_line: String,
    pub line: Option<f64>,
    /// Why there is no line.
    pub line_missing: Option<String>,
    /// What income is divided by, and what is taken for income without remittances.
    pub equivalence_scale: String,
    pub counterfactual: String,
    pub effects: Vec<Effect>,
    /// Poorest first.
    pub quintiles: Vec<Quintile>,
    /// Largest first.
    pub sources: Vec<IncomeSource>,
    pub lorenz: Lorenz,
    pub balance: Balance,
}

/// A measure with and without remittances, and its difference with sampling error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effect {
    /// `survey`, as observed; `amount`, `weight` or `both`, scaled to the balance of payments.
    pub scale: String,
    /// `receiving_households`, `mean`, `headcount`, `gap`, `severity`, `gini`, ...
    pub measure: String,
    pub with: Option<f64>,
    pub without: Option<f64>,
    /// With less without.
    pub difference: Option<f64>,
    /// Standard error with remittances.
    pub with_se: Option<f64>,
    /// Standard error of the difference, and its 95 % confidence interval.
    pub se: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Why there are no errors.
    pub errors_missing: Option<String>,
}

/// A fifth of persons by income without remittances.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quintile {
    pub quintile: i64,
    /// Households of it that receive.
    pub receiving: Option<f64>,
    /// Of all remittances.
    pub distribution: Option<f64>,
    /// Remittances over income.
    pub income: Option<f64>,
}

/// A source of income in the Gini coefficient.
#[derive(Debug, Clone, Default)]
pub(crate) struct IncomeSource {
    pub source: String,
    pub income_share: Option<f64>,
    pub inequality_share: Option<f64>,
    pub elasticity: Option<f64>,
}

/// Points of the Lorenz curves at the shares [`Lorenz::at`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Lorenz {
    pub with: Vec<f64>,
    pub without: Vec<f64>,
}

/// The survey beside the balance of payments of its year.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balance {
    pub survey_usd: Option<f64>,
    pub balance_usd: Option<f64>,
    pub capture_ratio: Option<f64>,
    /// Why there is no ratio.
    pub missing: Option<String>,
    pub oda_usd: Option<f64>,
    pub gdp_share: Option<f64>,
    pub remittance_per_head_usd: Option<f64>,
    pub oda_per_head_usd: Option<f64>,
}

impl Lorenz {
    /// Points of a curve, beginning and end included.
    pub(crate) const POINTS: i32 = 50;

    /// The share of the population at a point.
    pub(crate) fn at(point: usize) -> f64 {
        point as f64 / f64::from(Self::POINTS)
    }
}

impl Family {
    /// Invented, which must be said wherever a figure of it stands.
    pub(crate) fn synthetic(&self) -> bool {
        self.source_id.contains("synthetic") || self.survey_id.starts_with("synthetic")
    }

    /// A measure on a scale.
    pub(crate) fn effect(&self, scale: &str, measure: &str) -> Option<&Effect> {
        self.effects.iter().find(|e| e.scale == scale && e.measure == measure)
    }

    /// Share of households that receive.
    pub(crate) fn receiving(&self) -> Option<f64> {
        self.effect("survey", "receiving_households").and_then(|e| e.with)
    }

    /// Mean remittances of a household that receives, US$.
    pub(crate) fn received_usd(&self) -> Option<f64> {
        let households = self.households? * self.receiving()?;
        self.balance.survey_usd.filter(|_| households > 0.0).map(|usd| usd / households)
    }

    /// Remittances over income of all households.
    pub(crate) fn remittance_income_share(&self) -> Option<f64> {
        self.sources.iter().find(|s| s.source == "remittance").and_then(|s| s.income_share)
    }

    /// The headcount when remittances are what the balance of payments says.
    pub(crate) fn scaled(&self) -> Option<&Effect> {
        ["both", "amount", "weight"].iter().find_map(|scale| {
            let effect = self.effect(scale, "headcount")?;
            effect.difference.map(|_| effect)
        })
    }
}

impl Effect {
    /// Half of the 95 % confidence interval of an estimate with that error, by the degrees of
    /// freedom of the difference.
    pub(crate) fn margin(&self, se: Option<f64>) -> Option<f64> {
        const NORMAL: f64 = 1.96;
        let of_difference = self.se.filter(|se| *se > 0.0);
        let width = self.ci_low.zip(self.ci_high).map(|(low, high)| 0.5 * (high - low));
        let factor = width.zip(of_difference).map_or(NORMAL, |(width, se)| width / se);
        se.map(|se| factor * se)
    }
}
