//! `crm dev`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crm_compose::Need;
use crm_compose::settings::merged_dot_env;
use crm_compose::simulator::{SimError, Simulator, SimulatorConfig};
use serde_json::json;

use super::{DONE, Outcome};
use crate::context::Context;
use crate::failure::Failure;

/// Where a server listens if nothing is said.
const USUAL: &str = "http://localhost:3000";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Dev {
    /// Run a simulated LINE WORKS until Ctrl-C.
    LineWorks {
        /// Where it listens; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
        listen: SocketAddr,
        /// Where callbacks are posted; otherwise where the settings have a server of this machine listen.
        #[arg(long, value_name = "URL")]
        callback: Option<String>,
        /// Write the settings that reach it to this file.
        #[arg(long, value_name = "F")]
        env_file: Option<PathBuf>,
    },
}

pub(crate) async fn run(context: &Context, command: Dev) -> Outcome {
    let Dev::LineWorks {
        listen,
        callback,
        env_file,
    } = command;
    let callback = callback.unwrap_or_else(|| own_door(context));
    let config = SimulatorConfig {
        listen,
        callback_url: Some(callback.clone()),
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await.map_err(|error| failure(&error))?;
    let settings = simulator.settings();
    if let Some(file) = &env_file {
        write_settings(file, &settings).map_err(|error| Failure::io(&file.display().to_string(), &error))?;
    }
    tell(context, &simulator, &callback, env_file.as_deref());
    until_asked().await;
    simulator.stop().await;
    DONE
}

/// Where a server on this machine takes callbacks by the settings, under the name by which it knows itself.
fn own_door(context: &Context) -> String {
    let settings = context.settings(Need::Store).ok();
    let door = settings.and_then(|loaded| {
        let listen = loaded.settings.listen;
        match listen.callback_address {
            Some(door) => Some(format!("http://127.0.0.1:{}", door.port())),
            None => listen
                .public_urls
                .first()
                .map(|url| url.origin().to_owned())
                .filter(|origin| origin.starts_with("http://")),
        }
    });
    format!("{}/webhook", door.as_deref().unwrap_or(USUAL))
}

fn failure(error: &SimError) -> Failure {
    Failure::Own("simulator", vec![("error", error.to_string())])
}

fn tell(context: &Context, simulator: &Simulator, callback: &str, env_file: Option<&Path>) {
    let file = env_file.map(|file| file.display().to_string());
    let address = simulator.addr().to_string();
    let pairs = [
        ("address", address.as_str()),
        ("callback", callback),
        ("file", file.as_deref().unwrap_or("-")),
    ];
    let sentence = context.output.texts().fill("dev.line_works", &pairs);
    let json = json!({
        "address": address,
        "token_url": simulator.token_url(),
        "api_url": simulator.api_url(),
        "callback_url": callback,
        "send_callback_url": format!("http://{address}/sim/callbacks"),
        "messages_url": format!("http://{address}/sim/messages"),
        "env_file": file,
    });
    context.output.said(&sentence, &json);
}

/// Puts the settings into the file, of which everything else stays. It becomes readable by its owner only: there is a
/// private key in it. What is there is replaced as a whole, so that a full disk destroys nothing.
fn write_settings(file: &Path, settings: &[(&'static str, String)]) -> std::io::Result<()> {
    // A link stays one.
    let file = &file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let old = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    // One may be left of a run that was killed.
    drop(std::fs::remove_file(&new));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&new)?;
    let written = out
        .write_all(merged_dot_env(&old, settings).as_bytes())
        .and_then(|()| out.sync_all())
        .and_then(|()| std::fs::rename(&new, file));
    if written.is_err() {
        // The first error is the one to tell.
        drop(std::fs::remove_file(&new));
    }
    written
}

/// Until Ctrl-C, or until the service manager says so.
async fn until_asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
