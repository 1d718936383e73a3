//! `poverty_with_without`: poverty with and without remittances, and the difference with its error.

use datafusion_common::Result;

use super::design::Design;
use super::difference::{Turned, pair};
use super::poverty::Poverty;
use super::{DOMAIN, FPC, LONELY, PSU, SECTION, STRATUM, W};
use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, refuse,
};

const FIELDS: &[Field] = &[
    Field::Count("alpha"),
    Field::Number("with"),
    Field::Number("without"),
    Field::Number("difference"),
    Field::Number("se"),
    Field::Number("ci_low"),
    Field::Number("ci_high"),
    Field::Count("df"),
    Field::Count("n"),
];

pub(super) static POVERTY_WITH_WITHOUT: Measure = Measure {
    name: "poverty_with_without",
    parameters: &[
        number("x", "Income of the household, remittances included."),
        number("r", "Remittances it received, in the same unit; 0 for none."),
        number("s", "Its equivalence scale, greater than 0: the number of persons for income per head."),
        Parameter {
            name: "z",
            kind: Kind::Line,
            optional: false,
            text: "Poverty line in the unit of x/s: a number, a column, or `relative(0.6, 'median')` of each of the two incomes.",
        },
        W,
        STRATUM,
        PSU,
        FPC,
        DOMAIN,
        LONELY,
    ],
    shape: |_| Shape::Structs(FIELDS),
    work: Work::Rows(|given: &Given| {
        let kernel = |alpha| Poverty::of(given, "z", Some(alpha));
        Ok(Box::new(WithWithout { design: Design::new(given)?, measures: [kernel(0.0)?, kernel(1.0)?, kernel(2.0)?] }))
    }),
    text: Text {
        section: SECTION,
        syntax: "poverty_with_without(x, r, s, z, w [, stratum] [, psu] [, fpc] [, domain => condition] [, lonely_psu => 'adjust'])",
        description: "Poverty with and without remittances by naive subtraction: income x/s against (x - r)/s, an accounting bound \
             that leaves out what the migrant would have earned at home (Adams 2008 and others estimate that too). A list of \
             three structs, for alpha 0 (headcount), 1 (gap) and 2 (severity) of `fgt`; `unnest` makes rows of it. `with` and \
             `without` are the two measures, `difference` the first less the second, `se` the design-based error of the \
             difference, from the difference of influences row by row, as `svy_fgt_difference` has it; ci_low and ci_high its \
             95 % interval by Student's t; df, units less strata; n, rows of the domain. Rows with a NULL or weight 0 are left \
             out; without rows, or with a line of zero or less in a column, the answer is NULL. NaN, infinite values, negative \
             weights and scales of zero or less are errors.",
        example: "> select s['alpha'], s['with'], s['without'], s['difference'], s['se'] from (select unnest(poverty_with_without(x, r, 1, 4, w)) as s from (values (5.0, 2.0, 1.0), (3.0, 0.0, 1.0), (6.0, 1.0, 1.0), (9.0, 0.0, 1.0)) as t(x, r, w));\n0, 0.25, 0.5, -0.25, 0.25\n1, 0.0625, 0.125, -0.0625, 0.0625\n2, 0.015625, 0.03125, -0.015625, 0.015625",
    },
};

#[derive(Debug)]
struct WithWithout {
    design: Design,
    measures: [Poverty; 3],
}

impl Kernel for WithWithout {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let (incomes, received, scales) = (rows.column(0), rows.column(1), rows.column(2));
        if let Some(scale) = scales.iter().find(|s| **s <= 0.0) {
            return refuse(POVERTY_WITH_WITHOUT.name, "s", scale, "expected an equivalence scale greater than 0");
        }
        let all = || incomes.iter().zip(received).zip(scales);
        let with: Vec<f64> = all().map(|((x, _), s)| x / s).collect();
        let without: Vec<f64> = all().map(|((x, r), s)| (x - r) / s).collect();
        // The incomes take the places of the first two columns; all others stay where they are.
        let mut columns = vec![with.as_slice(), without.as_slice()];
        columns.extend(rows.columns().iter().skip(2));
        let turned = Turned::new(&columns, |row| rows.weight(row));
        let slices = turned.slices();
        let rows = &Rows::new(&slices, Some(&turned.weights));
        let mut cells = Vec::with_capacity(self.measures.len() * FIELDS.len());
        for (alpha, measure) in self.measures.iter().enumerate() {
            let Some((with, without, order)) = pair(measure, rows, |row| self.design.inside(rows, row))? else {
                sink.null();
                return Ok(());
            };
            let (first, second) = (with.estimate, without.estimate);
            let difference = with.less(&without, &order, rows.len());
            let error = difference.under(&self.design, rows)?;
            let off = difference.estimate;
            cells.extend([
                Some(alpha as f64),
                Some(first),
                Some(second),
                Some(off),
                error.se,
                error.half.map(|half| off - half),
                error.half.map(|half| off + half),
                Some(error.df as f64),
                Some(error.n as f64),
            ]);
        }
        sink.row(&cells);
        Ok(())
    }
}
