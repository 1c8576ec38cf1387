#![doc = include_str!("../README.md")]

pub mod api;
pub mod assets;
pub mod auth;
mod csv;
pub mod demo;
pub mod flood;
pub mod format;
pub mod forms;
pub mod health;
pub mod i18n;
pub mod links;
pub mod live;
pub mod message_html;
pub mod page;
pub mod pages;
mod pieces;
pub mod problem;
pub mod qr;
pub mod routes;
pub mod sentence;
pub mod server;
pub mod state;
pub mod templates;
pub mod views;
pub mod webhook;
pub mod workers;
