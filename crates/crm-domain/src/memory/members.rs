//! Members in memory.

use super::state::State;
use super::unit::Unit;
use crate::instant::Instant;
use crate::members::{Grants, Member, MemberId, MemberQueries, MemberRepository, NewMember};
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct MemberRow {
    member: Member,
    password_hash: Option<String>,
}

impl State {
    pub(super) fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.get()).map(|row| &row.member)
    }

    fn member_row_by_email(&self, email_key: &str) -> Option<&MemberRow> {
        let mut rows = self.members.iter().map(|(_, row)| row);
        rows.find(|row| row.member.email.key() == email_key)
    }
}

impl MemberQueries for Unit {
    fn member(&mut self, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.look(|state| state.member(id).cloned())
    }

    fn member_by_email(&mut self, email_key: &str) -> Result<Option<(Member, Option<String>)>, StoreError> {
        self.look(|state| {
            let row = state.member_row_by_email(email_key)?;
            Some((row.member.clone(), row.password_hash.clone()))
        })
    }

    fn members(&mut self) -> Result<Vec<Member>, StoreError> {
        self.look(|state| {
            let mut members: Vec<_> = state.members.iter().map(|(_, row)| row.member.clone()).collect();
            members.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
            members
        })
    }
}

impl MemberRepository for Unit {
    fn add_member(&mut self, member: &NewMember, at: Instant) -> Result<MemberId, StoreError> {
        self.change(|state| {
            if state.member_row_by_email(&member.email.key()).is_some() {
                return Err(StoreError::Taken("email"));
            }
            let id = state.members.insert(|id| MemberRow {
                member: Member {
                    id: MemberId::new(id),
                    email: member.email.clone(),
                    name: member.name.clone(),
                    role: member.role,
                    grants: Grants::default(),
                    locale: None,
                    has_password: member.password_hash.is_some(),
                    disabled_at: None,
                    created_at: at,
                },
                password_hash: member.password_hash.clone(),
            });
            Ok(MemberId::new(id))
        })
    }

    fn update_member(&mut self, member: &Member) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(row) = state.members.get_mut(member.id.get()) {
                row.member.name.clone_from(&member.name);
                row.member.role = member.role;
                row.member.grants = member.grants;
                row.member.locale = member.locale;
                row.member.disabled_at = member.disabled_at;
            }
            Ok(())
        })
    }

    fn set_password(&mut self, id: MemberId, hash: &str) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(row) = state.members.get_mut(id.get()) {
                row.password_hash = Some(hash.to_owned());
                row.member.has_password = true;
            }
            Ok(())
        })
    }
}
