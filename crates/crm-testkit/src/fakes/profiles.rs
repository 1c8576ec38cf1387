//! A directory of members that asks nobody.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use crm_domain::ports::profiles::{Profile, ProfileError, ProfilePage, ProfileSource};
use crm_domain::values::LineUserId;

use super::lock;

/// Knows the members it is given, in pages of two; fails by a script first.
#[derive(Debug, Default)]
pub struct FakeProfiles {
    members: Mutex<Vec<Profile>>,
    script: Mutex<VecDeque<ProfileError>>,
    asked: Mutex<Vec<String>>,
}

/// Members on a page.
const PAGE: usize = 2;

impl FakeProfiles {
    /// Adds a member.
    pub fn add(&self, member: Profile) {
        lock(&self.members).push(member);
    }

    /// The next question is answered so.
    pub fn fail_next(&self, error: ProfileError) {
        lock(&self.script).push_back(error);
    }

    /// What it was asked, oldest first: the id of a look-up, the cursor of a page, `first` for the first one.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    fn scripted(&self, question: &str) -> Result<(), ProfileError> {
        lock(&self.asked).push(question.to_owned());
        lock(&self.script).pop_front().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl ProfileSource for FakeProfiles {
    async fn look_up(&self, id: &LineUserId) -> Result<Profile, ProfileError> {
        self.scripted(id.as_str())?;
        let members = lock(&self.members);
        let mut meant = members
            .iter()
            .filter(|member| member.user_id == *id || member.email == id.as_str());
        meant.next().cloned().ok_or(ProfileError::NotFound)
    }

    async fn list(&self, cursor: Option<String>) -> Result<ProfilePage, ProfileError> {
        self.scripted(cursor.as_deref().unwrap_or("first"))?;
        let from = cursor.and_then(|text| text.parse().ok()).unwrap_or(0);
        let members = lock(&self.members);
        let page: Vec<Profile> = members.iter().skip(from).take(PAGE).cloned().collect();
        let end = from + page.len();
        Ok(ProfilePage {
            next: (end < members.len()).then(|| end.to_string()),
            members: page,
        })
    }
}
