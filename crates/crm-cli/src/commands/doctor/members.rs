//! The member directory: names of senders and 「メンバーから選ぶ」 need scopes of their own.

use crm_compose::line_works::LineWorks;
use crm_domain::ports::profiles::{ProfileError, ProfileSource as _};
use crm_domain::values::LineUserId;

use super::{Round, State};

/// Names of senders, and choosing a member.
pub(super) const CHECKS: [&str; 2] = ["names", "member_list"];

/// Shaped like a user id, and nobody's: that LINE WORKS does not know it is answer enough.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

pub(super) async fn check(round: &mut Round<'_>, client: &LineWorks) {
    let [names, list] = CHECKS;
    if let Ok(Some(nobody)) = LineUserId::new(NOBODY) {
        let told = match client.look_up(&nobody).await {
            Err(ProfileError::NotFound) => Ok(()),
            told => told.map(drop),
        };
        say(round, names, "user.profile.read", told);
    }
    say(round, list, "user.read", client.list(None).await.map(drop));
}

fn say(round: &mut Round<'_>, check: &'static str, scope: &str, told: Result<(), ProfileError>) {
    match told {
        Ok(()) => round.ok(check, ""),
        Err(ProfileError::ScopeMissing) => round.bad(check, State::Warning, scope, &format!("scope_{scope}")),
        Err(error) => round.bad(check, State::Warning, error.to_string(), "members_later"),
    }
}
