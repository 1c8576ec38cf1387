//! Posting callbacks to the CRM.

use crate::callbacks::{Delivery, Event, Signing, sign};
use crate::error::SimError;
use crate::state::Shared;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than any answer should take, so that a slow one is seen and not cut.
const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_LIMIT: u64 = 64 * 1024;

/// The client that posts callbacks: no proxy, no redirects, every status an answer.
#[derive(Clone)]
pub(crate) struct Deliverer(ureq::Agent);

impl Deliverer {
    pub(crate) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        Self(ureq::Agent::new_with_config(config))
    }
}

/// Posts `body` to the callback URL, off the asynchronous threads.
pub(crate) async fn post(
    shared: &Arc<Shared>,
    body: Vec<u8>,
    signing: &Signing,
) -> Result<Delivery, SimError> {
    let bot = shared.lock().bot.clone();
    if !bot.callback_enabled || bot.callback_url.is_empty() {
        return Err(SimError::NoCallbackUrl);
    }
    let url = bot.callback_url;
    let bot_id = shared.config.bot_id.clone();
    let signature = signature(&shared.config.bot_secret, &body, signing);
    let agent = shared.deliverer.0.clone();
    tokio::task::spawn_blocking(move || exchange(&agent, &url, &bot_id, signature.as_deref(), &body))
        .await
        .map_err(|_| SimError::Internal("the delivery was ended"))?
}

pub(crate) async fn deliver(
    shared: &Arc<Shared>,
    event: &Event,
    signing: &Signing,
) -> Result<Delivery, SimError> {
    follow(shared, event);
    let body = event.body(shared.config.domain_id, shared.next_issue());
    post(shared, body, signing).await
}

/// What an event means for the service itself.
fn follow(shared: &Shared, event: &Event) {
    let Some(channel) = event.channel_id() else { return };
    match event.kind() {
        "leave" => {
            shared.lock().lost_channels.insert(channel.to_owned());
        }
        "join" | "begin" => {
            shared.lock().lost_channels.remove(channel);
        }
        _ => {}
    }
}

fn signature(secret: &str, body: &[u8], signing: &Signing) -> Option<String> {
    match signing {
        Signing::Right => Some(sign(secret, body)),
        Signing::Wrong => Some(sign(&format!("{secret}-not"), body)),
        Signing::Missing => None,
        Signing::Text(text) => Some(text.clone()),
    }
}

fn exchange(
    agent: &ureq::Agent,
    url: &str,
    bot_id: &str,
    signature: Option<&str>,
    body: &[u8],
) -> Result<Delivery, SimError> {
    let failed = |error: ureq::Error| SimError::NotDelivered(error.to_string());
    let mut request = agent
        .post(url)
        .header("Content-Type", "application/json; charset=UTF-8")
        .header("X-WORKS-BotId", bot_id);
    if let Some(signature) = signature {
        request = request.header("X-WORKS-Signature", signature);
    }
    let started = Instant::now();
    let mut answer = request.send(body).map_err(failed)?;
    let status = answer.status().as_u16();
    let mut text = Vec::new();
    let reader = answer.body_mut().as_reader();
    // The status is the answer; what comes of the body is a help for people only.
    let _ = std::io::Read::read_to_end(&mut std::io::Read::take(reader, ANSWER_LIMIT), &mut text);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Delivery {
        status,
        millis,
        body: String::from_utf8_lossy(&text).into_owned(),
    })
}
