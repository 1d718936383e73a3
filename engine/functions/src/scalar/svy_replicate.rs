//! `svy_replicate`: the error of an estimate from its replicates, however they were weighted.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::aggregate::{estimates, half_interval, spread};

const NAME: &str = "svy_replicate";
const SYNTAX: &str = "svy_replicate(estimate, replicates, type [, scale] [, rho] [, df] [, mse])";
const TYPES: &str = "expected 'JK1', 'JKn', 'BRR', 'Fay', 'bootstrap' or 'SDR'";

/// The arguments by name, so that the engine can put named ones in their places.
const PARAMETERS: [(&str, &str); 7] = [
    ("estimate", "The estimate of the full sample."),
    (
        "replicates",
        "The same estimate with each set of replicate weights, as a list. With a NULL among them the error is NULL.",
    ),
    ("type", "How the replicates were weighted: 'JK1', 'JKn', 'BRR', 'Fay', 'bootstrap' or 'SDR'."),
    (
        "scale",
        "What squares are multiplied by: one number, or a list with a number for each replicate; 'JKn' needs the list.",
    ),
    ("rho", "What 'Fay' leaves of the weights of the half that is not drawn, from 0 to below 1."),
    ("df", "Degrees of freedom, units less strata; replicates less 1 if left out, unknown for 'JKn'."),
    ("mse", "Whether to take squares around the estimate and not around the mean of replicates."),
];

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SvyReplicate {
    signature: Signature,
    documentation: Documentation,
}

impl SvyReplicate {
    pub(crate) fn new() -> Self {
        let section = DocSection { include: true, label: "Surveys", description: None };
        let description = "Error of any estimate from replicates of it, such as `gini(y, w)` with the replicate weights that a \
             statistical office ships: `svy_replicate(gini(y, w), [gini(y, w1), gini(y, w2), …], 'BRR')`. The variance is the sum \
             of squares around the mean of replicates, those with a scale of 0 apart, times the scale of the type: (R-1)/R for \
             'JK1', the jackknife without strata; (n_h-1)/n_h for each replicate of 'JKn', of stratum h with n_h units, to be \
             given; 1/R for 'BRR', balanced repeated replication; 1/(R (1-rho)²) for 'Fay' (Judkins 1990); 1/(R-1) for \
             'bootstrap'; 4/R for 'SDR', successive differences. Multiply by 1 - n/N yourself where a finite population counts. \
             A struct as the other `svy_` functions give it: estimate, se, ci_low and ci_high, the 95 % interval by Student's t, \
             df; n and deff are not known and NULL. NULL if the estimate is. NaN and infinities are errors. The `svy_` \
             aggregates make jackknife and bootstrap replicates themselves: `method => 'jackknife'`.";
        let mut documentation = Documentation::builder(section, description, SYNTAX).with_sql_example(
            "```sql\n> select s['estimate'], s['se'], s['df'] from (select svy_replicate(2.0, [1.0, 2.0, 3.0], 'JK1') as s);\n2.0, 1.1547005383792515, 2\n```",
        );
        for (name, text) in PARAMETERS {
            documentation = documentation.with_argument(name, text);
        }
        let signature = Signature::user_defined(Volatility::Immutable);
        let names = PARAMETERS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        // Names are refused only if one stands twice.
        let signature = signature.clone().with_parameter_names(names).unwrap_or(signature);
        Self { signature, documentation: documentation.build() }
    }
}

/// The arguments of one row.
struct Call<'a> {
    estimate: f64,
    replicates: Vec<Option<f64>>,
    kind: &'a str,
    scale: Option<Vec<f64>>,
    rho: Option<f64>,
    df: Option<f64>,
    mse: bool,
}

fn refuse<T>(value: impl std::fmt::Display, argument: &str, allowed: &str) -> Result<T> {
    exec_err!("`{NAME}` got {value} as `{argument}`; {allowed}")
}

impl Call<'_> {
    /// The scale of each replicate.
    fn scales(&self) -> Result<Vec<f64>> {
        let count = self.replicates.len();
        let r = count as f64;
        let kind = self.kind.to_ascii_lowercase();
        let usual = match (kind.as_str(), self.rho) {
            ("fay", Some(rho)) if (0.0..1.0).contains(&rho) => Some(1.0 / (r * (1.0 - rho) * (1.0 - rho))),
            ("fay", Some(rho)) => return refuse(rho, "rho", "expected a number from 0 to below 1"),
            ("fay", None) if self.scale.is_none() => {
                return refuse("NULL", "rho", "'Fay' needs a number from 0 to below 1");
            }
            ("jk1", None) => Some((r - 1.0) / r),
            ("brr", None) => Some(1.0 / r),
            ("bootstrap", None) => Some(1.0 / (r - 1.0)),
            ("sdr", None) => Some(4.0 / r),
            ("jkn" | "fay", None) => None,
            ("jk1" | "jkn" | "brr" | "bootstrap" | "sdr", Some(rho)) => {
                return refuse(rho, "rho", "'Fay' alone takes it");
            }
            _ => return refuse(format!("'{}'", self.kind), "type", TYPES),
        };
        match (&self.scale, usual) {
            (Some(scales), _) if scales.iter().any(|s| *s < 0.0) => {
                let least = scales.iter().copied().fold(0.0, f64::min);
                refuse(least, "scale", "expected numbers of 0 or more")
            }
            (Some(scales), _) if scales.len() == count => Ok(scales.clone()),
            (Some(scales), _) if scales.len() == 1 && kind != "jkn" => Ok(scales.repeat(count)),
            (Some(scales), _) => refuse(
                format!("{} numbers", scales.len()),
                "scale",
                &format!("expected one for each of {count} replicates"),
            ),
            (None, Some(usual)) => Ok(vec![usual; count]),
            (None, None) => refuse("NULL", "scale", "'JKn' needs a number for each replicate"),
        }
    }

    /// The fields of the struct.
    fn cells(&self) -> Result<[Option<f64>; 7]> {
        if self.replicates.len() < 2 {
            return refuse(format!("{} numbers", self.replicates.len()), "replicates", "expected two or more");
        }
        let df = match self.df {
            Some(df) if df.fract() != 0.0 || df < 1.0 => return refuse(df, "df", "expected an integer of 1 or more"),
            None if self.kind.eq_ignore_ascii_case("jkn") => None,
            df => Some(df.unwrap_or(self.replicates.len() as f64 - 1.0)),
        };
        let scales = self.scales()?;
        let known: Option<Vec<f64>> = self.replicates.iter().copied().collect();
        let se = known.map(|replicates| {
            let pairs = replicates.into_iter().zip(scales).filter(|(_, scale)| *scale > 0.0).collect::<Vec<_>>();
            spread(&pairs, self.mse.then_some(self.estimate)).sqrt()
        });
        let half = se.zip(df).map(|(se, df)| half_interval(se, df as usize));
        let estimate = self.estimate;
        Ok([Some(estimate), se, half.map(|h| estimate - h), half.map(|h| estimate + h), df, None, None])
    }
}

