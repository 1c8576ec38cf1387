//! `crm session`.

use crm_compose::Need;
use serde_json::json;

use super::users::find;
use super::{DONE, Outcome};
use crate::context::Context;
use crate::rows::SessionRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Session {
    /// Show who is signed in, and where.
    List,
    /// Sign people out at once.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Revoke {
    /// One session, by its id.
    id: Option<String>,
    /// All sessions of this user: e-mail address or id.
    #[arg(long)]
    user: Option<String>,
    /// The sessions of everybody.
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(context: &Context, command: Session) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    let crm = &desk.parts.crm;
    let wanted = match command {
        Session::List => {
            let sessions = crm.list_sessions(&desk.actor, None).await?;
            let rows: Vec<SessionRow> = sessions.iter().map(SessionRow::new).collect();
            context.output.list(&rows, desk.zone());
            return DONE;
        }
        Session::Revoke(wanted) => wanted,
    };
    let texts = context.output.texts();
    if let Some(id) = wanted.id {
        crm.end_session(&desk.actor, &id).await?;
        let sentence = texts.fill("session.revoked_one", &[("id", &id)]);
        context.output.said(&sentence, &json!({"id": id, "ended": 1}));
        return DONE;
    }
    let (ended, email) = match wanted.user {
        Some(user) => {
            let member = find(&desk, &user).await?;
            let ended = crm.end_sessions_of(&desk.actor, member.id).await?;
            (ended, Some(member.email.as_str().to_owned()))
        }
        None => (crm.end_all_sessions(&desk.actor).await?, None),
    };
    let count = ended.to_string();
    let sentence = match &email {
        Some(email) => texts.fill("session.revoked_of", &[("email", email), ("count", &count)]),
        None => texts.fill("session.revoked", &[("count", &count)]),
    };
    context
        .output
        .said(&sentence, &json!({"user": email, "ended": ended}));
    DONE
}
