//! A running simulator with a clock that stands still, and a raw client.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crm_lineworks_sim::{SimClock, Simulator, SimulatorConfig, test_private_key_pem};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use time::OffsetDateTime;
use tokio::runtime::Runtime;

/// A member's id.
pub(crate) const ANNA: &str = "0b1c2d3e-0000-4000-8000-00000000000a";
/// 2025-04-01T00:00:00Z.
pub(crate) const START: i64 = 1_743_465_600;

pub(crate) struct World {
    pub(crate) sim: Simulator,
    pub(crate) runtime: Runtime,
    clock: Arc<AtomicI64>,
    agent: ureq::Agent,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and `code` (or `error`).
    pub(crate) fn verdict(&self) -> (u16, String) {
        if self.body.is_empty() {
            return (self.status, String::new());
        }
        let json = self.json();
        let code = json
            .get("code")
            .or_else(|| json.get("error"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        (self.status, code.to_owned())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = Arc::new(AtomicI64::new(START * 1000));
        let hands = Arc::clone(&clock);
        let now =
            move || OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(hands.load(Ordering::Relaxed));
        let mut config = SimulatorConfig {
            clock: SimClock::new(now),
            ..SimulatorConfig::default()
        };
        change(&mut config);
        let runtime = Runtime::new().unwrap();
        let sim = runtime.block_on(Simulator::start(config)).unwrap();
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(None)
                .timeout_global(Some(std::time::Duration::from_secs(10)))
                .build(),
        );
        Self {
            sim,
            runtime,
            clock,
            agent,
        }
    }

    pub(crate) fn pass(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let url = if url.starts_with("http") {
            url.to_owned()
        } else {
            format!("http://{}{url}", self.sim.addr())
        };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response
            .body_mut()
            .with_config()
            .limit(20_000_000)
            .read_to_vec()?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    pub(crate) fn get(&self, token: &str, url: &str) -> Answer {
        self.call("GET", url, &[("Authorization", &format!("Bearer {token}"))], None)
            .unwrap()
    }

    pub(crate) fn post_json(&self, token: &str, url: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.call("POST", url, &headers, Some(body.to_string().as_bytes()))
            .unwrap()
    }

    pub(crate) fn post_form(&self, fields: &[(&str, &str)]) -> Answer {
        self.post_raw_form(&encoded(fields), "application/x-www-form-urlencoded")
    }

    pub(crate) fn post_raw_form(&self, form: &str, content_type: &str) -> Answer {
        let headers = [("Content-Type", content_type)];
        self.call("POST", &self.sim.token_url(), &headers, Some(form.as_bytes()))
            .unwrap()
    }

    /// The claims of a good assertion.
    pub(crate) fn claims(&self) -> Value {
        let config = self.sim.config();
        let now = self.clock.load(Ordering::Relaxed) / 1000;
        json!({"iss": config.client_id, "sub": config.service_account, "iat": now, "exp": now + 600})
    }

    /// The fields of a good token request with these claims.
    pub(crate) fn token_fields(&self, assertion: &str) -> Vec<(&'static str, String)> {
        let config = self.sim.config();
        vec![
            ("assertion", assertion.to_owned()),
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
            ),
            ("client_id", config.client_id.clone()),
            ("client_secret", config.client_secret.clone()),
            ("scope", "bot".to_owned()),
        ]
    }

    pub(crate) fn ask_token(&self, fields: &[(&'static str, String)]) -> Answer {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.post_form(&fields)
    }

    /// A good token for these scopes.
    pub(crate) fn token_for(&self, scope: &str) -> String {
        let mut fields = self.token_fields(&assertion(&self.claims()));
        fields.retain(|(name, _)| *name != "scope");
        fields.push(("scope", scope.to_owned()));
        let answer = self.ask_token(&fields);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        self.token_for("bot")
    }

    pub(crate) fn messages_path(&self, user: &str) -> String {
        format!("/v1.0/bots/{}/users/{user}/messages", self.sim.config().bot_id)
    }

    /// Sends a text to Anna.
    pub(crate) fn send(&self, token: &str, text: &str) -> Answer {
        self.post_json(token, &self.messages_path(ANNA), &text_message(text))
    }
}

pub(crate) fn text_message(text: &str) -> Value {
    json!({"content": {"type": "text", "text": text}})
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    pairs.join("&")
}

pub(crate) fn encode(text: &str) -> String {
    let each = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(each).collect()
}

/// An assertion with these claims, signed with the test key.
pub(crate) fn assertion(claims: &Value) -> String {
    sign(&json!({"alg": "RS256", "typ": "JWT"}), claims)
}

pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(signature(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(crate) fn signature(message: &[u8]) -> Vec<u8> {
    let pem = test_private_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    let key = RsaKeyPair::from_pkcs8(&der).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}
