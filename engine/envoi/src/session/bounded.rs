//! Functions whose value is as large as their arguments say: `repeat('x', 2000000000)`.
//!
//! The memory pool does not see what a function allocates. So each of them is
//! replaced by one of the same name that works out the size first, refuses a value
//! beyond [`VALUE`], takes what a whole batch needs from the pool, and then calls
//! the original.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::caps;
use super::sizes::{self, SizeOf};
use crate::error::{Class, Error};

/// Bytes that one value may have.
const VALUE: u64 = 64 << 20;

/// What is looked at before the original is called.
#[derive(Clone, Copy)]
enum Check {
    /// The size of the values.
    Size(SizeOf),
    /// The type that the second argument names.
    Type,
}

/// The functions and how the sizes of their values follow from the arguments.
const CHECKED: [(&str, Check); 13] = [
    ("repeat", Check::Size(sizes::repeat)),
    ("lpad", Check::Size(sizes::pad)),
    ("rpad", Check::Size(sizes::pad)),
    ("replace", Check::Size(sizes::replace)),
    ("regexp_replace", Check::Size(sizes::regexp_replace)),
    ("concat", Check::Size(sizes::concat)),
    ("array_to_string", Check::Size(sizes::array_to_string)),
    ("range", Check::Size(sizes::range)),
    ("generate_series", Check::Size(sizes::range)),
    ("array_repeat", Check::Size(sizes::array_repeat)),
    ("array_resize", Check::Size(sizes::array_resize)),
    ("arrow_cast", Check::Type),
    ("arrow_try_cast", Check::Type),
];

/// The bounded functions, to be registered in place of those of the same name.
pub(super) fn functions(state: &SessionState) -> Vec<ScalarUDF> {
    let pool = &state.runtime_env().memory_pool;
    CHECKED
        .iter()
        .filter_map(|(name, check)| Some((state.scalar_functions().get(*name)?, *check)))
        .map(|(inner, check)| bounded(inner.as_ref().clone(), check, pool))
        .collect()
}

/// A function that joins texts, bounded.
pub(super) fn joining(inner: ScalarUDF, pool: &Arc<dyn MemoryPool>) -> ScalarUDF {
    bounded(inner, Check::Size(sizes::concat), pool)
}

fn bounded(inner: ScalarUDF, check: Check, pool: &Arc<dyn MemoryPool>) -> ScalarUDF {
    ScalarUDF::new_from_impl(Bounded { inner, check, pool: Arc::clone(pool) })
}

struct Bounded {
    inner: ScalarUDF,
    check: Check,
    pool: Arc<dyn MemoryPool>,
}

impl std::fmt::Debug for Bounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bounded").field(&self.inner).finish()
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl Bounded {
    fn check_type(&self, type_name: Option<&ScalarValue>) -> Result<(), DataFusionError> {
        let Some(text) = type_name.and_then(|t| t.try_as_str().flatten()) else { return Ok(()) };
        // Reading the name recurses once a bracket.
        let mut open = 0usize;
        for c in text.chars() {
            open = match c {
                '(' | '<' | '[' => open + 1,
                ')' | '>' | ']' => open.saturating_sub(1),
                _ => open,
            };
            if open > caps::TYPE_LEVELS {
                return Err(caps::type_levels().into());
            }
        }
        // What is no type is left to the original, which says so.
        let elements = text.parse().as_ref().map_or(0, fixed_elements);
        if elements > caps::FIXED_SIZE { Err(caps::fixed_size(elements).into()) } else { Ok(()) }
    }
}

/// Elements, or bytes, that every value of the type has, a NULL too.
fn fixed_elements(data_type: &DataType) -> u64 {
    match data_type {
        DataType::FixedSizeList(field, size) => {
            u64::try_from(*size).unwrap_or(0).saturating_mul(fixed_elements(field.data_type()).max(1))
        }
        DataType::FixedSizeBinary(size) => u64::try_from(*size).unwrap_or(0),
        DataType::List(field) | DataType::LargeList(field) | DataType::ListView(field) | DataType::Map(field, _) => {
            fixed_elements(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().map(|f| fixed_elements(f.data_type())).sum(),
        DataType::Dictionary(_, value) => fixed_elements(value),
        _ => 0,
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String, DataFusionError> {
        self.inner.inner().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType, DataFusionError> {
        self.inner.inner().return_type(arg_types)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        self.inner.inner().with_updated_config(config).map(|inner| bounded(inner, self.check, &self.pool))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef, DataFusionError> {
        if let Check::Type = self.check {
            self.check_type(args.scalar_arguments.get(1).copied().flatten())?;
        }
        self.inner.inner().return_field_from_args(args)
    }

    fn is_strict(&self) -> bool {
        self.inner.inner().is_strict()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        let Check::Size(size_of) = self.check else { return self.inner.inner().invoke_with_args(args) };
        let size = size_of(&args)?;
        if size.largest > VALUE {
            let (name, mib) = (self.name(), size.largest.div_ceil(1 << 20));
            let error = Error::new(
                Class::Resource,
                format!("`{name}` would make a value of {mib} MiB, more than the limit of {} MiB", VALUE >> 20),
            );
            return Err(match name {
                "range" | "generate_series" => {
                    error.with_hint(format!("`select … from {name}(…)` makes rows, as many as you like"))
                }
                _ => error,
            }
            .into());
        }
        // A column's texts are found by numbers of 31 bits.
        if size.total > i32::MAX.unsigned_abs().into() {
            let (name, rows, mib) = (self.name(), args.number_rows, size.total.div_ceil(1 << 20));
            let what =
                format!("`{name}` would make {mib} MiB of values for {rows} rows, more than the limit of 2047 MiB");
            return Err(Error::new(Class::Resource, what).into());
        }
        let reservation = MemoryConsumer::new(format!("{}()", self.name())).register(&self.pool);
        // What is small is not worth asking for, and estimates of it are rough.
        if size.total > VALUE {
            reservation.try_grow(usize::try_from(size.total).unwrap_or(usize::MAX))?;
        }
        self.inner.inner().invoke_with_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult, DataFusionError> {
        match self.check {
            Check::Type => self.inner.inner().simplify(args, info),
            // `concat` joins constants here, unseen; left alone they are computed by a call.
            Check::Size(_) => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>, DataFusionError> {
        self.inner.inner().coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