/// A number of a row; `None` for NULL or an argument left out.
fn number(array: Option<&ArrayRef>, row: usize, name: &str) -> Result<Option<f64>> {
    let Some(numbers) = array.and_then(|a| a.as_primitive_opt::<Float64Type>()) else { return Ok(None) };
    match numbers.is_valid(row).then(|| numbers.value(row)) {
        Some(value) if !value.is_finite() => refuse(value, name, "expected a finite number or NULL"),
        value => Ok(value),
    }
}

/// The numbers of a row's list.
fn list(array: Option<&ArrayRef>, row: usize, name: &str) -> Result<Option<Vec<Option<f64>>>> {
    let Some(lists) = array.and_then(|a| a.as_list_opt::<i32>()).filter(|l| l.is_valid(row)) else { return Ok(None) };
    let numbers: Float64Array = lists.value(row).as_primitive().clone();
    match numbers.iter().flatten().find(|v| !v.is_finite()) {
        Some(value) => refuse(value, name, "expected finite numbers or NULL"),
        None => Ok(Some(numbers.iter().collect())),
    }
}

impl ScalarUDFImpl for SvyReplicate {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !(3..=PARAMETERS.len()).contains(&types.len()) {
            return plan_err!("`{NAME}` takes 3 to 7 arguments; call it as `{SYNTAX}`");
        }
        let numbers = || DataType::new_list(DataType::Float64, true);
        let coerced = |((name, _), given): (&(&str, &str), &DataType)| {
            let is_list = matches!(given, DataType::List(i) | DataType::LargeList(i) | DataType::FixedSizeList(i, _)
                if i.data_type().is_numeric() || i.data_type().is_null());
            let fits = match *name {
                "type" if given.is_string() || given.is_null() => DataType::Utf8,
                "mse" if *given == DataType::Boolean || given.is_null() => DataType::Boolean,
                "type" | "mse" => return plan_err!("`{NAME}` cannot take {given} as `{name}`; call it as `{SYNTAX}`"),
                "replicates" if is_list || given.is_null() => numbers(),
                "scale" if is_list => numbers(),
                "replicates" => return plan_err!("`{NAME}` takes a list of numbers as `{name}`, not {given}"),
                _ if given.is_numeric() || given.is_null() => DataType::Float64,
                _ => return plan_err!("`{NAME}` takes a number as `{name}`, not {given}; call it as `{SYNTAX}`"),
            };
            Ok(fits)
        };
        PARAMETERS.iter().zip(types).map(coerced).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(estimates().data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let array = |name: &str| PARAMETERS.iter().position(|(n, _)| *n == name).and_then(|place| arrays.get(place));
        let kinds = array("type").and_then(|a| a.as_string_opt::<i32>());
        let truths = array("mse").and_then(|a| a.as_boolean_opt());
        let mut sink = estimates().sink();
        for row in 0..arrays.first().map_or(0, Array::len) {
            let Some(kind) = kinds.filter(|k| k.is_valid(row)).map(|k| k.value(row)) else {
                return refuse("NULL", "type", TYPES);
            };
            let scale = match number(array("scale"), row, "scale")? {
                Some(scale) => Some(vec![scale]),
                None => list(array("scale"), row, "scale")?.map(|l| l.into_iter().map(|s| s.unwrap_or(0.0)).collect()),
            };
            let estimate = number(array("estimate"), row, "estimate")?;
            let replicates = list(array("replicates"), row, "replicates")?;
            let (Some(estimate), Some(replicates)) = (estimate, replicates) else {
                sink.null();
                continue;
            };
            let call = Call {
                estimate,
                replicates,
                kind,
                scale,
                rho: number(array("rho"), row, "rho")?,
                df: number(array("df"), row, "df")?,
                mse: truths.is_some_and(|t| t.is_valid(row) && t.value(row)),
            };
            sink.row(&call.cells()?);
        }
        super::shaped(&args.args, sink.finish()?)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
