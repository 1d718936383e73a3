//! What a number of a household is the sum of: who is told `sum(income)` and
//! `sum(income - remittance)` has been told `sum(remittance)`, so that is held to the rules too.
//!
//! Projections hide what a column was made of, so the terms go along as columns that nobody can name.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};

/// Columns that are sums or differences, each with the columns of its terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Terms(Vec<(Column, Vec<Column>)>);

/// Terms of one number: a product of sums has many.
const MOST: usize = 16;

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

    /// What an expression is the sum of, signs aside; the expression alone if that is not known.
    pub(super) fn of(&self, expr: &Expr) -> Vec<Expr> {
        let found = self.apart(expr);
        if found.is_empty() || found.len() > MOST { vec![expr.clone()] } else { found }
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
            // Who is left out of a term by a NULL is left out of the sum.
            Expr::ScalarFunction(call) if call.func.name() == "coalesce" => match call.args.as_slice() {
                [inner, Expr::Literal(..)] => self.of(inner),
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
                        self.of(left).into_iter().flat_map(pairs).collect()
                    }
                    Operator::Divide => each(left, &|term| binary(term, right.as_ref().clone())),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }
}

/// A column that has no such term.
pub(super) fn none(data_type: &DataType) -> Expr {
    Expr::Literal(ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null), None)
}
