//! The design of a survey, and the variance of totals under it.

use std::ops::Range;

use datafusion_common::{Result, exec_err};

use crate::aggregate::frame::{Given, Rows, Total, refuse};

/// Which columns tell of the design, and what is done with single units.
#[derive(Debug)]
pub(super) struct Design {
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
pub(super) struct Drawn {
    pub(super) order: Vec<usize>,
    pub(super) strata: Vec<Stratum>,
}

/// The primary sampling units of a stratum.
pub(super) struct Stratum {
    /// Where the rows of each are in the order.
    pub(super) units: Vec<Range<usize>>,
    /// The share of the population that was not drawn.
    pub(super) left: f64,
}

impl Design {
    /// Reads the design's arguments.
    pub(super) fn new(given: &Given) -> Result<Self> {
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

    /// Whether a row is in the domain.
    pub(super) fn inside(&self, rows: &Rows<'_>, row: usize) -> bool {
        self.domain.is_none_or(|column| rows.column(column).get(row).is_some_and(|d| *d != 0.0))
    }

    /// The variance of the sum of `totals`, and units less strata.
    pub(super) fn variance(&self, rows: &Rows<'_>, totals: &[f64]) -> Result<(f64, usize)> {
        let drawn = self.drawn(rows)?;
        let sum = |unit: &Range<usize>| {
            let mut sum = Total::default();
            let rows = drawn.order.get(unit.clone()).unwrap_or_default();
            rows.iter().for_each(|row| sum.add(totals.get(*row).copied().unwrap_or(0.0)));
            sum
        };
        let mean_of = |units: &[Total]| {
            let mut all = Total::default();
            units.iter().for_each(|u| all.merge(*u));
            all.value() / units.len() as f64
        };
        let sums: Vec<Vec<Total>> = drawn.strata.iter().map(|s| s.units.iter().map(sum).collect()).collect();
        let mut variance = Total::default();
        for (stratum, units) in drawn.strata.iter().zip(&sums) {
            let n = units.len() as f64;
            let (centre, scale) = match (units.len(), self.lonely) {
                // A stratum that was sampled as a whole has no sampling error.
                (1, _) if stratum.left <= 0.0 => continue,
                (1, Lonely::Certainty) => continue,
                (1, Lonely::Adjust) => (mean_of(&sums.concat()), stratum.left),
                (1, Lonely::Error) => return self.lonely(),
                _ => (mean_of(units), stratum.left * n / (n - 1.0)),
            };
            for unit in units {
                let off = unit.value() - centre;
                variance.add(scale * off * off);
            }
        }
        Ok((variance.value().max(0.0), drawn.freedom()))
    }

    /// Strata of which replicates are drawn: those with more than one unit that are not sampled as a whole.
    pub(super) fn replicated(&self, rows: &Rows<'_>) -> Result<Drawn> {
        let mut drawn = self.drawn(rows)?;
        for stratum in &drawn.strata {
            match self.lonely {
                _ if stratum.units.len() > 1 || stratum.left <= 0.0 => {}
                Lonely::Certainty => {}
                Lonely::Error => return self.lonely(),
                Lonely::Adjust => {
                    return exec_err!(
                        "`{}` got 'adjust' as `lonely_psu`; replicates know 'error' and 'certainty' alone",
                        self.function
                    );
                }
            }
        }
        drawn.strata.retain(|stratum| stratum.units.len() > 1 && stratum.left > 0.0);
        Ok(drawn)
    }

    fn lonely<T>(&self) -> Result<T> {
        exec_err!(
            "`{}` got a stratum with one primary sampling unit; join it with another, or choose \
             `lonely_psu => 'adjust'` or `lonely_psu => 'certainty'`",
            self.function
        )
    }

    /// The rows by stratum and unit.
    fn drawn(&self, rows: &Rows<'_>) -> Result<Drawn> {
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
        let (mut strata, mut at) = (Vec::new(), 0);
        for stratum in order.chunk_by(|a, b| a.0 == b.0) {
            let mut units = Vec::new();
            for unit in stratum.chunk_by(|a, b| a.1 == b.1) {
                units.push(at..at + unit.len());
                at += unit.len();
            }
            let n = units.len() as f64;
            let fpc = self.fpc.map(|column| {
                let given = stratum.iter().filter_map(|(.., row)| rows.column(column).get(*row));
                given.fold(0.0, |most: f64, fpc| most.max(*fpc))
            });
            if let Some(fpc) = fpc.filter(|fpc| *fpc < n) {
                let allowed = format!("the stratum's sample alone has {n} units");
                return refuse(self.function, "fpc", fpc, &allowed);
            }
            strata.push(Stratum { units, left: fpc.map_or(1.0, |fpc| 1.0 - n / fpc) });
        }
        Ok(Drawn { order: order.into_iter().map(|(.., row)| row).collect(), strata })
    }
}

impl Drawn {
    /// Units less strata.
    pub(super) fn freedom(&self) -> usize {
        self.strata.iter().map(|s| s.units.len() - 1).sum()
    }
}
