//! What a number of a household is the sum of: who is told `sum(income)` and
//! `sum(income - remittance)` has been told `sum(remittance)`, so that is held to the rules too.
//!
//! Projections hide what a column was made of, so the terms go along as columns that nobody can name.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::logical_expr::{BinaryExpr, Case, Cast, Expr, Operator};

use super::class::shown;
use crate::error::{Error, Result};

/// Columns that are sums or differences, each with the columns of its terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Terms(Vec<(Column, Vec<Column>)>);

/// Terms of one number: a product of sums has many.
const MOST: usize = 24;

impl Terms {
    /// Notes the terms of a column.
    pub(super) fn add(&mut self, column: Column, terms: Vec<Column>) {
        self.0.push((column, terms));
    }

    /// The columns with terms, and these.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(Column, Vec<Column>)> {
        self.0.iter()
    }

    /// The terms of a column of that name.
    pub(super) fn get(&self, column: &Column) -> Option<&[Column]> {
        self.0.iter().find(|(known, _)| known == column).map(|(_, terms)| terms.as_slice())
    }

    /// The same under another name of the table.
    pub(super) fn requalified(&self, table: &TableReference) -> Self {
        let named = |column: &Column| Column::new(Some(table.clone()), column.name.clone());
        Self(self.0.iter().map(|(c, terms)| (named(c), terms.iter().map(named).collect())).collect())
    }

    /// What else is told with an expression, because it is a sum: its terms. Empty for what is none.
    ///
    /// # Errors
    /// There are too many of them.
    pub(super) fn told(&self, expr: &Expr) -> Result<Vec<Expr>> {
        let found = self.of(expr);
        if found.len() > MOST {
            let what = format!("households are not shown one by one: `{}` is a sum of too many terms", shown(expr));
            return Err(Error::user(what).with_hint(format!("up to {MOST} are looked at; add up fewer")));
        }
        Ok(if matches!(found.as_slice(), [one] if one == bare(expr)) { Vec::new() } else { found })
    }

    /// What an expression is the sum of, signs aside; itself where that is not known.
    fn of(&self, expr: &Expr) -> Vec<Expr> {
        let mut found = self.apart(expr);
        // One more than there may be tells that there are too many.
        found.truncate(MOST + 1);
        if found.is_empty() { vec![expr.clone()] } else { found }
    }

    fn apart(&self, expr: &Expr) -> Vec<Expr> {
        let each = |inner: &Expr, with: &dyn Fn(Expr) -> Expr| self.of(inner).into_iter().map(with).collect();
        match expr {
            Expr::Column(column) => {
                self.get(column).into_iter().flatten().map(|term| Expr::Column(term.clone())).collect()
            }
            Expr::Alias(alias) => self.of(&alias.expr),
            Expr::Negative(inner) => self.of(inner),
            Expr::Cast(cast) => {
                each(&cast.expr, &|term| Expr::Cast(Cast { expr: Box::new(term), field: Arc::clone(&cast.field) }))
            }
            Expr::TryCast(cast) => {
                each(&cast.expr, &|term| Expr::Cast(Cast { expr: Box::new(term), field: Arc::clone(&cast.field) }))
            }
            Expr::Case(case) => self.branches(case),
            Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
                // Who is left out of a term by a NULL is left out of the sum.
                ("coalesce" | "nullif", [inner, Expr::Literal(..)]) => self.of(inner),
                // Two curves of a sum and of a part of it are two equations for the rest.
                ("sqrt" | "ln" | "log10", [inner]) => {
                    let terms = self.of(inner);
                    if matches!(terms.as_slice(), [one] if one == bare(inner)) { Vec::new() } else { terms }
                }
                ("struct" | "named_struct", fields) => {
                    fields.iter().filter(|field| !matches!(field, Expr::Literal(..))).flat_map(|f| self.of(f)).collect()
                }
                _ => Vec::new(),
            },
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let binary = |l: Expr, r: Expr| Expr::BinaryExpr(BinaryExpr::new(Box::new(l), *op, Box::new(r)));
                match op {
                    // A constant is a count.
                    Operator::Plus | Operator::Minus => {
                        let both = self.of(left).into_iter().chain(self.of(right));
                        both.filter(|term| !matches!(term, Expr::Literal(..))).collect()
                    }
                    Operator::Multiply => {
                        let right = self.of(right);
                        let pairs =
                            |l: Expr| right.iter().map(move |r| binary(l.clone(), r.clone())).collect::<Vec<_>>();
                        self.of(left).into_iter().take(MOST + 1).flat_map(pairs).collect()
                    }
                    Operator::Divide => {
                        let below = self.of(right);
                        let below = below.into_iter().filter(|term| term != bare(right));
                        let above = self.of(left).into_iter().map(|term| binary(term, right.as_ref().clone()));
                        above.chain(below).collect()
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// The terms of every branch, for those who are in it.
    fn branches(&self, case: &Case) -> Vec<Expr> {
        let branches = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
        let mut found = Vec::new();
        for (place, branch) in branches.enumerate() {
            for term in self.of(branch).into_iter().filter(|term| !matches!(term, Expr::Literal(..))) {
                let none = || Box::new(Expr::Literal(ScalarValue::Null, None));
                let then = |(at, (when, _)): (usize, &(Box<Expr>, Box<Expr>))| {
                    (when.clone(), if at == place { Box::new(term.clone()) } else { none() })
                };
                let when_then_expr = case.when_then_expr.iter().enumerate().map(then).collect::<Vec<_>>();
                let otherwise = (place == when_then_expr.len()).then(|| Box::new(term.clone()));
                found.push(Expr::Case(Case::new(case.expr.clone(), when_then_expr, otherwise)));
            }
        }
        found
    }
}

/// An expression without names and signs.
fn bare(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Alias(alias) => &alias.expr,
            Expr::Negative(inner) => inner,
            other => return other,
        };
    }
}

/// A column that has no such term.
pub(super) fn none(data_type: &DataType) -> Expr {
    Expr::Literal(ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null), None)
}
