//! Calls that are others to the engine below: clocks, and `percentile_disc`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value, VisitorMut,
    visit_expressions,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// Puts the others in their place.
pub(super) struct Calls;

impl VisitorMut for Calls {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        let [name] = call.name.0.as_slice() else { return ControlFlow::Continue(()) };
        let name = name.as_ident().map(|name| name.value.to_lowercase());
        match name.as_deref() {
            // A statement is all of a transaction, and has one time.
            Some("clock_timestamp" | "statement_timestamp" | "transaction_timestamp") => {
                call.name = ObjectName::from(Ident::new("now"));
            }
            Some("percentile_disc") => match ranked(call) {
                Ok(Some(value)) => *expr = value,
                Ok(None) => {}
                Err(error) => return ControlFlow::Break(error),
            },
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn has_another(expr: &Expr) -> bool {
    let another = |expr: &Expr| match expr {
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("percentile_disc") => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    visit_expressions(expr, another).is_break()
}

/// The first value in order that so large a share of all comes up to: of the values in their order, the one of that
/// place.
fn ranked(call: &Function) -> Result<Option<Expr>> {
    let (FunctionArguments::List(list), [order]) = (&call.args, call.within_group.as_slice()) else { return Ok(None) };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(share))] = list.args.as_slice() else { return Ok(None) };
    if let Expr::Value(number) = share
        && let Value::Number(text, _) = &number.value
        && !text.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share))
    {
        let wrong = format!("`percentile_disc` got {text}; expected a share from 0 to 1");
        return Err(Error::user(wrong).with_state("22003"));
    }
    // What is aggregated is written several times, and would be again for each one within.
    let parts = std::iter::once(&order.expr).chain(call.filter.as_deref()).chain([share]);
    if parts.into_iter().any(has_another) {
        return Err(Error::user("`percentile_disc` within `percentile_disc` is not supported").with_state("0A000"));
    }
    let value = &order.expr;
    let and = call.filter.as_ref().map(|filter| format!(" and ({filter})")).unwrap_or_default();
    let there = format!("filter (where ({value}) is not null{and})");
    let sql = format!(
        "array_element(array_agg({value} order by {order}) {there}, cast(greatest(ceil(({share}) * count(*) {there}), 1) as bigint))"
    );
    let parsed = Parser::new(&GenericDialect {}).try_with_sql(&sql).and_then(|mut parser| parser.parse_expr());
    parsed.map(Some).map_err(|e| Error::internal(e.to_string()))
}
