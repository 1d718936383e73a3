//! stub
use crate::error::Result; use crate::read::Limits;
/// t
pub struct Table;
/// r
pub fn read_table(_b:&[u8],_f:&str,_l:&Limits)->Result<Table>{Err(crate::Error::Usage("stub".into()))}
impl Table{ /// t
pub fn to_record_batch(&self)->Result<arrow::array::RecordBatch>{Err(crate::Error::Usage("stub".into()))} /// r
pub fn report(&self)->Vec<String>{vec![]} }
