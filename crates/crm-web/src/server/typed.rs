//! What somebody typed into a form, kept until the request is answered: while the database is away nobody knows whose form
//! it is, and it must not be lost.

use bytes::Bytes;
use poem::Request;
use poem::http::Method;

use crate::auth::{FORM, read_form};
use crate::views::system::SentAgain;

/// Forms below these addresses hold passwords, codes and keys, which belong on no page.
const SECRETIVE: [&str; 5] = ["/login", "/link/", "/setup/", "/me/", "/admin/"];

/// The body of a form.
pub(super) struct Typed(Bytes);

impl Typed {
    /// Of the request, which keeps it too; `None` if it is no form, or one with secrets.
    pub(super) async fn of(request: &mut Request) -> Option<Typed> {
        let content_type = request.content_type().unwrap_or_default();
        let path = request.uri().path();
        let keeps = request.method() == Method::POST
            && content_type.starts_with(FORM)
            && !SECRETIVE.iter().any(|place| path.starts_with(place));
        if !keeps {
            return None;
        }
        let bytes = request.take_body().into_bytes().await.ok()?;
        request.set_body(bytes.clone());
        Some(Typed(bytes))
    }

    /// The form once more, for a page with a button that sends it to the same address.
    pub(super) async fn to_send_again(&self, target: &str) -> Option<SentAgain> {
        Some(SentAgain {
            action: target.to_owned(),
            fields: read_form(self.0.clone()).await.ok()?,
        })
    }
}
