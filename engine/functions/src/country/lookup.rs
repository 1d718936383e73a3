//! The shape all country functions share: text in the first argument, looked up once a distinct value.

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::{Countries, Known};

/// Computes a column from the arguments' columns, all of one length.
type Compute = fn(&dyn Countries, &[ArrayRef]) -> Result<ArrayRef>;

/// One function.
#[derive(Debug)]
pub(super) struct Lookup {
    name: &'static str,
    known: Known,
    signature: Signature,
    returns: DataType,
    compute: Compute,
    documentation: Documentation,
}

/// The name says which function it is.
impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Lookup {}

impl Hash for Lookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// What the reference says of a function.
pub(super) struct Text {
    pub(super) description: &'static str,
    pub(super) syntax: &'static str,
    pub(super) example: &'static str,
    pub(super) arguments: &'static [(&'static str, &'static str)],
}

impl Lookup {
    /// A function that takes the first `least` to all of `arguments`.
    pub(super) fn new(
        name: &'static str,
        known: Known,
        arguments: &[DataType],
        least: usize,
        returns: DataType,
        compute: Compute,
        text: &Text,
    ) -> Self {
        let counts = (least..=arguments.len()).filter_map(|n| arguments.get(..n));
        let signature = Signature::one_of(
            counts.map(|types| TypeSignature::Exact(types.to_vec())).collect(),
            // The tables are part of the program.
            Volatility::Immutable,
        );
        let section = DocSection { include: true, label: "Economies", description: None };
        let mut documentation = Documentation::builder(section, text.description, text.syntax)
            .with_sql_example(format!("```sql\n{}\n```", text.example));
        for (argument, meaning) in text.arguments {
            documentation = documentation.with_argument(*argument, *meaning);
        }
        Self { name, known, signature, returns, compute, documentation: documentation.build() }
    }
}

impl ScalarUDFImpl for Lookup {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        crate::scalar::shaped(&args.args, (self.compute)((self.known)()?, &arrays)?)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The argument at a place as text.
pub(super) fn texts(arguments: &[ArrayRef], place: usize) -> Result<&StringViewArray> {
    match arguments.get(place).and_then(|a| a.as_string_view_opt()) {
        Some(texts) => Ok(texts),
        None => exec_err!("argument {} is to be text", place + 1),
    }
}

/// Looks up every distinct value once. NULL stays NULL.
pub(super) fn each_distinct<'a, K, T, F>(values: impl Iterator<Item = Option<K>>, mut look: F) -> Result<Vec<Option<T>>>
where
    K: Hash + Eq + Copy + 'a,
    T: Clone,
    F: FnMut(K) -> Result<Option<T>>,
{
    let mut seen: HashMap<K, Option<T>> = HashMap::new();
    values
        .map(|value| {
            let Some(value) = value else { return Ok(None) };
            if let Some(known) = seen.get(&value) {
                return Ok(known.clone());
            }
            let found = look(value)?;
            seen.insert(value, found.clone());
            Ok(found)
        })
        .collect()
}
