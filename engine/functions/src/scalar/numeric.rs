//! Functions of a few numbers of one row.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// A function of numbers; NULL if any of them is.
#[derive(Debug)]
pub(crate) struct Numeric {
    name: &'static str,
    signature: Signature,
    compute: fn(&[f64]) -> Option<f64>,
    documentation: Documentation,
}

/// The functions.
pub(crate) fn all() -> Vec<Numeric> {
    vec![
        Numeric::new(
            "remit_cost_pct",
            "Cost of remittances",
            "Total cost of sending an amount, in percent of it: 100 × (fee/amount + (mid - quoted)/mid), the fee and the margin \
             in the exchange rate (World Bank, Remittance Prices Worldwide). A margin may be negative. NULL when an argument is \
             NULL, or when the amount or the mid rate is zero or negative. NaN and infinities are errors.",
            "remit_cost_pct(fee, amount, fx_mid, fx_quoted)",
            "> select remit_cost_pct(5.0, 200.0, 20.0, 19.6);\n4.499999999999993",
            &[
                ("fee", "What the sender pays, in the currency of the amount."),
                ("amount", "The amount sent."),
                ("fx_mid", "The interbank rate: units received for a unit sent."),
                ("fx_quoted", "The rate that the service gives, in the same terms."),
            ],
            |v| match v {
                [fee, amount, mid, quoted] if *amount > 0.0 && *mid > 0.0 => {
                    Some(100.0 * (fee / amount + (mid - quoted) / mid))
                }
                _ => None,
            },
        ),
        Numeric::new(
            "mirror_asymmetry",
            "Remittances and aid",
            "Asymmetry of one flow as both sides report it, from -2 to 2: their difference over the mean of their absolute values; \
             above 0 if the receiver reports more. NULL when an argument is NULL or both are zero. NaN and infinities are errors.",
            "mirror_asymmetry(received, paid)",
            "> select mirror_asymmetry(110.0, 90.0), mirror_asymmetry(5.0, 0.0);\n0.2, 2.0",
            &[
                ("received", "What the receiving economy reports."),
                ("paid", "What the sending economy reports, in the same unit."),
            ],
            |v| match v {
                [received, paid] => {
                    let size = received.abs().midpoint(paid.abs());
                    (size > 0.0).then(|| (received - paid) / size)
                }
                _ => None,
            },
        ),
        Numeric::new(
            "deflate",
            "Series",
            "A value in prices of the base period: value × base_deflator/deflator. NULL when an argument is NULL or a deflator is \
             zero or negative. NaN and infinities are errors.",
            "deflate(value, deflator, base_deflator)",
            "> select deflate(300.0, 150.0, 100.0);\n200.0",
            &[
                ("value", "The value in prices of its own period."),
                ("deflator", "The price index of that period."),
                ("base_deflator", "The price index of the base period."),
            ],
            |v| match v {
                [value, deflator, base] if *deflator > 0.0 && *base > 0.0 => Some(value * (base / deflator)),
                _ => None,
            },
        ),
    ]
}

impl Numeric {
    fn new(
        name: &'static str,
        section: &'static str,
        description: &str,
        syntax: &str,
        example: &str,
        arguments: &[(&str, &str)],
        compute: fn(&[f64]) -> Option<f64>,
    ) -> Self {
        let section = DocSection { include: true, label: section, description: None };
        let mut documentation =
            Documentation::builder(section, description, syntax).with_sql_example(format!("```sql\n{example}\n```"));
        for (argument, meaning) in arguments {
            documentation = documentation.with_argument(*argument, *meaning);
        }
        let types = vec![DataType::Float64; arguments.len()];
        let signature = Signature::exact(types, Volatility::Immutable);
        Self { name, signature, compute, documentation: documentation.build() }
    }
}

/// The name says which function it is.
impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Numeric {}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Numeric {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let columns = arrays.iter().map(|a| super::numbers(self.name, a)).collect::<Result<Vec<_>>>()?;
        let rows = columns.first().map_or(0, arrow::array::Array::len);
        let mut values = Vec::with_capacity(columns.len());
        let mut compute = |row: usize| {
            values.clear();
            values.extend(columns.iter().filter(|c| arrow::array::Array::is_valid(c, row)).map(|c| c.value(row)));
            // With a NULL among them there are too few, and the function does not match.
            (self.compute)(&values)
        };
        let result: Float64Array = (0..rows).map(&mut compute).collect();
        super::shaped(&args.args, Arc::new(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
