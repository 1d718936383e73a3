//! `ge_decomposition`: generalised entropy within and between groups.

use std::collections::BTreeMap;

use datafusion_common::Result;

use super::entropy::{DROP, entropy_of, first};
use super::{SECTION, rows_rule};
use crate::aggregate::frame::{
    Field, Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Total, Work, constant, number, weight,
};

const FIELDS: &[Field] =
    &[Field::Number("total"), Field::Number("within"), Field::Number("between"), Field::Count("groups")];

pub(super) static GE_DECOMPOSITION: Measure = Measure {
    name: "ge_decomposition",
    parameters: &[
        number("y", "Income, consumption or any amount."),
        Parameter {
            name: "subgroup",
            kind: Kind::Key,
            optional: false,
            text: "What the row's group is called, such as a region; an integer or a text.",
        },
        constant("alpha", "Sensitivity, one number for the whole call, as for `ge`."),
        weight(),
        DROP,
    ],
    shape: |_| Shape::Struct(FIELDS),
    work: Work::Rows(|given: &Given| {
        Ok(Box::new(Decomposition {
            function: given.measure.name,
            alpha: given.required("alpha", "expected a finite number", |_| true)?,
            drop: given.flag("drop_nonpositive"),
            subgroup: given.column("subgroup").unwrap_or(1),
        }))
    }),
    text: Text {
        section: SECTION,
        syntax: "ge_decomposition(y, subgroup, alpha [, w] [, drop_nonpositive => true])",
        description: concat!(
            "Generalised entropy of all, within and between subgroups (Shorrocks 1980), a struct: `total` is `ge(y, alpha)`, \
             `within` the sum over subgroups of weight share times (mean of the subgroup / mean of all)^alpha times its own \
             index, `between` the index if everybody had the mean of their subgroup. within + between = total. `groups` counts \
             the subgroups. Rows without a subgroup are left out. Values of zero or less are treated as by `ge`. NULL if the \
             mean of all or of a subgroup is zero or negative.",
            rows_rule!()
        ),
        example: "> select ge_decomposition(y, region, 0) from (values (1.0, 'a'), (3.0, 'a'), (4.0, 'b')) as t(y, region);\n\
                  {total: 0.1525270364157261, within: 0.09589402415059363, between: 0.056633012265132475, groups: 2}",
    },
};

#[derive(Debug)]
struct Decomposition {
    function: &'static str,
    alpha: f64,
    drop: bool,
    subgroup: usize,
}

impl Kernel for Decomposition {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        let first = first(self.function, rows.values(), self.alpha, self.drop)?;
        match self.parts(rows, first) {
            Some([total, within, between, groups]) => {
                sink.row(&[Some(total), Some(within), Some(between), Some(groups)])
            }
            None => sink.null(),
        }
        Ok(())
    }
}

impl Decomposition {
    fn parts(&self, rows: &Rows<'_>, first: usize) -> Option<[f64; 4]> {
        let (high, low) = (rows.column(self.subgroup), rows.column(self.subgroup + 1));
        let mut groups: BTreeMap<(u64, u64), Vec<(f64, f64)>> = BTreeMap::new();
        for (row, (y, w)) in rows.weighted().enumerate().skip(first) {
            let name = (high.get(row)?.to_bits(), low.get(row)?.to_bits());
            groups.entry(name).or_default().push((y, w));
        }
        let middle = |values: &[(f64, f64)]| values.get(values.len() / 2).map(|(y, _)| *y);
        let near = rows.values().get(first + rows.len().checked_sub(first)? / 2).copied()?;
        let all = entropy_of(rows.weighted().skip(first), near, self.alpha)?;
        let mut within = Total::default();
        let mut means = Vec::with_capacity(groups.len());
        for values in groups.values() {
            let part = entropy_of(values.iter().copied(), middle(values)?, self.alpha)?;
            within.add(part.weight / all.weight * (part.mean / all.mean).powf(self.alpha) * part.entropy);
            means.push((part.mean, part.weight));
        }
        let between = entropy_of(means.iter().copied(), all.mean, self.alpha)?;
        Some([all.entropy, within.value(), between.entropy, means.len() as f64])
    }
}
