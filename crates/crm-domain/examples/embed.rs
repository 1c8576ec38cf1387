//! The domain inside a program of one's own, every port written out: a customer says something, staff answer.
//!
//! Run with `cargo run -p crm-domain --example embed`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Instant as Moment, SystemTime};

use async_trait::async_trait;
use crm_domain::activities::MessageKind;
use crm_domain::customers::CustomerDetails;
use crm_domain::instant::Instant;
use crm_domain::memory::MemoryStore;
use crm_domain::permissions::Actor;
use crm_domain::ports::backup_shelf::NoShelf;
use crm_domain::ports::blobs::NoBlobs;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks, InboundEvent, InboundMessage, InterpretError,
    SampleCallback, VerifiedCallback,
};
use crm_domain::ports::connector::NoConnector;
use crm_domain::ports::erased::NoErasedList;
use crm_domain::ports::files::NoFiles;
use crm_domain::ports::host::{Clock, NoCaller, PasswordError, Passwords, Secrets};
use crm_domain::ports::messenger::{Answered, Messenger, Messengers, OutgoingText, SendError};
use crm_domain::ports::one_time_codes::NoCodes;
use crm_domain::ports::profiles::NoProfiles;
use crm_domain::ports::quarantine::NoQuarantine;
use crm_domain::ports::seals::NoSeals;
use crm_domain::ports::spool::NoSpool;
use crm_domain::ports::vault::NoVault;
use crm_domain::send_budgets::BudgetKey;
use crm_domain::use_cases::{Arrival, Crm, Ports, Recipient};
use crm_domain::values::{LineUserId, MessageText, PersonName, PersonReading, Remarks};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// The machine's clock.
struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the program's clock")]
    fn now(&self) -> Instant {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Instant::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's randomness.
struct RingSecrets(SystemRandom);

impl Secrets for RingSecrets {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(self.0.fill(bytes).is_ok(), "the machine gives no randomness");
    }

    fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
        hash
    }
}

/// Nobody signs in to this program.
struct NoPasswords;

#[async_trait]
impl Passwords for NoPasswords {
    async fn hash(&self, _: &str) -> Result<String, PasswordError> {
        Err(PasswordError::Broken)
    }

    async fn verify(&self, _: &str, _: Option<&str>) -> Result<bool, PasswordError> {
        Ok(false)
    }

    async fn is_common(&self, _: &str) -> Result<bool, PasswordError> {
        Ok(false)
    }
}

/// A channel that ends at the terminal.
struct Terminal;

#[async_trait]
impl Messenger for Terminal {
    fn bot(&self) -> String {
        "terminal".to_owned()
    }

    fn budget(&self) -> BudgetKey {
        BudgetKey {
            domain: String::new(),
            operation: "print".to_owned(),
        }
    }

    fn rate_limit(&self) -> Option<u32> {
        Some(6_000)
    }

    fn patience(&self) -> time::Duration {
        time::Duration::SECOND
    }

    async fn prepare(&self) -> Result<Moment, SendError> {
        Ok(Moment::now() + self.patience())
    }

    async fn send_text(&self, message: &OutgoingText, _by: Moment) -> Answered {
        println!("→ {}: {}", message.to.as_str(), message.text);
        Answered::only(Ok(()))
    }
}

impl Messengers for Terminal {
    fn line_works(&self) -> Option<Arc<dyn Messenger>> {
        Some(Arc::new(Terminal))
    }
}

/// Callbacks of the simplest form there is: `user text`.
struct PlainCallbacks;

impl Callbacks for PlainCallbacks {
    fn verify(&self, _: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused> {
        let mut key = [0; 16];
        key.copy_from_slice(&digest(&SHA256, body).as_ref()[..16]);
        Ok(VerifiedCallback {
            bot: "terminal".to_owned(),
            issued: String::new(),
            digest: key,
        })
    }

    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError> {
        let text = std::str::from_utf8(body).map_err(|_| InterpretError::NotJson)?;
        let (user, words) = text.split_once(' ').ok_or(InterpretError::Field("text"))?;
        let user = LineUserId::new(user)
            .ok()
            .flatten()
            .ok_or(InterpretError::Field("user"))?;
        Ok(InboundEvent::Message(InboundMessage {
            user,
            room: None,
            at: None,
            kind: MessageKind::Text,
            message: words.to_owned(),
            detail: None,
            file_id: None,
        }))
    }

    fn sample(&self, _: Instant) -> Option<SampleCallback> {
        None
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let crm = Crm::new(Ports {
        store: Arc::new(MemoryStore::new()),
        clock: Arc::new(WallClock),
        secrets: Arc::new(RingSecrets(SystemRandom::new())),
        passwords: Arc::new(NoPasswords),
        codes: Arc::new(NoCodes),
        messengers: Arc::new(Terminal),
        connector: Arc::new(NoConnector),
        callbacks: Arc::new(PlainCallbacks),
        spool: Arc::new(NoSpool),
        quarantine: Arc::new(NoQuarantine),
        files: Arc::new(NoFiles),
        blobs: Arc::new(NoBlobs),
        shelf: Arc::new(NoShelf),
        erased: Arc::new(NoErasedList),
        profiles: Arc::new(NoProfiles),
        vault: Arc::new(NoVault),
        several_instances: false,
        caller: Arc::new(NoCaller),
        seals: Arc::new(NoSeals),
    });
    let me = Actor::Operator {
        name: "example".to_owned(),
    };
    let hanako = crm.register_customer(&me, hanako()?).await?;

    let words = "hanako 見積もりをお願いします".as_bytes();
    let arrival = Arrival::new(CallbackHeaders::default(), words);
    crm.receive_callback(arrival, std::future::pending()).await?;
    crm.record_pending(&Actor::Job("recorder"), 256).await?;

    let answer = MessageText::new("承知しました。明日お送りします。")?;
    crm.queue_message(&me, Recipient::Customer(hanako), answer, None)
        .await?;
    while crm
        .deliver_next(&Actor::Job("sender"), "this run")
        .await?
        .is_some()
    {}

    for message in crm.conversation(&me, hanako, None, 50).await?.iter().rev() {
        println!("{} {}", message.timestamp, message.plain_text());
    }
    Ok(())
}

fn hanako() -> Result<CustomerDetails, Box<dyn Error>> {
    Ok(CustomerDetails {
        name: PersonName::new("山田", "花子").map_err(|_| "a name is needed")?,
        reading: PersonReading::new("やまだ", "はなこ").map_err(|_| "a reading of letters")?,
        email: None,
        phone: None,
        line_user_id: LineUserId::new("hanako")?,
        company_id: None,
        remarks: Remarks::default(),
    })
}
