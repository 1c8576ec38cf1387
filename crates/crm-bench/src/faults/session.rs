//! Signing in as a person does, and the requests of the pages that follow.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};

use crate::http::{Answer, Connection};
use crate::trial::office::{EMAIL, PASSWORD};

/// Signs the staff of the trial in; the value of the cookie header from then on.
pub async fn sign_in(server: SocketAddr) -> anyhow::Result<String> {
    let mut connection = Connection::open(server).await?;
    let form = connection.exchange(page(server, "/login", "").as_bytes()).await?;
    let cookies = cookies(&form);
    let html = String::from_utf8_lossy(&form.body).into_owned();
    let token = html
        .split_once("name=\"csrf-token\" content=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(token, _)| token)
        .context("the form to sign in holds no token")?;
    let body = format!(
        "email={}&password={}&csrf_token={}",
        EMAIL.replace('@', "%40"),
        PASSWORD.replace(' ', "+").replace(',', "%2C"),
        token.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F"),
    );
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = Connection::open(server)
        .await?
        .exchange(request.as_bytes())
        .await?;
    ensure!(answer.status == 303, "signing in was answered {}", answer.status);
    Ok(self::cookies(&answer))
}

/// The request of a page.
pub(super) fn page(server: SocketAddr, path: &str, cookie: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\r\n")
}

fn cookies(answer: &Answer) -> String {
    let set = answer.head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let pair = value.trim().split(';').next()?;
        name.eq_ignore_ascii_case("set-cookie").then_some(pair)
    });
    set.collect::<Vec<_>>().join("; ")
}
