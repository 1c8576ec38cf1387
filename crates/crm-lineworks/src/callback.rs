//! Callbacks behind the domain's port.

use crm_domain::instant::Instant;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks, InboundEvent, InterpretError, SampleCallback,
    VerifiedCallback,
};
use crm_domain::values::LineUserId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::LineWorks;
use crate::config::LineWorksConfig;
use crate::interpret::interpret;
use crate::verify::Verifier;

/// The sender of sample callbacks: a UUID that LINE WORKS gives to nobody.
pub const SAMPLE_SENDER: &str = "00000000-0000-4000-8000-00000000feed";

/// Reads the callbacks of one bot.
pub(crate) struct CallbackReader {
    pub(crate) bot: String,
    domain: Option<String>,
    verifier: Verifier,
}

impl CallbackReader {
    pub(crate) fn new(config: LineWorksConfig) -> Self {
        let bot = config.bot_id.trim().to_owned();
        Self {
            domain: config
                .domain_id
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty()),
            verifier: Verifier::new(&bot, &config.bot_secrets, config.allow_unsigned),
            bot,
        }
    }

    fn sample(&self, at: Instant) -> Option<SampleCallback> {
        let sender = LineUserId::new(SAMPLE_SENDER).ok().flatten()?;
        let mut source = json!({"userId": SAMPLE_SENDER});
        if let Some(domain) = &self.domain {
            source["domainId"] = domain.parse::<i64>().map_or_else(|_| json!(domain), Value::from);
        }
        let event = json!({
            "type": "message",
            "source": source,
            "issuedTime": at.to_string(),
            "content": {"type": "text", "text": "Webhookテスト / webhook test"},
        });
        let body = event.to_string().into_bytes();
        let signature = self.verifier.sign(&body);
        Some(SampleCallback {
            bot_id: self.bot.clone(),
            signature,
            body,
            sender,
        })
    }
}

impl Callbacks for LineWorks {
    fn verify(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused> {
        self.reader.verifier.verify(headers, body)
    }

    fn may_be_ours(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> bool {
        headers.bot_id.map(str::trim) == Some(self.reader.bot.as_str())
            && reads_as_callback(self.reader.domain.as_deref(), body)
    }

    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError> {
        interpret(self.reader.domain.as_deref(), body)
    }

    fn sample(&self, at: Instant) -> Option<SampleCallback> {
        self.reader.sample(at)
    }
}

/// As much of a callback as says whose it may be.
#[derive(Deserialize)]
struct Sketch {
    #[serde(rename = "type")]
    kind: String,
    source: SketchSource,
}

#[derive(Deserialize)]
struct SketchSource {
    #[serde(rename = "domainId", default)]
    domain: Value,
}

/// Whether these bytes are a callback that names the domain; any will do where none is known.
fn reads_as_callback(domain: Option<&str>, body: &[u8]) -> bool {
    let Ok(sketch) = serde_json::from_slice::<Sketch>(body) else {
        return false;
    };
    let named = match &sketch.source.domain {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    !sketch.kind.is_empty() && domain.is_none_or(|ours| ours == named)
}
