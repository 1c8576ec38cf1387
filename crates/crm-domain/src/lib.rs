#![doc = include_str!("../README.md")]

pub mod activities;
pub mod companies;
pub mod conversations;
pub mod customers;
pub mod error;
pub mod id;
pub mod imports;
pub mod instant;
pub mod members;
pub mod paging;
pub mod permissions;
pub mod ports;
pub mod receipts;
pub mod sends;
pub mod use_cases;
pub mod values;
