//! Measures of flows as SQL functions.
