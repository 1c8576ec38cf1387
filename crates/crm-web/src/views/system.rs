//! Errors in the reader's words, the question before deleting, and the test of the callback.

use crm_domain::use_cases::TrialStep;
use serde::Serialize;

use crate::page::Page;
use crate::sentence::Sentence;

/// A page that could not be shown.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage {
    /// The status: one of [`ERROR_KINDS`].
    pub kind: &'static str,
    /// A sentence that says more.
    pub detail: Option<Sentence>,
    /// What to tell an administrator, so that the log can be searched.
    pub request_id: Option<String>,
    /// The form that could not be used, for a button that sends it again.
    pub again: Option<SentAgain>,
}

/// A form as it was sent.
#[derive(Debug, Clone, Serialize)]
pub struct SentAgain {
    /// Where to.
    pub action: String,
    /// Its fields, name and value, with the token of the page.
    pub fields: Vec<(String, String)>,
}

/// The statuses that have words of their own.
pub const ERROR_KINDS: [&str; 10] = [
    "400", "403", "404", "405", "409", "413", "422", "429", "500", "503",
];

impl ErrorPage {
    /// The page for a status; one without words of its own takes those of its class.
    pub fn of(status: u16) -> ErrorPage {
        let code = status.to_string();
        let other = if status >= 500 { "500" } else { "400" };
        let kind = ERROR_KINDS
            .into_iter()
            .find(|kind| *kind == code)
            .unwrap_or(other);
        ErrorPage {
            kind,
            detail: None,
            request_id: None,
            again: None,
        }
    }
}

/// The question before a customer or a company goes, for readers without scripts and on every direct visit.
#[derive(Debug, Clone, Serialize)]
pub struct DeletePage {
    /// `customer` or `company`: chooses the sentence that says what goes with it.
    pub what: &'static str,
    /// What goes.
    pub name: String,
    /// Where OK posts.
    pub action: String,
    /// Where キャンセル leads.
    pub back: String,
}

/// `GET /test-webhook`.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookTestPage {
    /// In the order of the real path.
    pub steps: Vec<TestStep>,
    /// Whether all went well.
    pub passed: bool,
}

/// One step of a test callback.
#[derive(Debug, Clone, Serialize)]
pub struct TestStep {
    /// Names the step's words, `trial.<name>`.
    pub name: &'static str,
    /// `ok`, `failed` or `skipped`.
    pub outcome: &'static str,
    /// Why, and what to do.
    pub detail: Option<Sentence>,
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<ErrorPage> {
        let all = ERROR_KINDS.into_iter().map(|kind| ErrorPage {
            kind,
            detail: None,
            request_id: None,
            again: None,
        });
        let full = ErrorPage {
            kind: "403",
            detail: Some(Sentence::of("error.csrf")),
            request_id: Some("3f9a2c11".to_owned()),
            again: None,
        };
        let away = ErrorPage {
            kind: "503",
            detail: Some(Sentence::of("error.store_unavailable")),
            request_id: Some("3f9a2c11".to_owned()),
            again: Some(SentAgain {
                action: "/customer/1/edit".to_owned(),
                fields: [("csrf_token", "c5rf"), ("remarks", "一行目\n二行目")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec(),
            }),
        };
        all.chain([full, away]).collect()
    }
}

impl Page for DeletePage {
    const TEMPLATE: &'static str = "delete.html";

    fn samples() -> Vec<DeletePage> {
        let page = |what, name: &str| DeletePage {
            what,
            name: name.to_owned(),
            action: format!("/{what}/1/delete"),
            back: format!("/{what}/1"),
        };
        vec![
            page("customer", "山田 太郎"),
            page("company", "株式会社山田製作所"),
            page("erase_customer", "山田 太郎"),
            page("erase_company", "株式会社山田製作所"),
        ]
    }
}

impl Page for WebhookTestPage {
    const TEMPLATE: &'static str = "webhook_test.html";

    fn samples() -> Vec<WebhookTestPage> {
        let failure = Some("wrong_signature");
        let mut pages = vec![WebhookTestPage::of(&TrialStep::ALL, None)];
        pages.extend(
            (0..TrialStep::ALL.len()).map(|passed| WebhookTestPage::of(&TrialStep::ALL[..passed], failure)),
        );
        pages
    }
}

impl WebhookTestPage {
    /// The steps that worked, the one that did not and why, and those that were not reached.
    pub fn of(passed: &[TrialStep], failure: Option<&'static str>) -> WebhookTestPage {
        let mut failing = failure;
        let steps = TrialStep::ALL.into_iter().map(|step| {
            let (outcome, detail) = if passed.contains(&step) {
                ("ok", None)
            } else if let Some(code) = failing.take() {
                ("failed", Some(Sentence::of(format!("trial_failure.{code}"))))
            } else {
                ("skipped", None)
            };
            TestStep {
                name: step.code(),
                outcome,
                detail,
            }
        });
        WebhookTestPage {
            steps: steps.collect(),
            passed: failure.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorPage;

    #[test]
    fn every_status_finds_its_words() {
        assert_eq!(ErrorPage::of(404).kind, "404");
        assert_eq!(ErrorPage::of(418).kind, "400");
        assert_eq!(ErrorPage::of(502).kind, "500");
    }
}
