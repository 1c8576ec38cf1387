//! Members of LINE WORKS: choosing one, and turning a login id into the user id that callbacks carry.

use std::sync::{Arc, Mutex, PoisonError};

use time::Duration;

use super::Crm;
use crate::customers::CustomerDetails;
use crate::error::Error;
use crate::instant::Instant;
use crate::permissions::{Action, Actor};
use crate::ports::profiles::{Profile, ProfileError};
use crate::values::normalise::{fold, fold_compact};
use crate::values::{LineUserId, Problem};

/// How long a list that was read whole is shown again.
const FRESH: Duration = Duration::MINUTE;
/// The most pages that are read: far more members than a company has, and an end if the directory names none.
const PAGES: usize = 300;

/// The members that can be chosen.
#[derive(Debug, Clone, Default)]
pub struct MemberChoice {
    /// Those that the directory told of, in its order.
    pub members: Arc<Vec<Profile>>,
    /// Why these are not all, or none at all.
    pub problem: Option<ProfileError>,
}

impl MemberChoice {
    /// Those whose name, reading or login id contains what was typed, however it was spelt; all for an empty text.
    pub fn matching(&self, typed: &str) -> impl Iterator<Item = &Profile> {
        let wanted = fold_compact(typed);
        self.members.iter().filter(move |member| {
            let holds = |text: &str| fold_compact(text).contains(&wanted);
            wanted.is_empty()
                || holds(&member.name.full())
                || holds(&member.name.full_kana())
                || holds(&member.email)
        })
    }
}

/// The list that was read last, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct ChoiceCache(Arc<Mutex<Option<Kept>>>);

type Kept = (Instant, Arc<Vec<Profile>>);

impl ChoiceCache {
    fn get(&self, now: Instant) -> Option<Arc<Vec<Profile>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, members) = kept.as_ref()?;
        let age = now.since(*at);
        (Duration::ZERO <= age && age < FRESH).then(|| Arc::clone(members))
    }

    fn keep(&self, now: Instant, members: &Arc<Vec<Profile>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(members)));
    }
}

impl Crm {
    /// The members of LINE WORKS, for whoever ties one to a customer. What the directory cannot tell is no error here:
    /// the answer says why it is not whole.
    pub async fn line_works_members(&self, actor: &Actor) -> Result<MemberChoice, Error> {
        self.may(actor, Action::EditRecords)?;
        if let Some(members) = self.choice.get(self.now()) {
            return Ok(MemberChoice {
                members,
                problem: None,
            });
        }
        let (members, problem) = self.read_members().await;
        let members = Arc::new(members);
        if problem.is_none() {
            self.choice.keep(self.now(), &members);
        }
        Ok(MemberChoice { members, problem })
    }

    async fn read_members(&self) -> (Vec<Profile>, Option<ProfileError>) {
        let (mut members, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = match self.ports.profiles.list(cursor.clone()).await {
                Ok(page) => page,
                Err(problem) => return (members, Some(problem)),
            };
            members.extend(page.members);
            if page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
        }
        members.sort_by_cached_key(order);
        (members, None)
    }

    /// The details with the user id in place of a login id, which would never match a callback. A login id that is stored
    /// already may stay if nothing better can be had.
    pub(super) async fn with_user_id(
        &self,
        details: CustomerDetails,
        stored: Option<&LineUserId>,
    ) -> Result<CustomerDetails, Error> {
        let Some(typed) = details.line_user_id.as_ref().filter(|user| user.is_login_id()) else {
            return Ok(details);
        };
        match self.ports.profiles.look_up(typed).await {
            Ok(profile) => Ok(CustomerDetails {
                line_user_id: Some(profile.user_id),
                ..details
            }),
            Err(_) if stored == Some(typed) => Ok(details),
            Err(error) => Err(Error::field("line_user_id", unresolved(&error))),
        }
    }
}

/// By reading, or by name where there is none.
fn order(member: &Profile) -> String {
    let kana = member.name.full_kana();
    let shown = if kana.is_empty() { member.name.full() } else { kana };
    fold(&shown)
}

fn unresolved(error: &ProfileError) -> Problem {
    match error {
        ProfileError::NotFound => Problem::LoginUnknown,
        ProfileError::ScopeMissing => Problem::LoginScopeMissing,
        ProfileError::NotConfigured => Problem::LoginNotConfigured,
        ProfileError::Later { .. } | ProfileError::Refused(_) => Problem::LoginUnresolved,
    }
}
