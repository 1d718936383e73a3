//! Functions of SQL that see and change the connection: settings, others' queries, waiting.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use async_trait::async_trait;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::registry::{Backend, Registry};
use super::settings::{ENGINE, Settings};

/// The functions of a connection.
pub(super) fn session_functions(
    settings: &Arc<Mutex<Settings>>,
    registry: &Arc<Registry>,
    own: &Arc<Backend>,
    operator: bool,
) -> Vec<Arc<ScalarUDF>> {
    let of = |kind: Kind| {
        Arc::new(ScalarUDF::new_from_impl(SessionFunction {
            kind,
            signature: Signature::one_of(kind.signatures(), Volatility::Volatile),
            settings: Arc::clone(settings),
            registry: Arc::clone(registry),
            own: Arc::clone(own),
            operator,
        }))
    };
    let sleep = AsyncScalarUDF::new(Arc::new(Sleep::default()));
    vec![
        of(Kind::CurrentSetting),
        of(Kind::SetConfig),
        of(Kind::Cancel),
        of(Kind::Terminate),
        Arc::new(sleep.into_scalar_udf()),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    CurrentSetting,
    SetConfig,
    Cancel,
    Terminate,
}

impl Kind {
    fn signatures(self) -> Vec<TypeSignature> {
        let text = DataType::Utf8;
        match self {
            Self::CurrentSetting => {
                vec![TypeSignature::Exact(vec![text.clone()]), TypeSignature::Exact(vec![text, DataType::Boolean])]
            }
            Self::SetConfig => vec![TypeSignature::Exact(vec![text.clone(), text, DataType::Boolean])],
            Self::Cancel => vec![TypeSignature::Exact(vec![DataType::Int64])],
            Self::Terminate => vec![
                TypeSignature::Exact(vec![DataType::Int64]),
                TypeSignature::Exact(vec![DataType::Int64, DataType::Int64]),
            ],
        }
    }
}

/// A function of the connection's state. Two are the same if they are of one connection.
#[derive(Debug)]
struct SessionFunction {
    kind: Kind,
    signature: Signature,
    settings: Arc<Mutex<Settings>>,
    registry: Arc<Registry>,
    own: Arc<Backend>,
    operator: bool,
}

impl PartialEq for SessionFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.own.pid == other.own.pid
    }
}

impl Eq for SessionFunction {}

impl Hash for SessionFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.kind, self.own.pid).hash(state);
    }
}

impl SessionFunction {
    fn row(&self, arguments: &[ArrayRef], row: usize) -> Result<Option<String>> {
        let text = |place: usize| {
            let array = arguments.get(place)?.as_string_opt::<i32>()?;
            array.is_valid(row).then(|| array.value(row).to_owned())
        };
        let flag = |place: usize| {
            let array = arguments.get(place).and_then(|a| a.as_boolean_opt());
            array.is_some_and(|a| a.is_valid(row) && a.value(row))
        };
        let Some(name) = text(0) else { return Ok(None) };
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |e: super::error::PgError| DataFusionError::Execution(e.message.into_owned());
        match self.kind {
            Kind::CurrentSetting => match settings.get(&name) {
                Ok(value) => Ok(Some(value)),
                Err(_) if flag(1) => Ok(None),
                Err(e) => Err(failed(e)),
            },
            // What the engine does not take would be found out by the next statement only.
            _ if name.to_lowercase().starts_with(ENGINE) => {
                exec_err!("settings of envoi are changed by SET: set {name} = '...'")
            }
            _ => settings.set(&name, Some(&text(1).unwrap_or_default())).map(Some).map_err(failed),
        }
    }

    /// Stops somebody's statement or connection; whether there is such a connection.
    fn stop(&self, pid: i64) -> Result<bool> {
        let other = i32::try_from(pid).ok().and_then(|pid| self.registry.find(pid));
        if !self.operator && other.as_ref().is_none_or(|other| other.user != self.own.user) {
            let what = if self.kind == Kind::Cancel { "cancel a query" } else { "terminate a process" };
            return exec_err!("permission denied to {what} that is not one's own: {pid}; an operator may");
        }
        let Some(other) = other else { return Ok(false) };
        match self.kind {
            Kind::Cancel => other.cancel(),
            _ => other.terminate(),
        }
        Ok(true)
    }
}

impl ScalarUDFImpl for SessionFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::CurrentSetting => "current_setting",
            Kind::SetConfig => "set_config",
            Kind::Cancel => "pg_cancel_backend",
            Kind::Terminate => "pg_terminate_backend",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::CurrentSetting | Kind::SetConfig => DataType::Utf8,
            Kind::Cancel | Kind::Terminate => DataType::Boolean,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let array: ArrayRef = match self.kind {
            Kind::CurrentSetting | Kind::SetConfig => {
                let texts = (0..rows).map(|row| self.row(&arrays, row)).collect::<Result<Vec<_>>>()?;
                Arc::new(StringArray::from(texts))
            }
            Kind::Cancel | Kind::Terminate => {
                let pids = arrays.first().and_then(|a| a.as_primitive_opt::<Int64Type>());
                let stopped =
                    pids.into_iter().flat_map(|pids| pids.iter()).map(|pid| pid.map(|p| self.stop(p)).transpose());
                Arc::new(stopped.collect::<Result<BooleanArray>>()?)
            }
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// `pg_sleep(seconds)`: waits without holding a thread.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sleep {
    signature: Signature,
}

impl Default for Sleep {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64], Volatility::Volatile) }
    }
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        "pg_sleep"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("pg_sleep can be called where rows are made only")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Sleep {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let Some(seconds) = args.args.first() else { return exec_err!("pg_sleep takes seconds") };
        let seconds = cast(&seconds.to_array(rows)?, &DataType::Float64)?;
        for seconds in seconds.as_primitive::<Float64Type>().iter().flatten().filter(|s| *s > 0.0) {
            let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            tokio::time::sleep(limit).await;
        }
        Ok(ColumnarValue::Array(ScalarValue::from("").to_array_of_size(rows)?))
    }
}
