//! The use cases, told as stories on the in-memory store, on which every unit of work runs twice.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod attachments;
mod audit;
mod audit_coverage;
mod backups;
mod board;
mod carriers;
mod companies;
mod connection;
mod customers;
mod events;
mod factors;
mod handing_over;
mod handling;
mod housekeeping;
mod imports;
mod instances;
mod links;
mod members;
mod names;
mod permissions;
mod properties;
mod receiving;
mod recording;
mod repeating;
mod send_budget;
mod sending;
mod sending_again;
mod sending_failures;
mod sessions;
mod setup;
mod sight;
mod sign_in;
mod spooling;
mod tokens;
mod world;
