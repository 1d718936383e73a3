//! Constants that would be in every row: `select repeat('x', 60000000) from t` has as much in a batch as there are rows.

use datafusion::arrow::array::Array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use crate::error::{Class, Error};

/// Bytes that a constant may have whatever the number of rows.
const SMALL: usize = 128 << 10;
/// Bytes that all its copies may have where that number is known.
const COPIES: usize = 256 << 20;

/// Refuses plans that make many copies of a large constant.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Projection(Projection { expr, input, .. }) = node {
            for constant in expr {
                let Expr::Literal(value, _) = constant.clone().unalias() else { continue };
                let size = size(&value);
                let copies = input.max_rows().map_or(usize::MAX, |rows| rows.saturating_mul(size));
                if size > SMALL && copies > COPIES {
                    let what = format!("a constant of {} KiB would be in every row", size >> 10);
                    let error = Error::new(Class::Resource, what).with_state("54000");
                    return Err(error.with_hint(format!("it may have {} KiB, or few rows", SMALL >> 10)).into());
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn size(value: &ScalarValue) -> usize {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            text.len()
        }
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes)) => bytes.len(),
        ScalarValue::List(list) => list.get_buffer_memory_size(),
        _ => 0,
    }
}
