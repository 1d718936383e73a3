//! `smart_cost`: what the cheapest qualifying services of a corridor cost.

use datafusion_common::Result;

use crate::aggregate::frame::{
    Given, Kernel, Kind, Measure, Parameter, Rows, Shape, Sink, Text, Work, number, option, refuse, total,
};

pub(super) static SMART_COST: Measure = Measure {
    name: "smart_cost",
    parameters: &[
        number("cost", "Total cost of a service, usually in percent of the amount sent; it may be negative."),
        Parameter {
            name: "qualifies",
            kind: Kind::Truth,
            optional: false,
            text: "Whether the service passes the tests of speed and access: a boolean, or 1 and 0. NULL is no.",
        },
        option("k", Kind::Constant, "How many of the cheapest, 3 by default."),
        option("min_services", Kind::Constant, "With fewer qualifying services the answer is NULL; 3 by default."),
    ],
    shape: |_| Shape::Number,
    work: Work::Rows(|given: &Given| {
        let count = |name: &str| match given.number(name)? {
            None => Ok(3),
            Some(n) if n >= 1.0 && n.fract() == 0.0 => Ok(n as usize),
            Some(n) => refuse("smart_cost", name, n, "expected a whole number of 1 or more"),
        };
        Ok(Box::new(Smart { k: count("k")?, least: count("min_services")? }))
    }),
    text: Text {
        section: "Cost of remittances",
        syntax: "smart_cost(cost, qualifies [, k] [, min_services => 3])",
        description: "Smart Remitter Target of a corridor (World Bank 2016), in the unit of cost: the simple mean of the three \
                      cheapest qualifying services. NULL with fewer than `min_services`. Rows with a NULL do not count; NaN and \
                      infinite values are errors.",
        example: "> select smart_cost(c, q) from (values (4.0, true), (1.0, false), (6.0, true), (5.0, true), (9.0, true)) as t(c, q);\n5.0",
    },
};

#[derive(Debug)]
struct Smart {
    k: usize,
    least: usize,
}

impl Kernel for Smart {
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()> {
        // Costs ascend.
        let costs = rows.values().iter().zip(rows.column(1)).filter(|(_, q)| **q != 0.0).map(|(c, _)| *c);
        let qualifying = costs.clone().count();
        if qualifying < self.least {
            sink.null();
        } else {
            let counted = qualifying.min(self.k);
            sink.number(total(costs.take(counted)) / counted as f64);
        }
        Ok(())
    }
}
