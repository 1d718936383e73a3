//! What a measure is.

use std::fmt::Debug;

use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_doc::{DocSection, Documentation};
use datafusion_expr::{Accumulator, GroupsAccumulator};

use super::{Given, Rows, Shape, Sink};

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// A number a row; finite or NULL, and NULL leaves the row out.
    Number,
    /// A number a row, of which NULLs are counted: NaN in the kernel's column.
    Nullable,
    /// Yes or no a row, as a boolean or as 1 and 0; NULL leaves the row out.
    Truth,
    /// The weight: 0 or more; NULL and 0 leave the row out.
    Weight,
    /// A poverty line: a number a row or a value of `relative`.
    Line,
    /// What names a stratum or a sampling unit: an integer or a text. Two columns in the kernel.
    Key,
    /// A struct of numbers, or of yes and no as 1 and 0, each a column.
    Sources,
    /// A number of the whole call.
    Constant,
    /// A number or a list of numbers of the whole call.
    Constants,
    /// Yes or no, of the whole call.
    Flag,
    /// One of some words, of the whole call.
    Choice(&'static [&'static str]),
}

/// An argument of a measure.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Left out or a literal NULL: its default holds.
    pub(crate) optional: bool,
    pub(crate) text: &'static str,
}

/// A number a row.
pub(crate) const fn number(name: &'static str, text: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Number, optional: false, text }
}

/// A number of the whole call.
pub(crate) const fn constant(name: &'static str, text: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Constant, optional: false, text }
}

/// The weight, as most measures have it.
pub(crate) const fn weight() -> Parameter {
    let text = "Weight, 0 or more; 1 if left out. For shares of persons: household weight times household size.";
    option("w", Kind::Weight, text)
}

/// Yes or no, no by default.
pub(crate) const fn flag(name: &'static str, text: &'static str) -> Parameter {
    option(name, Kind::Flag, text)
}

/// An argument that may be left out.
pub(crate) const fn option(name: &'static str, kind: Kind, text: &'static str) -> Parameter {
    Parameter { name, kind, optional: true, text }
}

/// What users read.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) section: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) description: &'static str,
    pub(crate) example: &'static str,
}

/// How a measure is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// From all rows of a group.
    Rows(fn(&Given) -> Result<Box<dyn Kernel>>),
    /// From so many sums.
    Sums(usize, fn(&Given) -> Result<Box<dyn Sums>>),
    /// From so many sums, or from all rows where the poverty line is relative.
    Line(usize, fn(&Given) -> Result<Box<dyn Sums>>, fn(&Given) -> Result<Box<dyn Kernel>>),
    /// From values and weights of buckets, in ascending order: of one number a row and its weight.
    Sketch(fn(&[f64], &[f64]) -> Option<f64>),
    /// By accumulators of its own.
    Own(&'static dyn Own),
}

/// An aggregate function.
#[derive(Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// What it gives, by the types of its arguments.
    pub(crate) shape: fn(&[DataType]) -> Shape,
    pub(crate) work: Work,
    pub(crate) text: Text,
}

/// Computes a measure from the rows of a group.
pub(crate) trait Kernel: Debug + Send + Sync {
    /// Puts one result into the sink.
    fn compute(&self, rows: &Rows<'_>, sink: &mut Sink) -> Result<()>;
}

/// Makes the accumulators of a measure that keeps its rows in a way of its own.
pub(crate) trait Own: Debug + Sync {
    /// The types of its states.
    fn states(&self) -> Vec<DataType>;
    /// For one group, or a window.
    fn single(&self, given: &Given) -> Result<Box<dyn Accumulator>>;
    /// For many groups.
    fn groups(&self, given: &Given) -> Result<Box<dyn GroupsAccumulator>>;
}

/// Computes a measure from sums over the rows of a group.
pub(crate) trait Sums: Debug + Send + Sync {
    /// What each row adds to each sum.
    fn terms(&self, rows: &Rows<'_>, terms: &mut [Vec<f64>]) -> Result<()>;
    /// Puts one result into the sink.
    fn finish(&self, sums: &[f64], sink: &mut Sink) -> Result<()>;
}

impl Measure {
    /// Whether the answer is made of sums, and of how many.
    pub(crate) fn sums(&self, types: &[DataType], distinct: bool) -> Option<usize> {
        match self.work {
            _ if distinct => None,
            Work::Rows(_) | Work::Sketch(_) | Work::Own(_) => None,
            Work::Sums(width, _) => Some(width),
            Work::Line(width, ..) => (!self.relative(types)).then_some(width),
        }
    }

