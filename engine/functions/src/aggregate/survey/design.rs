//! The design of a survey, and the variance of totals under it.

use std::ops::Range;

use datafusion_common::{Result, exec_err};

use crate::aggregate::frame::{Given, Rows, Total, refuse, total};

/// Which columns tell of the design, and what is done with single units.
#[derive(Debug)]
pub(in crate::aggregate) struct Design {
    function: &'static str,
    stratum: Option<usize>,
    psu: Option<usize>,
    fpc: Option<usize>,
    domain: Option<usize>,
    lonely: Lonely,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Lonely {
    Error,
    Adjust,
    Certainty,
}

/// A column of names: two doubles, of which the bits are the name.
type Name = (u64, u64);

/// The rows in the order of their units, and the strata.
pub(in crate::aggregate) struct Drawn {
    pub(super) order: Vec<usize>,
    /// Where the rows of each unit are in the order, the units of a stratum side by side.
    pub(super) units: Vec<Range<usize>>,
    pub(super) strata: Vec<Stratum>,
}

/// A stratum of the sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stratum {
    /// Number of its primary sampling units.
    pub(super) units: usize,
    /// The share of the population that was not drawn.
    pub(super) left: f64,
}

impl Design {
    /// Reads the design's arguments.
    pub(in crate::aggregate) fn new(given: &Given) -> Result<Self> {
        Ok(Self {
            function: given.measure.name,
            stratum: given.column("stratum"),
            psu: given.column("psu"),
            fpc: given.column("fpc"),
            domain: given.column("domain"),
            lonely: match given.choice("lonely_psu")? {
                Some("adjust") => Lonely::Adjust,
                Some("certainty") => Lonely::Certainty,
                _ => Lonely::Error,
            },
        })
    }

    /// Every row drawn for itself.
    #[cfg(test)]
    pub(in crate::aggregate) fn none(function: &'static str) -> Self {
        Self { function, stratum: None, psu: None, fpc: None, domain: None, lonely: Lonely::Error }
    }

    /// Whether a row is in the domain.
    pub(super) fn inside(&self, rows: &Rows<'_>, row: usize) -> bool {
        self.domain.is_none_or(|column| rows.column(column).get(row).is_some_and(|d| *d != 0.0))
    }

    /// The variance of the sum of `totals`, and units less strata.
    pub(in crate::aggregate) fn variance(&self, drawn: &Drawn, totals: &[f64]) -> Result<(f64, usize)> {
        let sum = |unit: &Range<usize>| {
            let rows = drawn.order.get(unit.clone()).unwrap_or_default();
            total(rows.iter().map(|row| totals.get(*row).copied().unwrap_or(0.0)))
        };
        let sums: Vec<f64> = drawn.units.iter().map(sum).collect();
        Ok((self.variance_of(&drawn.strata, &sums)?, freedom(&drawn.strata)))
    }

    /// The variance of the sum of what units have, those of a stratum side by side.
    pub(super) fn variance_of(&self, strata: &[Stratum], sums: &[f64]) -> Result<f64> {
        let mean_of = |units: &[f64]| total(units.iter().copied()) / units.len() as f64;
        let mut variance = Total::default();
        let mut rest = sums;
        for stratum in strata {
            let Some((units, others)) = rest.split_at_checked(stratum.units) else { break };
            rest = others;
            let n = units.len() as f64;
            let (centre, scale) = match (units.len(), self.lonely) {
                // A stratum that was sampled as a whole has no sampling error.
                (1, _) if stratum.left <= 0.0 => continue,
                (1, Lonely::Certainty) => continue,
                (1, Lonely::Adjust) => (mean_of(sums), stratum.left),
                (1, Lonely::Error) => return self.lonely(),
                _ => (mean_of(units), stratum.left * n / (n - 1.0)),
            };
            for unit in units {
                let off = unit - centre;
                variance.add(scale * off * off);
            }
        }
        // Squares that leave the range of doubles are no zero.
        let variance = variance.value();
        Ok(if variance.is_nan() { f64::INFINITY } else { variance.max(0.0) })
    }

    /// Whether replicates are drawn of a stratum: not of one unit, nor of one that is sampled as a whole.
    pub(super) fn replicated(&self, stratum: Stratum) -> Result<bool> {
        match self.lonely {
            _ if stratum.left <= 0.0 => Ok(false),
            _ if stratum.units > 1 => Ok(true),
            Lonely::Certainty => Ok(false),
            Lonely::Error => self.lonely(),
            Lonely::Adjust => exec_err!(
                "`{}` got 'adjust' as `lonely_psu`; replicates know 'error' and 'certainty' alone",
                self.function
            ),
        }
    }

    /// A stratum of so many units, and of `fpc` in the population if that is known.
    pub(super) fn stratum(&self, units: usize, fpc: Option<f64>) -> Result<Stratum> {
        let n = units as f64;
        if let Some(fpc) = fpc.filter(|fpc| *fpc < n) {
            let allowed = format!("the stratum's sample alone has {n} units");
            return refuse(self.function, "fpc", fpc, &allowed);
        }
        Ok(Stratum { units, left: fpc.map_or(1.0, |fpc| 1.0 - n / fpc) })
    }

    fn lonely<T>(&self) -> Result<T> {
        exec_err!(
            "`{}` got a stratum with one primary sampling unit; join it with another, or choose \
             `lonely_psu => 'adjust'` or `lonely_psu => 'certainty'`",
            self.function
        )
    }

    /// The rows by stratum and unit.
    pub(in crate::aggregate) fn drawn(&self, rows: &Rows<'_>) -> Result<Drawn> {
        let name = |column: Option<usize>, row: usize| -> Name {
            let part = |at: usize| rows.column(at).get(row).map_or(0, |v| v.to_bits());
            column.map_or((0, 0), |column| (part(column), part(column + 1)))
        };
        let mut order: Vec<(Name, Name, usize)> = (0..rows.len())
            .map(|row| {
                let psu = if self.psu.is_some() { name(self.psu, row) } else { (0, row as u64) };
                (name(self.stratum, row), psu, row)
            })
            .collect();
        order.sort_unstable();
        let (mut units, mut strata, mut at) = (Vec::new(), Vec::new(), 0);
        for stratum in order.chunk_by(|a, b| a.0 == b.0) {
            let before = units.len();
            for unit in stratum.chunk_by(|a, b| a.1 == b.1) {
                units.push(at..at + unit.len());
                at += unit.len();
            }
            let fpc = self.fpc.map(|column| {
                let given = stratum.iter().filter_map(|(.., row)| rows.column(column).get(*row));
                given.fold(0.0, |most: f64, fpc| most.max(*fpc))
            });
            strata.push(self.stratum(units.len() - before, fpc)?);
        }
        Ok(Drawn { order: order.into_iter().map(|(.., row)| row).collect(), units, strata })
    }
}

impl Drawn {
    /// The unit of each row.
    pub(super) fn unit_of_rows(&self) -> Vec<u32> {
        let mut units = vec![0; self.order.len()];
        for (unit, range) in (0u32..).zip(&self.units) {
            for row in self.order.get(range.clone()).unwrap_or_default() {
                if let Some(slot) = units.get_mut(*row) {
                    *slot = unit;
                }
            }
        }
        units
    }
}

/// Units less strata.
pub(super) fn freedom(strata: &[Stratum]) -> usize {
    strata.iter().map(|s| s.units - 1).sum()
}
