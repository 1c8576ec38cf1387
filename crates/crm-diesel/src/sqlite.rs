//! The queries for SQLite.

/// The connection they run on.
pub type Conn = diesel::SqliteConnection;
/// Diesel's name for the database.
pub type Backend = diesel::sqlite::Sqlite;

mod dialect;
mod words;

#[path = "queries/access_tokens.rs"]
mod access_tokens;
#[path = "queries/activities.rs"]
mod activities;
#[path = "queries/attachments.rs"]
mod attachments;
#[path = "queries/audit.rs"]
mod audit;
#[path = "queries/backlog.rs"]
mod backlog;
#[path = "queries/backups.rs"]
mod backups;
#[path = "queries/board.rs"]
mod board;
#[path = "queries/companies.rs"]
mod companies;
#[path = "queries/connection.rs"]
mod connection;
#[path = "queries/conversations.rs"]
mod conversations;
#[path = "queries/credentials.rs"]
mod credentials;
#[path = "queries/customers.rs"]
mod customers;
#[path = "queries/customers_found.rs"]
mod customers_found;
#[path = "queries/data_keys.rs"]
mod data_keys;
#[path = "queries/dossiers.rs"]
mod dossiers;
#[path = "queries/drafts.rs"]
mod drafts;
#[path = "queries/erased_list.rs"]
mod erased_list;
#[path = "queries/erasing.rs"]
mod erasing;
#[path = "queries/erasures.rs"]
mod erasures;
#[path = "queries/events.rs"]
mod events;
#[path = "queries/factors.rs"]
mod factors;
#[path = "queries/forget.rs"]
mod forget;
#[path = "queries/holdings.rs"]
mod holdings;
#[path = "queries/idempotency.rs"]
mod idempotency;
#[path = "queries/imports.rs"]
mod imports;
#[path = "queries/inserted.rs"]
mod inserted;
#[path = "queries/leases.rs"]
mod leases;
#[path = "queries/members.rs"]
mod members;
#[path = "queries/migrations.rs"]
pub mod migrations;
#[path = "queries/notes.rs"]
mod notes;
#[path = "queries/operations.rs"]
mod operations;
#[path = "queries/readings.rs"]
mod readings;
#[path = "queries/reads.rs"]
mod reads;
#[path = "queries/receipts.rs"]
mod receipts;
#[path = "queries/received.rs"]
mod received;
#[path = "queries/retention.rs"]
mod retention;
#[path = "queries/searches.rs"]
mod searches;
#[path = "queries/send_budgets.rs"]
mod send_budgets;
#[path = "queries/senders.rs"]
mod senders;
#[path = "queries/sends.rs"]
mod sends;
#[path = "queries/shared_counts.rs"]
mod shared_counts;
#[path = "queries/standings.rs"]
mod standings;
#[path = "queries/talks.rs"]
mod talks;
#[path = "queries/teams.rs"]
mod teams;
#[path = "queries/trash.rs"]
mod trash;
#[path = "queries/uow.rs"]
mod uow;
#[path = "queries/waitings.rs"]
mod waitings;

pub use dialect::has_table;
pub use uow::Uow;
