//! The server's program: wires settings, adapters and web together, and ends them in order.

mod doors;
mod healthy;
mod starting;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crm_compose::logging::{self, LogGuard};
use crm_compose::settings::{IpRange, ListenSettings, Settings, Source, UnknownSender};
use crm_compose::{DemoComposition, Need, ServerComposition};
use crm_domain::members::Locale;
use crm_domain::permissions::Actor;
use crm_domain::ports::host::Clock;
use crm_web::auth::{Allowance, Keys, Origins};
use crm_web::demo::Demo;
use crm_web::links;
use crm_web::live::Hub;
use crm_web::server::{self, Networks, PairFiles, RequestCaller, SpanTools, Stop};
use crm_web::state::{App, Parts, WebSettings};
use crm_web::templates::Templates;
use crm_web::workers::{self, Signals};
use tokio::task::JoinSet;

use doors::{Addresses, Doors};

/// Of SQLite and zstd too. The C library's keeps what a backup, an import or a rush once took; this one gives it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HELP: &str = "顧客管理システムのサーバー / the CRM's server

  crm-web                    設定（環境変数、.env）に従って動きます / serves, by the environment and .env
  crm-web --demo [--port N]  設定なしで試せます / tries it out: sample data, LINE WORKS inside, this machine only
  crm-web --healthy          動いているか確かめます（終了コード0なら正常） / asks whether it answers: exit code 0 if so
  crm-web --version
  crm-web --help

設定の一覧 / all settings: crm config example
";

/// How long a request waits for the outcome of its message: a little longer than LINE WORKS may take.
const SEND_WAIT: Duration = Duration::from_secs(35);
/// Who comes while the server starts waits so long: an ordinary start takes a tenth of it, and nobody is turned away by one.
const SOON_READY: Duration = Duration::from_millis(1_500);
/// All ends within this time once the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// What the command line asks for.
enum Wish {
    Serve,
    Demo { port: u16 },
    Healthy,
    Say(String),
}

impl Wish {
    fn of(arguments: &[String]) -> Option<Wish> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => Some(Wish::Serve),
            ["--demo"] => Some(Wish::Demo {
                port: crm_compose::DEMO_LISTEN.port(),
            }),
            ["--demo", "--port", port] => Some(Wish::Demo {
                port: port.parse().ok()?,
            }),
            ["--healthy"] => Some(Wish::Healthy),
            ["--version" | "-V"] => Some(Wish::Say(format!("crm-web {}\n", env!("CARGO_PKG_VERSION")))),
            ["--help" | "-h"] => Some(Wish::Say(HELP.to_owned())),
            _ => None,
        }
    }
}

