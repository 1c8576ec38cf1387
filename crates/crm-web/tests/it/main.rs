//! The server from outside: the real program on a free port, `SQLite` in a temporary folder, the LINE WORKS simulator
//! over real HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test may say so by panicking"
)]
#![expect(unreachable_pub, reason = "tests are nobody's library")]

mod access;
mod activities;
mod administration;
mod api;
mod api_writes;
mod attacks;
mod audit;
mod audit_in_browser;
mod away;
mod board;
mod board_in_browser;
mod callbacks;
mod companies;
mod connections;
mod customers;
mod daily_backups;
mod demo;
mod durability;
mod erasing;
mod factors;
mod fault_table;
mod files;
mod forgery;
mod harness;
mod health;
mod in_browser;
mod instances;
mod keys;
mod limits;
mod line_works;
mod line_works_in_browser;
mod live_events;
mod live_talk;
mod members;
mod metrics;
mod people_in_browser;
mod profiles;
mod quarantine;
mod quiet_log;
mod replica;
mod request_ids;
mod resends;
mod restored;
mod routes;
mod searches;
mod searches_in_browser;
mod sends;
mod sends_in_browser;
mod sessions;
mod setup;
mod sign_in;
mod start;
mod stopping;
mod teams;
mod teamwork;
mod teamwork_in_browser;
mod tls;
mod tokens;
mod traces;
mod trash;
mod two_windows;
mod unknown_senders;
mod waiting_start;
