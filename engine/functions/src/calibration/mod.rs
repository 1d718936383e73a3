//! Weights of a survey that meet known totals and stay near those of its design.
//!
//! Deming and Stephan (1940), Deville and Särndal (1992): the new weight of household i
//! is d_i g_i with g_i = F(x_i'λ), x_i what it adds to each total, and λ such that
//! Σ d g x are the totals. That λ is the minimum of Σ d G(x'λ) - t'λ with G' = F, a convex
//! function, which Newton's method finds with halved steps. Raking by turns to the margins
//! has the same solution (F = exp) and needs many more passes for it.
//!
//! ```text
//! Constraints   what must be met: margins by category, totals of variables
//! Sample        the households: weight, category in each margin, variables
//! Fit           one step at a time, so that a caller can stop in between
//! Fitted        g of every row, and the report
//! ```

mod constraints;
mod distance;
mod fit;
mod sample;
#[cfg(test)]
mod tests;

pub use constraints::{Constraint, Constraints, Margin};
pub use distance::Distance;
pub use fit::{Fit, Fitted};
pub use sample::Sample;

/// Why a table cannot be computed, as the words after the function's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// A number for people: without the digits that rounding left, and of any size in a few.
fn shown(number: f64) -> String {
    let number = format!("{number:.9e}").parse().unwrap_or(number);
    if number == 0.0 || (1e-4..1e15).contains(&number.abs()) { number.to_string() } else { format!("{number:e}") }
}