/// Why the server did not start, in sentences for whoever started it.
struct Failed(String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed(error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(wish) = Wish::of(&arguments) else {
        complain(HELP);
        return ExitCode::from(2);
    };
    let outcome = match wish {
        Wish::Say(text) => say(&text).map_err(Failed::from),
        Wish::Healthy => ask_whether_healthy(),
        Wish::Serve => on_runtime(serve()),
        Wish::Demo { port } => on_runtime(demonstrate(port)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(sentence)) => {
            complain(&format!("{sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

fn ask_whether_healthy() -> Result<(), Failed> {
    let loaded = Settings::read(&Source::of_process(), Need::Store)?;
    healthy::ask(loaded.settings.listen.address)
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Nobody is left to be told when standard error is closed.
fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn on_runtime(work: impl Future<Output = Result<(), Failed>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn serve() -> Result<(), Failed> {
    let loaded = Settings::read(&Source::of_process(), Need::WithPages)?;
    let settings = loaded.settings;
    let locale = settings.web.locale;
    let log = start_log(&settings)?;
    for warning in &loaded.warnings {
        tracing::warn!("{}", warning.line(locale));
    }
    let listen = settings.listen.clone();
    let doors = Doors::open(addresses_of(&listen)?)?;
    let mut told_to_stop = pin!(told_to_stop()?);
    let opening = meanwhile(&doors, &listen, ServerComposition::open(settings));
    let opened = tokio::select! {
        opened = opening => opened,
        // It may wait for its database for long. What was not finished is undone, as after a kill.
        () = &mut told_to_stop => {
            tracing::info!("told to stop before it began");
            return Ok(());
        }
    };
    let server = opened.map_err(|error| Failed(error.sentence(locale)))?;
    note_start(&server);
    let app = app(&server, &listen, None)?;
    greet_the_first(&app).await?;
    run_until_stopped(&app, doors, told_to_stop).await;
    drop((server, log));
    Ok(())
}

/// Does the work. Who comes to the doors waits there; when it takes long, everybody is asked for patience instead.
async fn meanwhile<T>(doors: &Doors, listen: &ListenSettings, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(SOON_READY, &mut work).await {
        return done;
    }
    let mut listeners = JoinSet::new();
    doors.ask_for_patience(&networks(listen.trusted_proxies.clone()), &mut listeners);
    let done = work.await;
    // Nothing of what they were sent was looked at. Who waits at the door finds the server.
    listeners.shutdown().await;
    done
}

async fn demonstrate(port: u16) -> Result<(), Failed> {
    let address = SocketAddr::new(crm_compose::DEMO_LISTEN.ip(), port);
    let pages = server::bind(address, "--demo --port")?;
    let address = pages.local_addr()?;
    let opened = DemoComposition::open(address, Locale::Ja).await;
    let demo = Arc::new(opened.map_err(|error| Failed(error.sentence(Locale::Ja)))?);
    let log = start_log(&demo.server.parts.settings)?;
    let mut listen = demo.server.parts.settings.listen.clone();
    listen.address = address;
    let app = app(&demo.server, &listen, Some(Arc::new(Phone(Arc::clone(&demo)))))?;
    let base = app.settings.origins.first();
    say(&format!(
        "\n顧客管理システムのデモを始めました。終了するには Ctrl+C を押してください。\n\
         The demonstration runs. Press Ctrl+C to end it; its data goes with it.\n\n\
         \x20 ログイン / sign in (once):   {base}/link/{}\n\
         \x20 お客様役 / play a customer:  {base}/demo/phone\n\n",
        demo.sign_in
    ))?;
    run_until_stopped(&app, Doors::of(pages), told_to_stop()?).await;
    drop((app, demo, log));
    Ok(())
}

fn start_log(settings: &Settings) -> Result<LogGuard, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(crm_compose::SystemClock);
    Ok(logging::start(
        &settings.log,
        &settings.web.time_zone,
        clock,
        Arc::new(RequestCaller),
    )?)
}

/// What whoever starts the server should know.
fn note_start(server: &ServerComposition) {
    for name in &server.migrated.applied {
        tracing::info!("database updated: {name}");
    }
    if server.begun_anew {
        tracing::warn!(
            "there was no database beside the secret key, so that an empty one was made; if one was lost, stop the server, \
             move what it made elsewhere and put the newest backup back (docs/restore.ja.md)"
        );
    }
    if server.key_exposed {
        tracing::warn!("the key file in the data folder can be read by others; chmod 600 it");
    }
    if let Some(trouble) = &server.spool_trouble {
        tracing::error!(
            "while the database cannot be written, callbacks will be lost, because {trouble}; make room or name \
             another folder by CRM_SPOOL_DIR"
        );
    }
    if !server.parts.crm.can_send() {
        tracing::warn!(
            "LINE WORKS is not set up: nothing is sent or received (/admin/line-works, or LINE_WORKS_BOT_ID and others)"
        );
    }
}

/// While nobody can sign in: the link for the first administrator, on the terminal alone. Logs may be kept and passed on.
async fn greet_the_first(app: &App) -> Result<(), Failed> {
    let operator = Actor::Operator {
        name: "crm-web".to_owned(),
    };
    let members = app.crm.list_members(&operator).await;
    if members.is_ok_and(|members| !members.is_empty()) {
        return Ok(());
    }
    // Callbacks are taken even while the database cannot be written.
    let secret = match app.crm.make_setup_link(&operator).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::error!("the first administrator's link cannot be made now: {error}");
            return Ok(());
        }
    };
    tracing::warn!("nobody can sign in yet: open the link on the terminal, or crm user add");
    Ok(say(&format!(
        "\nログインできる人がまだいません。次のリンクで最初の管理者を登録してください（24時間以内に1回だけ使えます）。\n\
         Nobody can sign in yet. Make the first administrator with this link (good once, within 24 hours).\n\n\
         \x20 {}{}\n\n\
         コマンドでもできます / or by command: crm user add --email E --name N --role admin\n\n",
        app.settings.origins.first(),
        links::setup(&secret)
    ))?)
}

fn app(
    server: &ServerComposition,
    listen: &ListenSettings,
    demo: Option<Arc<dyn Demo>>,
) -> Result<App, Failed> {
    let parts = &server.parts;
    let rules = parts.settings.rules.clone();
    let zone = parts.settings.web.time_zone.clone();
    let names: Vec<&str> = listen
        .public_urls
        .iter()
        .map(crm_compose::settings::PublicUrl::origin)
        .collect();
    let app = App::new(Parts {
        crm: parts.crm.clone(),
        settings: WebSettings {
            origins: Origins::parse(&names.join(","))?,
            zone: Arc::new(move |at| zone.offset_at(at)),
            locale: parts.settings.web.locale,
            firm_name: parts.settings.web.firm_name.clone(),
            trusted_proxies: networks(listen.trusted_proxies.clone()),
            metrics_networks: networks(parts.settings.web.metrics_allowed_ips.clone()),
            spans: SpanTools {
                follow: logging::follow,
                rename: logging::rename,
            },
            callback_networks: networks(rules.allowed_ips),
            register_senders: rules.unknown_sender == UnknownSender::Register,
            send_wait: SEND_WAIT,
        },
        templates: Templates::load()?,
        allowance: Allowance::new(parts.settings.web.api_rate_limit),
        keys: Keys::new(&server.key.for_purpose("web").sign(b"proofs of the web")),
        machine: parts.machine(),
        secrets: Arc::clone(&parts.secrets),
        signals: Signals::with(server.parts.bell()),
        live: Hub::default(),
        stop: Stop::default(),
        demo,
    });
    Ok(app?)
}

fn networks(ranges: Vec<IpRange>) -> Networks {
    if ranges.is_empty() {
        return Networks::default();
    }
    Networks::of(move |address| ranges.iter().any(|range| range.contains(address)))
}

fn addresses_of(listen: &ListenSettings) -> Result<Addresses, Failed> {
    Ok(Addresses {
        pages: listen.address,
        callbacks: listen.callback_address,
        certificate: listen.tls.as_ref().map(|tls| PairFiles {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        }),
        per_peer: usize::try_from(listen.connections_per_address)?,
    })
}

/// Serves until the system says stop; then lets requests and messages on their way end, within bounds.
async fn run_until_stopped(app: &App, doors: Doors, told_to_stop: impl Future<Output = ()>) {
    let mut listeners = JoinSet::new();
    doors.serve(app, &mut listeners);
    let mut workers = workers::start(app);
    told_to_stop.await;
    tracing::info!("stopping");
    app.stop.now();
    let ending = async {
        while listeners.join_next().await.is_some() {}
        while workers.join_next().await.is_some() {}
    };
    if tokio::time::timeout(FAREWELL, ending).await.is_err() {
        tracing::warn!("not everything ended in time");
    }
    tracing::info!("stopped");
}

/// Ctrl+C, or SIGTERM where there is such a thing. Listens from the call on, not from the first await.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ctrl+C.
#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without it the process can still be ended by the system.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The demonstration's phone speaks through the simulator.
struct Phone(Arc<DemoComposition>);

#[async_trait]
impl Demo for Phone {
    async fn say(&self, user_id: &str, text: &str) -> bool {
        self.0.say(user_id, text).await
    }
}
