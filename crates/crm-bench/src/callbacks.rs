//! Signed callbacks, no two alike.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::server::BOT_ID;

/// Makes text callbacks of the seeded customers, in turn.
pub(crate) struct Callbacks {
    key: hmac::Key,
    customers: u64,
    next: AtomicU64,
}

impl Callbacks {
    pub(crate) fn new(secret: &str, customers: usize) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self {
            key,
            customers: customers.max(1) as u64,
            next: AtomicU64::new(0),
        }
    }

    /// Writes one whole request into `out`, which is emptied first.
    pub(crate) fn request(&self, out: &mut String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = self.body(number);
        let signature = STANDARD.encode(hmac::sign(&self.key, body.as_bytes()));
        out.clear();
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=UTF-8\r\n\
             X-WORKS-BotId: {BOT_ID}\r\nX-WORKS-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        );
    }

    fn body(&self, number: u64) -> String {
        let millis = number % 1_000;
        let seconds = (number / 1_000) % 60;
        let minutes = (number / 60_000) % 60;
        let user = crm_samples::user_id(number % self.customers);
        format!(
            "{{\"type\":\"message\",\"source\":{{\"userId\":\"{user}\",\"domainId\":400000001}},\
             \"issuedTime\":\"2026-11-22T03:{minutes:02}:{seconds:02}.{millis:03}Z\",\
             \"content\":{{\"type\":\"text\",\"text\":\"納期の確認をお願いします {number}\"}}}}"
        )
    }
}
