//! Arguments of measures by name: `gini(y, corrected => true)` without the weight in between.
//!
//! DataFusion takes names too, but only if no argument before the named one is left
//! out. So named arguments are put in their places here, with NULL, which the measures
//! read as "the default", in the places between.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, VisitorMut,
};

use crate::error::Error;

/// The parameters of each measure in their order.
static PARAMETERS: LazyLock<HashMap<String, Vec<String>>> =
    LazyLock::new(|| envoi_functions::all_named().into_iter().collect());

/// Puts named arguments in their places.
pub(super) struct NamedArguments;

impl VisitorMut for NamedArguments {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Expr::Function(function) = expr
            && let Err(error) = place(function)
        {
            return ControlFlow::Break(error);
        }
        ControlFlow::Continue(())
    }
}

fn place(function: &mut Function) -> Result<(), Error> {
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    if !list.args.iter().any(|a| name_of(a).is_some()) {
        return Ok(());
    }
    let called = function.name.to_string().to_lowercase();
    let Some(parameters) = PARAMETERS.get(&called) else { return Ok(()) };
    let wrong = |why: String| Err(Error::user(format!("`{called}` {why}")));
    let mut placed: Vec<Option<FunctionArgExpr>> = vec![None; parameters.len()];
    for (place, argument) in std::mem::take(&mut list.args).into_iter().enumerate() {
        let name = name_of(&argument);
        let place = match &name {
            Some(name) => parameters.iter().position(|p| p == name),
            None => Some(place),
        };
        let Some(slot) = place.and_then(|p| placed.get_mut(p)) else {
            let what = name.map_or_else(|| "an argument more".to_owned(), |n| format!("`{n}`"));
            return wrong(format!("has no argument for {what}; its arguments are {}", parameters.join(", ")));
        };
        if slot.is_some() {
            return wrong(format!("got the argument `{}` twice", name.unwrap_or_default()));
        }
        *slot = Some(match argument {
            FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } => arg,
        });
    }
    while placed.last().is_some_and(Option::is_none) {
        placed.pop();
    }
    let default = || FunctionArgExpr::Expr(Expr::value(Value::Null));
    list.args = placed.into_iter().map(|a| FunctionArg::Unnamed(a.unwrap_or_else(default))).collect();
    Ok(())
}

fn name_of(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Named { name, .. } => Some(name.value.to_lowercase()),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), .. } => Some(name.value.to_lowercase()),
        _ => None,
    }
}
