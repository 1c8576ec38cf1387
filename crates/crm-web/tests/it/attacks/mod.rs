//! What somebody may try who means harm. Requests from elsewhere are in `forgery.rs` and `routes/`, planted sessions in
//! `sign_in.rs`, slow and oversized requests in `limits.rs`, headers against framing in `routes/headers.rs`.

mod forms;
mod injection;
mod redirects;
mod scripts;
