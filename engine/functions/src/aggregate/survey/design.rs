//! The design of a survey, and the variance of totals under it.

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

/// A primary sampling unit.
struct Unit {
    stratum: Name,
    total: Total,
    fpc: f64,
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
        let units = self.units(rows, totals);
        let mean_of = |units: &[Unit]| {
            let mut sum = Total::default();
            units.iter().for_each(|u| sum.merge(u.total));
            sum.value() / units.len() as f64
        };
        let (mut variance, mut strata) = (Total::default(), 0);
        for stratum in units.chunk_by(|a, b| a.stratum == b.stratum) {
            strata += 1;
            let n = stratum.len() as f64;
            let fpc = stratum.iter().map(|u| u.fpc).fold(0.0, f64::max);
            if fpc < n && self.fpc.is_some() {
                let allowed = format!("the stratum's sample alone has {n} units");
                return refuse(self.function, "fpc", fpc, &allowed);
            }
            let left = if fpc.is_finite() { 1.0 - n / fpc } else { 1.0 };
            let (centre, scale) = match (stratum.len(), self.lonely) {
                // A stratum that was sampled as a whole has no sampling error.
                (1, _) if left <= 0.0 => continue,
                (1, Lonely::Certainty) => continue,
                (1, Lonely::Adjust) => (mean_of(&units), left),
                (1, Lonely::Error) => {
                    return exec_err!(
                        "`{}` got a stratum with one primary sampling unit; join it with another, or choose \
                         `lonely_psu => 'adjust'` or `lonely_psu => 'certainty'`",
                        self.function
                    );
                }
                _ => (mean_of(stratum), left * n / (n - 1.0)),
            };
            for unit in stratum {
                let off = unit.total.value() - centre;
                variance.add(scale * off * off);
            }
        }
        Ok((variance.value().max(0.0), units.len() - strata))
    }

    /// The totals of the units, those of a stratum together.
    fn units(&self, rows: &Rows<'_>, totals: &[f64]) -> Vec<Unit> {
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
        let unit = |members: &[(Name, Name, usize)]| {
            let mut unit = Unit { stratum: (0, 0), total: Total::default(), fpc: f64::INFINITY };
            for (stratum, _, row) in members {
                unit.stratum = *stratum;
                unit.total.add(totals.get(*row).copied().unwrap_or(0.0));
                if let Some(fpc) = self.fpc.and_then(|column| rows.column(column).get(*row)) {
                    unit.fpc = *fpc;
                }
            }
            unit
        };
        order.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(unit).collect()
    }
}
