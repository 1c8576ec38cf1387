//! Requests as bytes, ready to be sent.

use crm_lineworks_sim::callbacks;
use time::OffsetDateTime;

/// The raw body of a text callback.
pub fn callback_of(user: &str, text: &str, at: OffsetDateTime) -> Vec<u8> {
    callbacks::text(user, text).body(40_000_001, at)
}

/// A signed callback of the simulated tenant's bot.
pub fn callback(body: &[u8]) -> Vec<u8> {
    let config = crm_lineworks_sim::SimulatorConfig::default();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=UTF-8\r\n\
         X-WORKS-BotId: {}\r\nX-WORKS-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        config.bot_id,
        callbacks::sign(&config.bot_secret, body),
        body.len(),
    );
    [head.as_bytes(), body].concat()
}

/// A message to a customer, under a key, by a program with this token. Text and key are plain ASCII words.
pub fn send(token: &str, customer: i64, text: &str, key: &str) -> Vec<u8> {
    let body = format!("message={text}&key={key}");
    format!(
        "POST /customer/{customer}/send HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len(),
    )
    .into_bytes()
}
