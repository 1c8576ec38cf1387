//! What was asked and answered against what is there: every trial ends with this comparison.

pub(crate) mod check;
pub(crate) mod ledger;
