//! `adult_equiv`: how many adults a household counts for.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion_macros::user_doc;

use super::{numbers, shaped};

const NAME: &str = "adult_equiv";
const SCALES: [&str; 5] = ["household", "per_head", "square_root", "oecd_modified", "parametric"];

/// The scale of a household; NULL for one without members or without adults where they count.
fn adult_equiv(adults: f64, children: f64, scale: &str, phi: f64, theta: f64) -> Option<f64> {
    let persons = adults + children;
    let scale = match scale {
        "household" => 1.0,
        "per_head" => persons,
        "square_root" => persons.sqrt(),
        // The first person counts for one whatever the age, so that no household is below one.
        "oecd_modified" if adults >= 1.0 => 1.0 + 0.5 * (adults - 1.0) + 0.3 * children,
        "oecd_modified" => 1.0 + 0.3 * (children - 1.0),
        _ => (adults + phi * children).powf(theta),
    };
    (persons > 0.0 && scale > 0.0).then_some(scale)
}

/// `adult_equiv(adults, children, scale [, phi, theta])`.
#[user_doc(
    doc_section(label = "Families"),
    description = "Equivalence scale of a household: the number of adults living alone that its income is divided among. \
'household' is 1 and compares whole households; 'per_head' counts everybody as one; 'square_root' is the square root of the \
members; 'oecd_modified' counts the first adult as 1, further ones as 0.5 and children as 0.3 (Hagenaars, de Vos and Zaidi \
1994; the OECD counts from 14 years as adults); 'parametric' is (adults + phi × children)^theta (Cutler and Katz 1992; National \
Research Council 1995). Without an adult the first child counts as 1 in 'oecd_modified'. NULL when a number is NULL or there are no \
members. Negative numbers, NaN and infinities are errors.",
    syntax_example = "adult_equiv(adults, children, scale [, phi, theta])",
    sql_example = r#"```sql
> select adult_equiv(2, 2, 'per_head'), adult_equiv(2, 2, 'square_root'), adult_equiv(2, 2, 'oecd_modified'), adult_equiv(2, 2, 'parametric', 0.5, 0.5);
4.0, 2.0, 2.1, 1.7320508075688772
```"#,
    argument(name = "adults", description = "Adults of the household."),
    argument(name = "children", description = "Children of the household."),
    argument(
        name = "scale",
        description = "'household', 'per_head', 'square_root', 'oecd_modified' or 'parametric', one for the whole call."
    ),
    argument(name = "phi", description = "With 'parametric': what a child is of an adult, 0 to 1."),
    argument(name = "theta", description = "With 'parametric': 1 without economies of scale, down to 0.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct AdultEquiv {
    signature: Signature,
}

impl AdultEquiv {
    /// The function.
    pub(crate) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for AdultEquiv {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let number = |t: &DataType| t.is_numeric() || t.is_null();
        match types {
            [adults, children, scale, rest @ ..]
                if number(adults)
                    && number(children)
                    && scale.is_string()
                    && (rest.is_empty() || rest.len() == 2)
                    && rest.iter().all(number) =>
            {
                let mut all = vec![DataType::Float64, DataType::Float64, DataType::Utf8];
                all.extend(rest.iter().map(|_| DataType::Float64));
                Ok(all)
            }
            _ => plan_err!(
                "`{NAME}` takes two numbers, a scale and, with 'parametric', two numbers more; call it as `{NAME}(adults, children, scale [, phi, theta])`"
            ),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (Some(adults), Some(children), Some(scales)) = (arrays.first(), arrays.get(1), arrays.get(2)) else {
            return exec_err!("`{NAME}` got too few arguments");
        };
        let (adults, children) = (numbers(NAME, adults)?, numbers(NAME, children)?);
        let scales = scales.as_string::<i32>();
        let further = match (arrays.get(3), arrays.get(4)) {
            (Some(phi), Some(theta)) => Some((numbers(NAME, phi)?, numbers(NAME, theta)?)),
            _ => None,
        };
        let mut found = Vec::with_capacity(adults.len());
        for row in 0..adults.len() {
            if scales.is_null(row) {
                return exec_err!("`{NAME}` got NULL as `scale`; expected '{}'", SCALES.join("', '"));
            }
            let scale = scales.value(row);
            if !SCALES.contains(&scale) {
                return exec_err!("`{NAME}` got '{scale}' as `scale`; expected '{}'", SCALES.join("', '"));
            }
            let (phi, theta) = match &further {
                Some((phi, theta)) if phi.is_valid(row) && theta.is_valid(row) => (phi.value(row), theta.value(row)),
                _ if scale == "parametric" => {
                    return exec_err!("`{NAME}` needs `phi` and `theta` with 'parametric', such as 0.5 and 0.9");
                }
                _ => (1.0, 1.0),
            };
            for (name, value, most) in [("phi", phi, 1.0), ("theta", theta, 1.0)] {
                if !(0.0..=most).contains(&value) {
                    return exec_err!("`{NAME}` got {value} as `{name}`; expected a number from 0 to {most}");
                }
            }
            if adults.is_null(row) || children.is_null(row) {
                found.push(None);
                continue;
            }
            for (name, value) in [("adults", adults.value(row)), ("children", children.value(row))] {
                if value < 0.0 {
                    return exec_err!("`{NAME}` got {value} as `{name}`; expected a number of 0 or more");
                }
            }
            found.push(adult_equiv(adults.value(row), children.value(row), scale, phi, theta));
        }
        shaped(&args.args, Arc::new(Float64Array::from(found)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
