//! The types that a statement gives its parameters by casts: `$1::oid[]`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use envoi::sqlparser::ast::{Expr, Statement, Value, Visit, Visitor};

use crate::functions::find_type;

/// Oids of the types of parameters that are cast, by their numbers from 1. Ask before [`super::rewrite`]: the engine
/// itself takes no type of a parameter from its cast.
///
/// A parameter that is cast twice has the type of the first cast, as in PostgreSQL.
pub(crate) fn parameter_types(statement: &Statement) -> BTreeMap<usize, u32> {
    let mut casts = Casts::default();
    let _ = statement.visit(&mut casts);
    casts.found
}

#[derive(Default)]
struct Casts {
    found: BTreeMap<usize, u32>,
}

impl Visitor for Casts {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr, data_type, .. } = expr
            && let Expr::Value(value) = expr.as_ref()
            && let Value::Placeholder(name) = &value.value
            && let Some(number) = name.strip_prefix('$').and_then(|n| n.parse().ok())
            && let Some(oid) = find_type(&data_type.to_string())
        {
            self.found.entry(number).or_insert(oid);
        }
        ControlFlow::Continue(())
    }
}
