//! The pages, the JSON API and the callback endpoint

pub mod assets;
pub mod format;
pub mod forms;
pub mod i18n;
pub mod links;
pub mod page;
pub mod sentence;
pub mod templates;
pub mod views;