    /// Whether the poverty line is relative.
    pub(crate) fn relative(&self, types: &[DataType]) -> bool {
        let lines = self.parameters.iter().zip(types).filter(|(p, _)| p.kind == Kind::Line);
        lines.into_iter().any(|(_, t)| matches!(t, DataType::Struct(_)))
    }

    /// The types that the arguments are cast to.
    pub(crate) fn coerced(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let least = self.parameters.iter().filter(|p| !p.optional).count();
        if types.len() < least || types.len() > self.parameters.len() {
            return plan_err!(
                "`{}` takes {} arguments; call it as `{}`",
                self.name,
                self.counts(least),
                self.text.syntax
            );
        }
        self.parameters.iter().zip(types).map(|(p, t)| self.coerced_argument(p, t)).collect()
    }

    fn counts(&self, least: usize) -> String {
        let most = self.parameters.len();
        if least == most { most.to_string() } else { format!("{least} to {most}") }
    }

    fn coerced_argument(&self, parameter: &Parameter, given: &DataType) -> Result<DataType> {
        let number = given.is_numeric().then_some(DataType::Float64);
        let fits = match parameter.kind {
            _ if given.is_null() && parameter.optional => Some(DataType::Null),
            Kind::Number | Kind::Nullable | Kind::Weight | Kind::Constant if given.is_null() => Some(DataType::Float64),
            Kind::Number | Kind::Nullable | Kind::Weight | Kind::Constant => number,
            Kind::Truth if given.is_null() || *given == DataType::Boolean => Some(DataType::Float64),
            Kind::Truth => number,
            Kind::Line if matches!(given, DataType::Struct(_)) => Some(given.clone()),
            Kind::Line if given.is_null() => Some(DataType::Float64),
            Kind::Line => number,
            Kind::Key => match given {
                DataType::UInt64 => Some(DataType::Utf8View),
                t if t.is_integer() => Some(DataType::Int64),
                t if t.is_nested() => None,
                _ => Some(DataType::Utf8View),
            },
            Kind::Sources => match given {
                DataType::Struct(fields) if fields.iter().all(|f| counts(f.data_type())) => Some(given.clone()),
                _ => None,
            },
            Kind::Constants => match given {
                DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                    if item.data_type().is_numeric() =>
                {
                    Some(DataType::new_list(DataType::Float64, true))
                }
                _ => number,
            },
            Kind::Flag => (*given == DataType::Boolean).then_some(DataType::Boolean),
            Kind::Choice(_) => given.is_string().then_some(DataType::Utf8),
        };
        match fits {
            Some(data_type) => Ok(data_type),
            None => plan_err!(
                "`{}` takes {} as `{}`, not {given}; call it as `{}`",
                self.name,
                parameter.kind.wanted(),
                parameter.name,
                self.text.syntax
            ),
        }
    }

    /// What the reference and `envoi functions` say.
    pub(crate) fn documentation(&self) -> Documentation {
        let section = DocSection { include: true, label: self.text.section, description: None };
        let mut documentation = Documentation::builder(section, self.text.description, self.text.syntax)
            .with_sql_example(format!("```sql\n{}\n```", self.text.example));
        for parameter in self.parameters {
            documentation = documentation.with_argument(parameter.name, parameter.text);
        }
        documentation.build()
    }
}

/// Whether a field of a struct is a number, or yes and no.
fn counts(data_type: &DataType) -> bool {
    data_type.is_numeric() || *data_type == DataType::Boolean
}

impl Kind {
    fn wanted(self) -> String {
        match self {
            Self::Number | Self::Nullable | Self::Weight => "numbers".to_owned(),
            Self::Truth => "true and false, or 1 and 0,".to_owned(),
            Self::Line => "a number or `relative(share, statistic)`".to_owned(),
            Self::Key => "integers or texts".to_owned(),
            Self::Sources => "a struct of numbers".to_owned(),
            Self::Constant => "a number".to_owned(),
            Self::Constants => "a number or a list of numbers".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" or "),
        }
    }
}
