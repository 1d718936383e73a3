//! The lake: publisher files in, versioned Parquet out.
