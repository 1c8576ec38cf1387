//! A database of the Python proof of concept, taken in as it is: no row is left behind, none is taken twice.

mod differ;
mod import;
mod mend;
mod origin;
mod report;
mod source;
mod times;

pub(crate) use import::{SENT, import};
pub(crate) use source::PocFile;
pub(crate) use times::read as read_time;
