//! The server's process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crm_compose::settings::Source;
use crm_compose::{Composition, Need, Settings};
use crm_domain::activities::Activity;
use crm_domain::customers::{CustomerDetails, CustomerId};
use crm_domain::members::{Role, Scopes};
use crm_domain::permissions::Actor;
use crm_domain::ports::store::Store;
use crm_domain::use_cases::{Crm, MemberForm, TokenForm};
use crm_domain::values::{EmailAddress, LineUserId, PersonName, PersonReading, Remarks};
use crm_lineworks_sim::{Simulator, SimulatorConfig};
use crm_testkit::postgres::TestDatabase;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::browser::Browser;
use super::http::{Answer, Ask};
use super::until;

/// The password of every member of the tests.
pub const PASSWORD: &str = "correct horse 馬";

/// How a server is to be started.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a test may ask for"
)]
pub struct Setup {
    pub settings: Vec<(String, String)>,
    pub without_line_works: bool,
    /// Where LINE WORKS is, and nothing else of it.
    pub addresses_only: bool,
    pub simulator: SimulatorConfig,
    /// It speaks https by a certificate of its own.
    pub https: bool,
    /// On a database server, whatever the tests run on, so that other instances can join.
    pub shared: bool,
}

impl Setup {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running server. Dropping it kills the process.
pub struct TestServer {
    pub address: SocketAddr,
    pub simulator: Simulator,
    pub crm: Crm,
    pub store: Arc<dyn Store>,
    folder: TempDir,
    settings: Vec<(String, String)>,
    child: Child,
    log: Log,
    /// On a database server; goes last.
    database: Option<TestDatabase>,
}

/// What a program wrote so far.
pub type Log = Arc<Mutex<String>>;

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(setup.simulator).await.unwrap();
        let mut settings = vec![
            ("CRM_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            (
                "CRM_DATA_DIR".to_owned(),
                folder.path().join("data").display().to_string(),
            ),
        ];
        if !setup.without_line_works {
            settings.extend(
                simulator
                    .settings()
                    .into_iter()
                    .filter(|(name, _)| !setup.addresses_only || name.ends_with("_URL"))
                    .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        let database = (setup.shared || on_postgres()).then(TestDatabase::new);
        settings.extend(database.iter().flat_map(database_settings));
        settings.extend(setup.settings);
        let (child, log) = launch(&settings, folder.path().to_owned(), &[]);
        let words = if setup.https {
            "listening on https://"
        } else {
            "listening on http://"
        };
        let address = listening(&log, words).await;
        simulator.set_callback_url(format!("http://{address}/webhook"));
        let loaded = Settings::read(&Source::new(settings.clone(), None), Need::Everything).unwrap();
        let (parts, _) = Composition::for_command(loaded.settings).await.unwrap();
        Self {
            address,
            simulator,
            crm: parts.crm,
            store: parts.store,
            folder,
            settings,
            child,
            log,
            database,
        }
    }

    /// Whoever may do everything, as on the command line.
    pub fn operator() -> Actor {
        Actor::Operator {
            name: "tester".to_owned(),
        }
    }

    /// Where its database is, if not in a file.
    pub fn database(&self) -> Option<&TestDatabase> {
        self.database.as_ref()
    }

    /// What the server wrote so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The address of the second listener.
    pub async fn callback_door(&self) -> SocketAddr {
        listening(&self.log, "listening for callbacks on http://").await
    }

    /// Kills it as the power does.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Tells it to stop.
    pub async fn tell_to_stop(&self) {
        let id = self.child.id().expect("it runs").to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    }

    /// Tells it to stop and waits for its end; how long that took.
    pub async fn stop(&mut self) -> Duration {
        let begun = std::time::Instant::now();
        self.tell_to_stop().await;
        self.child.wait().await.unwrap();
        begun.elapsed()
    }

    /// Starts it again on the same data.
    pub async fn start_again(&mut self) {
        let (child, log) = launch(&self.settings, self.folder.path().to_owned(), &[]);
        self.child = child;
        self.log = log;
        self.address = listening(&self.log, "listening on http://").await;
        self.simulator
            .set_callback_url(format!("http://{}/webhook", self.address));
    }

    /// Starts it again by a command that becomes the program, with further settings from now on.
    pub async fn start_again_by(&mut self, command: Command, more: &[(&str, &str)]) {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.settings.extend(more);
        let (child, log) = spawn(command, &self.settings, self.folder.path().to_owned());
        self.child = child;
        self.log = log;
        self.address = listening(&self.log, "listening on http://").await;
        self.simulator
            .set_callback_url(format!("http://{}/webhook", self.address));
    }

    /// Goes on, with LINE WORKS as it was, in a folder that holds data and an `.env` for all but the address.
    pub async fn go_on_in(&mut self, folder: TempDir) {
        let dir = folder.path().join("data").display().to_string();
        self.settings = vec![
            ("CRM_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("CRM_DATA_DIR".to_owned(), dir),
        ];
        self.folder = folder;
        self.start_again().await;
        let text = std::fs::read_to_string(self.folder.path().join(".env")).unwrap();
        let source = Source::new(self.settings.clone(), Some(&text));
        let loaded = Settings::read(&source, Need::Everything).unwrap();
        let (parts, _) = Composition::for_command(loaded.settings).await.unwrap();
        (self.crm, self.store) = (parts.crm, parts.store);
    }

    /// Starts another instance on the same database, with a data folder of its own.
    pub async fn join(&self) -> Instance {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = self.settings.clone();
        settings.push((
            "CRM_DATA_DIR".to_owned(),
            folder.path().join("data").display().to_string(),
        ));
        let (child, log) = launch(&settings, folder.path().to_owned(), &[]);
        let address = listening(&log, "listening on http://").await;
        Instance {
            address,
            child,
            _folder: folder,
        }
    }

    /// A file or folder inside its data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// A use of the same data with further settings, as of another program.
    pub async fn beside(&self, more: &[(&str, &str)]) -> Composition {
        let mut settings = self.settings.clone();
        settings.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let loaded = Settings::read(&Source::new(settings, None), Need::Everything).unwrap();
        Composition::for_command(loaded.settings).await.unwrap().0
    }

    /// Starts a second one with further settings and returns what it said when it ended.
    pub async fn start_second(&self, more: &[(&str, &str)]) -> (bool, String) {
        self.run_beside(more, &[]).await
    }

    /// Runs the program with further settings and these arguments to its end: whether it ended well and what it said.
    pub async fn run_beside(&self, more: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
        let mut settings = self.settings.clone();
        settings.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        run_to_end(&settings, &self.folder, arguments).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        Ask::get(path).send(self.address).await
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Adds a member with [`PASSWORD`].
    pub async fn add_member(&self, email: &str, role: Role) -> crm_domain::members::MemberId {
        let form = MemberForm {
            email: email.to_owned(),
            name: "田中 花子".to_owned(),
            role,
            password: Some(PASSWORD.to_owned()),
        };
        self.crm.add_member(&Self::operator(), form).await.unwrap()
    }

    /// A browser in which a new member of this role is signed in.
    pub async fn signed_in(&self, role: Role) -> Browser {
        let email = format!("{}@example.jp", role.code());
        self.add_member(&email, role).await;
        let mut browser = self.browser();
        let answer = browser.sign_in(&email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser.get("/login").await;
        browser
    }

    /// A token of a new member of this role.
    pub async fn token(&self, role: Role) -> String {
        let email = format!("program-{}@example.jp", role.code());
        let member = self.add_member(&email, role).await;
        let form = TokenForm {
            member,
            name: "test".to_owned(),
            scopes: Scopes::ALL,
            expires_at: None,
        };
        self.crm.create_token(&Self::operator(), form).await.unwrap()
    }

    /// Adds a customer who may be reached under a LINE WORKS user id.
    pub async fn add_customer(&self, last: &str, first: &str, user: Option<&str>) -> CustomerId {
        let details = CustomerDetails {
            name: PersonName::new(last, first).unwrap(),
            reading: PersonReading::new("", "").unwrap(),
            email: EmailAddress::new("").unwrap(),
            phone: None,
            line_user_id: user.map(|user| LineUserId::new(user).unwrap().expect("an id")),
            company_id: None,
            remarks: Remarks::new("").unwrap(),
        };
        self.crm
            .register_customer(&Self::operator(), details)
            .await
            .unwrap()
    }

    /// What stands on a customer's page, newest first.
    pub async fn conversation(&self, customer: CustomerId) -> Vec<Activity> {
        self.crm
            .conversation(&Self::operator(), customer, None, 1_000)
            .await
            .unwrap()
    }

    /// Waits until so many messages stand there.
    pub async fn wait_for_messages(&self, customer: CustomerId, count: usize) -> Vec<Activity> {
        until("messages on the page", async || {
            let messages = self.conversation(customer).await;
            (messages.len() >= count).then_some(messages)
        })
        .await
    }

    /// Waits until the log holds this.
    pub async fn wait_for_log(&self, text: &str) -> String {
        until(text, async || Some(self.log()).filter(|log| log.contains(text))).await
    }
}

/// Another instance on a server's database. Dropping it kills the process.
pub struct Instance {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Instance {
    /// Tells it to stop.
    pub async fn tell_to_stop(&self) {
        let id = self.child.id().expect("it runs").to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    }

    /// Waits for its end.
    pub async fn end(&mut self) {
        self.child.wait().await.unwrap();
    }
}

/// Whether the tests run on PostgreSQL (`CRM_TEST_STORE=postgres`) instead of files.
#[expect(
    clippy::disallowed_methods,
    reason = "which store the tests run on is no setting of the product"
)]
pub fn on_postgres() -> bool {
    std::env::var("CRM_TEST_STORE").is_ok_and(|store| store == "postgres")
}

/// What a server needs to know to work on this database.
fn database_settings(database: &TestDatabase) -> [(String, String); 3] {
    [
        ("CRM_DATABASE_URL", database.url.as_str()),
        ("CRM_DATABASE_CONNECTIONS", "6"),
        ("CRM_SECRET_KEY", "a key of tests, long enough for everything"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_crm-web");

/// Starts the program with nothing but these settings.
pub fn launch(settings: &[(String, String)], folder: PathBuf, arguments: &[&str]) -> (Child, Log) {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    spawn(command, settings, folder)
}

/// Starts a command that becomes the program.
pub fn spawn(mut command: Command, settings: &[(String, String)], folder: PathBuf) -> (Child, Log) {
    let mut child = command
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let log = Log::default();
    collect(child.stdout.take().unwrap(), Arc::clone(&log));
    collect(child.stderr.take().unwrap(), Arc::clone(&log));
    (child, log)
}

/// Starts it, waits for its end, and returns whether it ended well and what it said.
pub async fn run_to_end(
    settings: &[(String, String)],
    folder: &TempDir,
    arguments: &[&str],
) -> (bool, String) {
    let (mut child, log) = launch(settings, folder.path().to_owned(), arguments);
    let ended = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
    let status = ended.expect("it ends by itself").unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let said = log.lock().unwrap().clone();
    (status.success(), said)
}

fn collect(stream: impl AsyncRead + Unpin + Send + 'static, log: Log) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// The address that the log tells after these words.
pub async fn listening(log: &Log, words: &str) -> SocketAddr {
    until(words, async || {
        let text = log.lock().unwrap().clone();
        let (_, after) = text.split_once(words)?;
        let address = after
            .split_whitespace()
            .next()
            .and_then(|address| address.parse().ok());
        assert!(address.is_some() || after.is_empty(), "{text}");
        address
    })
    .await
}
