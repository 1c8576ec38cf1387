//! A window of Chromium, steered by `chromedriver` (Debian: chromium-driver).

use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::{By, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::server::PASSWORD;
use super::{TestServer, until};

/// A window. Dropping it kills what it started.
pub struct Window {
    pub driver: WebDriver,
    home: String,
    _chromedriver: Child,
    _profile: TempDir,
}

impl Window {
    /// Opens a window so many pixels wide; below 500 it is a phone.
    pub async fn open(server: &TestServer, width: u32) -> Self {
        let (chromedriver, port) = start_chromedriver().await;
        let profile = tempfile::tempdir().unwrap();
        let mut capabilities = DesiredCapabilities::chrome();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let size = format!("--window-size={width},900");
        let quiet = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ];
        let silent = [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        for argument in quiet
            .into_iter()
            .chain(silent)
            .chain([folder.as_str(), size.as_str()])
        {
            capabilities.add_arg(argument).unwrap();
        }
        if width < 500 {
            let metrics = json!({"width": width, "height": 844, "pixelRatio": 1, "touch": true});
            let phone = json!({"deviceMetrics": metrics});
            capabilities
                .add_experimental_option("mobileEmulation", phone)
                .unwrap();
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities)
            .await
            .unwrap();
        Self {
            driver,
            home: format!("http://{}", server.address),
            _chromedriver: chromedriver,
            _profile: profile,
        }
    }

    pub async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.home)).await.unwrap();
    }

    /// Fills in the sign-in form.
    pub async fn sign_in(&self, email: &str) {
        self.go("/login").await;
        self.type_into("#f-email", email).await;
        self.type_into("#f-password", PASSWORD).await;
        self.click("button[type=submit]").await;
        self.until("signed in", "return location.pathname === '/'").await;
    }

    pub async fn type_into(&self, css: &str, keys: &str) {
        self.driver
            .find(By::Css(css))
            .await
            .unwrap()
            .send_keys(keys)
            .await
            .unwrap();
    }

    pub async fn click(&self, css: &str) {
        self.driver
            .find(By::Css(css))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// What a script returns.
    pub async fn ask<T: DeserializeOwned>(&self, script: &str) -> T {
        self.driver
            .execute(script, Vec::new())
            .await
            .unwrap()
            .convert()
            .unwrap()
    }

    pub async fn run(&self, script: &str) {
        self.driver.execute(script, Vec::new()).await.unwrap();
    }

    /// Waits until a script returns true.
    pub async fn until(&self, what: &str, script: &str) {
        // What is asked for may not be there yet.
        let holds = async || self.ask::<Option<bool>>(script).await == Some(true);
        until(what, async || holds().await.then_some(())).await;
    }

    /// Ends the browser; a window that is only dropped leaves it to the system.
    pub async fn close(self) {
        self.driver.clone().quit().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Now and then chromedriver ends at once, or says nothing: the port that the system gave it for IPv4 can be
/// somebody else's for IPv6. It is asked again, and what it said is told.
async fn start_chromedriver() -> (Child, u16) {
    let mut said = Vec::new();
    for _ in 0..4 {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver, which Debian has in chromium-driver");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        if let Some(port) = port_of(&mut lines, &mut said).await {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, port);
        }
    }
    panic!("chromedriver did not start:\n{}", said.join("\n"));
}

/// The port in what chromedriver says; nothing if it ends, or is silent for too long, before it says it.
async fn port_of(lines: &mut Lines<BufReader<ChildStdout>>, said: &mut Vec<String>) -> Option<u16> {
    const LONGEST_SILENCE: Duration = Duration::from_secs(20);
    while let Ok(Ok(Some(line))) = tokio::time::timeout(LONGEST_SILENCE, lines.next_line()).await {
        let port = line
            .split("successfully on port ")
            .nth(1)
            .and_then(|rest| rest.trim_end_matches('.').parse().ok());
        said.push(line);
        if port.is_some() {
            return port;
        }
    }
    None
}
