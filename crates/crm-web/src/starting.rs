//! What is answered before the program is put together: on the way to a new version the database is copied and brought up to
//! date, which may take long. Whoever watches over the process must not end it meanwhile.

use async_trait::async_trait;
use crm_web::health;
use crm_web::server::Answer;
use poem::http::{StatusCode, header};
use poem::{Request, Response};

/// Asks everybody for patience. Nothing of what they send is looked at.
pub(crate) struct Starting;

/// When to come back, in seconds.
const SOON: &str = "5";
const SENTENCE: &str = "サーバーの準備をしています（データベースの更新に時間がかかることがあります）。しばらくしてから、もう一度開いてください。\n\
     The server is being prepared; bringing its database up to date may take a while. Please try again soon.\n";

#[async_trait]
impl Answer for Starting {
    async fn answer(&self, request: Request) -> Response {
        let answer = Response::builder()
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if request.uri().path() == health::LIVES {
            return answer.body("updating\n");
        }
        answer
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .header(header::RETRY_AFTER, SOON)
            .body(SENTENCE)
    }
}
