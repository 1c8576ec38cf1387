//! A CRM on fakes.

use std::sync::Arc;

use crm_domain::activities::Activity;
use crm_domain::companies::{CompanyDetails, CompanyId};
use crm_domain::conversations::LinkStatus;
use crm_domain::customers::{CustomerDetails, CustomerFilter, CustomerId};
use crm_domain::error::Error;
use crm_domain::members::{Device, Member, MemberId, Role, Scopes};
use crm_domain::memory::MemoryStore;
use crm_domain::paging::PageRequest;
use crm_domain::permissions::Actor;
use crm_domain::ports::backup_shelf::NoShelf;
use crm_domain::ports::callbacks::CallbackHeaders;
use crm_domain::ports::erased::NoErasedList;
use crm_domain::ports::host::NoCaller;
use crm_domain::ports::store::StoreError;
use crm_domain::sends::Send;
use crm_domain::use_cases::{
    Arrival, Claim, Crm, MemberForm, NotKept, Ports, Received, Recorded, SignInForm, SignInStep, TokenForm,
};
use crm_testkit::fakes::{
    CountedCodes, FakeCallbacks, FakeConnector, FakeFiles, FakeMessenger, FakeMessengers, FakeProfiles,
    FakeQuarantine, FakeSeals, FakeSpool, FakeVault, FixedClock, MemoryBlobs, PlainPasswords, SeededSecrets,
};
use crm_testkit::fixtures::{BOT, admin};

/// The password of every member.
pub(crate) const PASSWORD: &str = "correct horse";

/// The recorder and the deliverer.
pub(crate) const JOB: Actor = Actor::Job("tests");

/// A CRM, and the fakes behind it.
pub(crate) struct World {
    pub(crate) crm: Crm,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) spool: Arc<FakeSpool>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) passwords: Arc<PlainPasswords>,
    pub(crate) messenger: Arc<FakeMessenger>,
    pub(crate) messengers: Arc<FakeMessengers>,
    pub(crate) profiles: Arc<FakeProfiles>,
    pub(crate) files: Arc<FakeFiles>,
    pub(crate) blobs: MemoryBlobs,
    pub(crate) connector: Arc<FakeConnector>,
}

