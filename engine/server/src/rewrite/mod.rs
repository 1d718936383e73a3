//! stub
use envoi::sqlparser::ast::Statement;
pub(crate) fn rewrite(_: &mut Statement) -> Result<(), String> { Ok(()) }
