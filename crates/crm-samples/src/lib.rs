//! Believable Japanese data for the demo and for measuring
