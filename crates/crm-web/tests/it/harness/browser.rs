//! A browser: keeps cookies, says where its forms come from, follows nothing by itself.

use std::net::SocketAddr;

use serde_json::Value;

use super::http::{Answer, Ask};

/// A browser with its cookies.
#[derive(Debug, Clone)]
pub struct Browser {
    pub to: SocketAddr,
    pub cookies: Vec<(String, String)>,
    pub token: String,
}

impl Browser {
    pub fn new(to: SocketAddr) -> Self {
        Self {
            to,
            cookies: Vec::new(),
            token: String::new(),
        }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn dressed(&self, ask: Ask) -> Ask {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if pairs.is_empty() {
            ask
        } else {
            ask.header("cookie", pairs.join("; "))
        }
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let (name, rest) = line.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0;") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if answer.text().contains("name=\"csrf-token\"") {
            self.token = answer.csrf();
        }
    }

    pub async fn send(&mut self, ask: Ask) -> Answer {
        let answer = self.dressed(ask).send(self.to).await;
        self.keep(&answer);
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Ask::get(path)).await
    }

    /// Sends a form of the page that was looked at last.
    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let token = self.token.clone();
        let pairs = [pairs, &[("csrf_token", token.as_str())]].concat();
        let origin = format!("http://{}", self.to);
        self.send(Ask::post(path).header("origin", origin).form(&pairs))
            .await
    }

    /// Sends JSON as a script of the page does.
    pub async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", self.to);
        let ask = Ask::post(path)
            .header("origin", origin)
            .header("x-csrf-token", self.token.clone());
        self.send(ask.header("accept", "application/json").json(body))
            .await
    }

    /// Fills in the sign-in form.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.get("/login").await;
        self.post("/login", &[("email", email), ("password", password)])
            .await
    }
}