impl World {
    /// An empty CRM with a bot set up; its clock stands at the fixtures' start.
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        store.repeat_units();
        Self::over(store)
    }

    /// Another instance on the same store.
    pub(crate) fn beside(&self) -> Self {
        Self::over(Arc::clone(&self.store))
    }

    fn over(store: Arc<MemoryStore>) -> Self {
        let messenger = Arc::new(FakeMessenger::new(BOT));
        let messengers = Arc::new(FakeMessengers::with(Arc::clone(&messenger)));
        let (clock, passwords) = (
            Arc::new(FixedClock::default()),
            Arc::new(PlainPasswords::default()),
        );
        let profiles = Arc::new(FakeProfiles::default());
        let (files, blobs) = (Arc::new(FakeFiles::default()), MemoryBlobs::default());
        let spool = Arc::new(FakeSpool::default());
        let connector = Arc::new(FakeConnector::default());
        let crm = Crm::new(Ports {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&clock) as _,
            secrets: Arc::new(SeededSecrets::new(1)),
            codes: Arc::new(CountedCodes),
            passwords: Arc::clone(&passwords) as _,
            messengers: Arc::clone(&messengers) as _,
            connector: Arc::clone(&connector) as _,
            callbacks: Arc::new(FakeCallbacks::new(BOT)),
            spool: Arc::clone(&spool) as _,
            quarantine: Arc::new(FakeQuarantine::default()),
            files: Arc::clone(&files) as _,
            blobs: Arc::new(blobs.clone()),
            shelf: Arc::new(NoShelf),
            erased: Arc::new(NoErasedList),
            profiles: Arc::clone(&profiles) as _,
            vault: Arc::new(FakeVault),
            several_instances: false,
            caller: Arc::new(NoCaller),
            seals: Arc::new(FakeSeals::default()),
        });
        Self {
            crm,
            store,
            spool,
            clock,
            passwords,
            messenger,
            messengers,
            profiles,
            files,
            blobs,
            connector,
        }
    }

    /// Moves the clock on.
    pub(crate) fn pass(&self, time: time::Duration) {
        self.clock.advance(time);
    }

    pub(crate) async fn customer(&self, details: CustomerDetails) -> CustomerId {
        self.crm.register_customer(&admin(), details).await.unwrap()
    }

    pub(crate) async fn company(&self, details: CompanyDetails) -> CompanyId {
        self.crm.register_company(&admin(), details).await.unwrap()
    }

    /// The full names of all customers in the list's order.
    pub(crate) async fn customer_names(&self) -> Vec<String> {
        let (filter, page) = (CustomerFilter::default(), PageRequest::first(99));
        let page = self.crm.list_customers(&admin(), filter, page).await.unwrap();
        page.map(|line| line.customer.details.name.full()).items
    }

    pub(crate) async fn link(&self, customer: CustomerId) -> LinkStatus {
        self.crm.show_customer(&admin(), customer).await.unwrap().link
    }

    /// A customer's page, oldest message first.
    pub(crate) async fn page(&self, customer: CustomerId) -> Vec<Activity> {
        let newest = self.crm.conversation(&admin(), customer, None, 500).await;
        let mut page = newest.unwrap();
        page.reverse();
        page
    }

    /// A customer's page as plain text, oldest message first.
    pub(crate) async fn plain_page(&self, customer: CustomerId) -> Vec<String> {
        let page = self.page(customer).await;
        page.iter().map(Activity::plain_text).collect()
    }

    /// LINE WORKS posts a body with its right signature.
    pub(crate) async fn post(&self, body: &[u8]) -> Result<Received, NotKept> {
        let signature = FakeCallbacks::signature(body);
        let headers = CallbackHeaders {
            bot_id: Some(BOT),
            signature: Some(&signature),
        };
        let arrival = Arrival::new(headers, body);
        self.crm.receive_callback(arrival, std::future::pending()).await
    }

    /// What waits is recorded.
    pub(crate) async fn record(&self) -> Recorded {
        self.crm.record_pending(&JOB, 256).await.unwrap()
    }

    /// A body comes and is recorded.
    pub(crate) async fn hear(&self, body: &[u8]) -> Recorded {
        assert!(matches!(self.post(body).await, Ok(Received::Kept(_))));
        self.record().await
    }

    /// Adds a member with [`PASSWORD`].
    pub(crate) async fn member(&self, email: &str, role: Role) -> MemberId {
        let form = MemberForm {
            email: email.to_owned(),
            name: email.to_owned(),
            role,
            password: Some(PASSWORD.to_owned()),
        };
        self.crm.add_member(&admin(), form).await.unwrap()
    }

    /// Signs in and gives the session's secret.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<String, Error> {
        self.sign_in_from(email, password, None).await
    }

    /// Signs in from a browser that has done so before.
    pub(crate) async fn sign_in_from(
        &self,
        email: &str,
        password: &str,
        browser: Option<&str>,
    ) -> Result<String, Error> {
        let form = SignInForm {
            email: email.to_owned(),
            password: password.to_owned(),
            known_browser: browser.map(str::to_owned),
            device: Device::default(),
        };
        Ok(done(Ok(self.crm.sign_in(form).await?)).0)
    }

    /// Whether this session's secret is good.
    pub(crate) async fn is_signed_in(&self, session: &str) -> bool {
        self.crm.session_actor(session).await.unwrap().is_some()
    }
}

/// The next message, taken by `run`.
pub(crate) async fn claim(world: &World, run: &str) -> Option<Send> {
    match world.crm.claim_message(&JOB, run).await.unwrap() {
        Claim::Taken(send) => Some(*send),
        Claim::Wait(_) | Claim::Nothing => None,
    }
}

/// The session's secret and the member of a sign-in that needs no second factor.
pub(crate) fn done(step: Result<SignInStep, Error>) -> (String, Member) {
    match step.unwrap() {
        SignInStep::Done { secret, member } => (secret, member),
        SignInStep::FactorAsked { .. } => panic!("a second factor is asked for"),
    }
}

/// A token that may be used for everything and never expires.
pub(crate) fn token_form(member: MemberId, name: &str) -> TokenForm {
    TokenForm {
        member,
        name: name.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    }
}

/// A failure that passes.
pub(crate) fn broken() -> StoreError {
    StoreError::unavailable("the disk is full")
}

/// The fields at fault with their problems' codes.
pub(crate) fn faults<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<(&'static str, &'static str)> {
    match answer {
        Err(Error::Invalid(errors)) => errors
            .iter()
            .map(|error| (error.field, error.problem.code()))
            .collect(),
        other => panic!("not refused for a field: {other:?}"),
    }
}

/// The code of the error.
pub(crate) fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.err().map_or("no error", |error| error.code())
}
