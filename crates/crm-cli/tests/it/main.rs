//! Drives the real `crm` as an operator does.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod audit;
mod backup_contents;
mod backups;
mod companies;
mod config;
mod connection;
mod customers;
mod databases;
mod desk;
mod doctor;
mod keys;
mod members;
mod messages;
mod misuse;
mod poc;
mod poc_file;
mod privacy;
mod restoring;
mod sessions;
mod tables;
mod terminal;
mod upgrades;
mod users;
mod webhook;
