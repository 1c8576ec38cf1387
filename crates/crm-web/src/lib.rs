//! The pages, the JSON API and the callback endpoint

pub mod api;
pub mod assets;
pub mod auth;
pub mod demo;
pub mod flood;
pub mod format;
pub mod forms;
pub mod health;
pub mod i18n;
pub mod links;
pub mod message_html;
pub mod page;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod sentence;
pub mod server;
pub mod state;
pub mod templates;
pub mod views;
pub mod webhook;
pub mod workers;
