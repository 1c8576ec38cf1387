//! Rows, schema and queries: one source, compiled once per database
