//! The members of LINE WORKS behind the domain's port.

use async_trait::async_trait;
use crm_domain::ports::messenger::SendProblem;
use crm_domain::ports::profiles::{Profile, ProfileError, ProfilePage, ProfileSource};
use crm_domain::values::LineUserId;

use crate::client::LineWorks;
use crate::directory::{LIST, LOOK_UP};
use crate::encode;
use crate::users;

/// Members on a page: the most that LINE WORKS gives.
const PAGE: usize = 100;

#[async_trait]
impl ProfileSource for LineWorks {
    async fn look_up(&self, id: &LineUserId) -> Result<Profile, ProfileError> {
        let Some(user) = encode::segment(id.as_str()) else {
            return Err(ProfileError::NotFound);
        };
        let body = self.directory.get(format!("/users/{user}"), LOOK_UP).await?;
        users::profile(&body).ok_or_else(nonsense)
    }

    async fn list(&self, cursor: Option<String>) -> Result<ProfilePage, ProfileError> {
        let mut path = format!("/users?count={PAGE}");
        if let Some(cursor) = cursor {
            path = format!("{path}&cursor={}", encode::percent(&cursor));
        }
        let body = self.directory.get(path, LIST).await?;
        users::page(&body).ok_or_else(nonsense)
    }
}

/// An answer that is no member and no list of them.
fn nonsense() -> ProfileError {
    ProfileError::Later {
        problem: SendProblem::ServerError,
        wait: None,
    }
}
