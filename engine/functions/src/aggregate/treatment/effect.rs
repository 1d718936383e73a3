//! An effect with its error, as all measures of effects give it.

use datafusion_common::Result;

use crate::aggregate::frame::{Field, Rows, Sink};
use crate::aggregate::survey::{Design, Drawn, half_interval};

/// What measures of an effect give.
pub(super) const FIELDS: &[Field] = &[
    Field::Number("estimate"),
    Field::Number("se"),
    Field::Number("ci_low"),
    Field::Number("ci_high"),
    Field::Count("n_treated"),
    Field::Count("n_control"),
];

/// The same with the rows that were trimmed.
pub(super) const TRIMMED: &[Field] = &[
    Field::Number("estimate"),
    Field::Number("se"),
    Field::Number("ci_low"),
    Field::Number("ci_high"),
    Field::Count("n_treated"),
    Field::Count("n_control"),
    Field::Count("trimmed"),
];

/// An estimate, its error, and how many rows it is of.
pub(super) struct Effect {
    pub(super) estimate: f64,
    pub(super) se: f64,
    pub(super) df: usize,
    pub(super) treated: usize,
    pub(super) others: usize,
}

impl Effect {
    /// Puts the effect into the sink, and what its shape has besides.
    pub(super) fn put(&self, sink: &mut Sink, besides: &[Option<f64>]) {
        let half = Some(half_interval(self.se, self.df)).filter(|_| self.df > 0);
        let mut cells = vec![
            Some(self.estimate),
            Some(self.se),
            half.map(|half| self.estimate - half),
            half.map(|half| self.estimate + half),
            Some(self.treated as f64),
            Some(self.others as f64),
        ];
        cells.extend(besides);
        sink.row(&cells);
    }
}

/// The standard error of a sum of influences, each times its weight, and the degrees of freedom.
pub(in crate::aggregate) fn error(design: &Design, rows: &Rows<'_>, influence: &[f64]) -> Result<(f64, usize)> {
    error_of(design, &design.drawn(rows)?, rows, influence)
}

/// The same for rows whose order is known: several errors of the same rows.
pub(in crate::aggregate) fn error_of(
    design: &Design,
    drawn: &Drawn,
    rows: &Rows<'_>,
    influence: &[f64],
) -> Result<(f64, usize)> {
    let totals: Vec<f64> = influence.iter().enumerate().map(|(row, z)| rows.weight(row) * z).collect();
    let (variance, df) = design.variance(drawn, &totals)?;
    Ok((variance.sqrt(), df))
}
