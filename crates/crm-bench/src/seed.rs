//! Filling databases: ours, and the same rows in the shape of the proof of concept.

use std::path::Path;

use anyhow::{Context as _, ensure};
use crm_domain::ports::host::Clock as _;
use crm_domain::ports::store_admin::StoreAdmin as _;
use crm_host::SystemClock;
use crm_samples::{Crowd, fill_crowd};
use crm_sqlite::{SqliteOptions, SqliteStore};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::Size;
use crate::server::BOT_ID;

/// Makes a database with the crowd in it; refuses to touch one that exists.
pub(crate) async fn fill(file: &Path, size: Size) -> anyhow::Result<()> {
    ensure!(!file.exists(), "{} exists already", file.display());
    let store = SqliteStore::open(SqliteOptions {
        path: file.to_owned(),
        readers: 1,
        create: true,
    })?;
    store.migrate().await?;
    let crowd = Crowd {
        bot: BOT_ID.to_owned(),
        customers: size.customers as u64,
        activities: size.activities as u64,
        until: SystemClock.now(),
    };
    fill_crowd(&store, &crowd, |_| ()).await?;
    Ok(())
}

/// The same companies, customers and messages in the tables and indexes of the proof of concept.
pub(crate) fn copy_for_peer(ours: &Path, theirs: &Path) -> anyhow::Result<()> {
    let mut connection = SqliteConnection::establish(&theirs.to_string_lossy())?;
    let ours = ours.to_string_lossy().replace('\'', "''");
    connection
        .batch_execute(&format!("ATTACH '{ours}' AS ours;{PEER_SCHEMA}"))
        .context("the peer's database")?;
    Ok(())
}

const PEER_SCHEMA: &str = "
PRAGMA journal_mode = WAL;
CREATE TABLE companies (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, address TEXT, phone TEXT, website TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  email TEXT, phone TEXT, line_user_id TEXT, company_id INTEGER, FOREIGN KEY (company_id) REFERENCES companies (id));
CREATE TABLE activities (id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL, message TEXT NOT NULL,
  timestamp DATETIME NOT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id));
BEGIN;
INSERT INTO companies SELECT id, name, address, phone, website FROM ours.companies;
INSERT INTO customers SELECT id, first_name, last_name, email, phone, line_user_id, company_id FROM ours.customers;
INSERT INTO activities SELECT id, customer_id,
  CASE direction WHEN 'sent' THEN '[送信] ' ELSE '' END || message, substr(timestamp, 1, 19) FROM ours.activities;
CREATE INDEX ix_line ON customers(line_user_id);
CREATE INDEX ix_cust ON activities(customer_id);
CREATE INDEX ix_time ON activities(timestamp);
COMMIT;";
