//! HTTP as a client should speak it: no redirects, no proxy from the environment, a fresh connection each time,
//! statuses as values, and one exact answer to the question whether anything has left us.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ureq::http::Response;
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, Body, Error, RequestBuilder, SendBody, Timeout};

use crate::config::Timeouts;

/// The most of an answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// What a request carries besides its address.
pub(crate) struct Headers<'a> {
    pub(crate) content_type: &'a str,
    pub(crate) bearer: Option<&'a str>,
}

/// The head of an answer; its body can be read once.
pub(crate) struct Answer {
    pub(crate) status: u16,
    response: Response<Body>,
}

/// No answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Whether any of the request's body had left; if not, nothing can have been done with it.
    pub(crate) departed: bool,
    pub(crate) why: Why,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Name not resolved, refused, or TLS failed.
    NoConnection,
    TimedOut,
    Cut,
    /// What came is not HTTP.
    Nonsense,
}

/// Makes requests. Blocking.
pub(crate) struct Http {
    agent: Agent,
}

impl Http {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .user_agent(concat!("crm-lineworks/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(timeouts.connect))
            .timeout_connect(Some(timeouts.connect))
            .timeout_send_request(Some(timeouts.send))
            .timeout_send_body(Some(timeouts.send))
            .timeout_recv_response(Some(timeouts.receive))
            .timeout_recv_body(Some(timeouts.receive))
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// Posts a body and waits for the head of the answer.
    pub(crate) fn post(
        &self,
        url: &str,
        headers: &Headers<'_>,
        body: String,
        deadline: Instant,
    ) -> Result<Answer, Lost> {
        send(self.agent.post(url), headers, body, deadline)
    }

    /// Changes something by a body and waits for the head of the answer.
    pub(crate) fn patch(
        &self,
        url: &str,
        headers: &Headers<'_>,
        body: String,
        deadline: Instant,
    ) -> Result<Answer, Lost> {
        send(self.agent.patch(url), headers, body, deadline)
    }

    /// Gets something and waits for the head of the answer.
    pub(crate) fn get(&self, url: &str, bearer: &str, deadline: Instant) -> Result<Answer, Lost> {
        let request = with_bearer(self.agent.get(url), Some(bearer));
        let outcome = bounded::<WithoutBody>(request, deadline)?.call();
        let cut = matches!(&outcome, Err(Error::Io(error)) if is_cut(error.kind()));
        answer(outcome, cut)
    }

    /// Gets bytes of any kind, as they lie there; the body may take until the deadline.
    pub(crate) fn download(&self, url: &str, bearer: &str, deadline: Instant) -> Result<Answer, Lost> {
        let request = self
            .agent
            .get(url)
            .header("connection", "close")
            .header("accept", "*/*")
            .header("accept-encoding", "identity")
            .header("authorization", format!("Bearer {bearer}"));
        let left = deadline.saturating_duration_since(Instant::now());
        let request = bounded::<WithoutBody>(request, deadline)?;
        let request = request.config().timeout_recv_body(Some(left)).build();
        answer(request.call(), true)
    }
}

fn send(
    request: RequestBuilder<WithBody>,
    headers: &Headers<'_>,
    body: String,
    deadline: Instant,
) -> Result<Answer, Lost> {
    let departed = Arc::new(AtomicBool::new(false));
    let request = request
        .header("content-type", headers.content_type)
        .header("content-length", body.len().to_string());
    let request = bounded::<WithBody>(with_bearer(request, headers.bearer), deadline)?;
    let body = Watched {
        body: io::Cursor::new(body.into_bytes()),
        departed: Arc::clone(&departed),
    };
    let outcome = request.send(SendBody::from_owned_reader(body));
    answer(outcome, departed.load(Ordering::Acquire))
}

fn with_bearer<B>(request: RequestBuilder<B>, token: Option<&str>) -> RequestBuilder<B> {
    let request = request
        .header("connection", "close")
        .header("accept", "application/json");
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

/// The request may take no longer than to the deadline.
fn bounded<B>(request: RequestBuilder<B>, deadline: Instant) -> Result<RequestBuilder<B>, Lost> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Lost {
            departed: false,
            why: Why::TimedOut,
        });
    }
    Ok(request.config().timeout_global(Some(left)).build())
}

fn answer(outcome: Result<Response<Body>, Error>, departed: bool) -> Result<Answer, Lost> {
    match outcome {
        Ok(response) => Ok(Answer {
            status: response.status().as_u16(),
            response,
        }),
        Err(error) => Err(Lost {
            departed,
            why: why(&error, departed),
        }),
    }
}

/// Whether a line that stood has ended.
fn is_cut(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

fn why(error: &Error, departed: bool) -> Why {
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Why::NoConnection,
        Error::Timeout(_) => Why::TimedOut,
        Error::Io(error) if departed && error.kind() == io::ErrorKind::TimedOut => Why::TimedOut,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => Why::Nonsense,
        _ if departed => Why::Cut,
        _ => Why::NoConnection,
    }
}

impl Answer {
    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// A header's bytes, which need not be text.
    pub(crate) fn raw_header(&self, name: &str) -> Option<&[u8]> {
        Some(self.response.headers().get(name)?.as_bytes())
    }

    /// The body, to be read piece by piece.
    pub(crate) fn into_reader(self) -> impl Read {
        self.response.into_body().into_reader()
    }

    /// The body, at most 64 KiB of it; `Err` if it breaks off.
    pub(crate) fn into_body(self) -> Result<Vec<u8>, Why> {
        self.into_body_within(ANSWER_LIMIT)
    }

    /// The body, at most `limit` bytes of it; `Err` if it breaks off.
    pub(crate) fn into_body_within(self, limit: u64) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        let mut reader = self.response.into_body().into_reader().take(limit);
        match reader.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(why(&Error::from(error), true)),
        }
    }
}

/// A body that notes when its first byte is fetched. That happens after the head was written and before anything
/// of the body leaves, so as long as nobody fetched, nothing can have been done with the request.
struct Watched {
    body: io::Cursor<Vec<u8>>,
    departed: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.departed.store(true, Ordering::Release);
        self.body.read(into)
    }
}
