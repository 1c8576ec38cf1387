//! Ports: what the domain asks of the world. Adapters implement them; nothing here does any I/O.
//!
//! To add a repository: put its entity, its `…Queries` and its `…Repository` trait into a file named for the noun;
//! add both to [`store::ReadUnit`] and [`store::UnitOfWork`]; give each promise in their documentation a case of the
//! same name in the contract suite; implement them in the in-memory store and in `crm-diesel`. Look-ups answer
//! `Option`, collisions that are to be expected are outcomes, methods borrow their arguments because a unit of work may
//! run twice, and whoever needs the time gets it passed.

pub mod backup_shelf;
pub mod bell;
pub mod blob_places;
pub mod blobs;
pub mod bulk;
pub mod callbacks;
pub mod connector;
pub mod erased;
pub mod files;
pub mod host;
pub mod messenger;
pub mod one_time_codes;
pub mod profiles;
pub mod quarantine;
pub mod seals;
pub mod spool;
pub mod store;
pub mod store_admin;
pub mod tokens;
pub mod vault;
