//! What the simulator can be told to do wrong, and the plan of it.

use std::collections::VecDeque;
use std::time::Duration;

/// Which requests a fault is for. The control endpoints under `/sim` never fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /oauth2/v2.0/token`.
    Token,
    /// `POST …/messages`, to a user or a channel.
    Send,
    /// `GET /users` and `GET /users/{userId}`.
    Users,
    /// Everything about files: announcing, finding, uploading and downloading.
    Files,
    /// Every request of the service.
    All,
}

/// A misbehaviour of the simulated service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers this without doing anything.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body as it is.
        body: String,
        /// Headers, such as `rateLimit-reset` or `Location`; the content type is JSON unless one is given.
        headers: Vec<(String, String)>,
    },
    /// Does what was asked at once and answers after this time.
    Slow(Duration),
    /// Reads the request, does nothing, and closes the connection without an answer.
    CutBeforeResponse,
    /// Does what was asked and closes the connection without an answer: the client cannot know.
    CutAfterDoing,
    /// Does what was asked, sends status line and headers and part of a body, and closes the connection.
    CutAfterHeaders,
    /// Does what was asked and answers with the right status and a body that is not JSON.
    GarbageBody,
    /// All tokens issued so far die; then the request is handled as usual.
    ExpireTokens,
}

impl Fault {
    /// A status with the documented body of that status, where there is one.
    pub fn status(code: u16) -> Self {
        let (name, description) = match code {
            400 => ("BAD_REQUEST", "Bad request."),
            401 => ("UNAUTHORIZED", "Authentication failed."),
            403 => ("ACCESS_DENIED", "Access is denied for bot."),
            404 => ("NOT_FOUND", "Not found."),
            429 => ("TOO_MANY_REQUESTS", "API rate limit exceeded"),
            503 => ("SERVICE_UNAVAILABLE", "Service unavailable."),
            _ => ("INTERNAL_SERVER_ERROR", "Internal server error."),
        };
        let body = serde_json::json!({"code": name, "description": description}).to_string();
        Self::Status {
            code,
            body,
            headers: Vec::new(),
        }
    }

    /// The same status with one more header; other faults stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

/// The faults that are still to come. Those counted go first, in the order in which they were planned.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    counted: VecDeque<(Endpoint, Fault, usize)>,
    standing: Vec<(Endpoint, Fault)>,
}

impl FaultPlan {
    pub(crate) fn fail_next(&mut self, endpoint: Endpoint, times: usize, fault: Fault) {
        if times > 0 {
            self.counted.push_back((endpoint, fault, times));
        }
    }

    pub(crate) fn always(&mut self, endpoint: Endpoint, fault: Fault) {
        self.standing.retain(|(of, _)| *of != endpoint);
        self.standing.push((endpoint, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.counted.clear();
        self.standing.clear();
    }

    /// The fault for a request to `endpoint`, counted off.
    pub(crate) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let meant = |of: Endpoint| of == Endpoint::All || of == endpoint;
        if let Some(at) = self.counted.iter().position(|(of, _, _)| meant(*of)) {
            let (_, fault, left) = self.counted.get_mut(at)?;
            *left -= 1;
            let fault = fault.clone();
            if *left == 0 {
                self.counted.remove(at);
            }
            return Some(fault);
        }
        self.standing
            .iter()
            .find(|(of, _)| meant(*of))
            .map(|(_, fault)| fault.clone())
    }
}
