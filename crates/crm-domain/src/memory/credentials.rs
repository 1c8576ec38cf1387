//! Sessions, tokens and one-time links in memory.

use super::state::State;
use super::unit::Unit;
use crate::instant::Instant;
use crate::members::{
    ApiToken, CredentialQueries, CredentialRepository, Member, MemberId, OneTimeLink, SecretHash, Session,
    TokenId,
};
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct SessionRow {
    session: Session,
    ended: bool,
}

#[derive(Debug, Clone)]
pub(super) struct TokenRow {
    token: ApiToken,
    hash: SecretHash,
}

#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    link: OneTimeLink,
    used_at: Option<Instant>,
}

#[derive(Debug, Clone)]
pub(super) struct FailedSignIn {
    account: SecretHash,
    at: Instant,
}

impl State {
    fn living_session(&mut self, hash: &SecretHash) -> Option<&mut Session> {
        let row = self
            .sessions
            .iter_mut()
            .find(|row| row.session.hash == *hash && !row.ended)?;
        Some(&mut row.session)
    }
}

impl CredentialQueries for Unit {
    fn session(&mut self, hash: &SecretHash) -> Result<Option<(Session, Member)>, StoreError> {
        self.look(|state| {
            let mut rows = state.sessions.iter().map(|(_, row)| row);
            let session = &rows.find(|row| row.session.hash == *hash && !row.ended)?.session;
            Some((session.clone(), state.member(session.member_id)?.clone()))
        })
    }

    fn token_by_hash(&mut self, hash: &SecretHash) -> Result<Option<(ApiToken, Member)>, StoreError> {
        self.look(|state| {
            let mut rows = state.tokens.iter().map(|(_, row)| row);
            let token = &rows
                .find(|row| row.hash == *hash && row.token.revoked_at.is_none())?
                .token;
            Some((token.clone(), state.member(token.member_id)?.clone()))
        })
    }

    fn tokens(&mut self) -> Result<Vec<(ApiToken, Member)>, StoreError> {
        self.look(|state| {
            let newest_first = state.tokens.iter().rev().map(|(_, row)| &row.token);
            newest_first
                .filter_map(|token| Some((token.clone(), state.member(token.member_id)?.clone())))
                .collect()
        })
    }

    fn one_time_link(&mut self, hash: &SecretHash) -> Result<Option<OneTimeLink>, StoreError> {
        self.look(|state| {
            let mut rows = state.links.iter().map(|(_, row)| row);
            let row = rows.find(|row| row.link.hash == *hash && row.used_at.is_none())?;
            Some(row.link.clone())
        })
    }

    fn failed_sign_ins(&mut self, account: &SecretHash, since: Instant) -> Result<usize, StoreError> {
        self.look(|state| {
            let failures = state.failed_sign_ins.iter();
            failures
                .filter(|(_, failed)| failed.account == *account && failed.at >= since)
                .count()
        })
    }
}

impl CredentialRepository for Unit {
    fn add_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.change(|state| {
            state.sessions.insert(|_| SessionRow {
                session: session.clone(),
                ended: false,
            });
            Ok(())
        })
    }

    fn touch_session(&mut self, hash: &SecretHash, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(session) = state.living_session(hash) {
                session.seen_at = at;
            }
            Ok(())
        })
    }

    fn end_session(&mut self, hash: &SecretHash) -> Result<(), StoreError> {
        self.change(|state| {
            let rows = state.sessions.iter_mut();
            rows.filter(|row| row.session.hash == *hash)
                .for_each(|row| row.ended = true);
            Ok(())
        })
    }

    fn end_sessions_of(&mut self, member: MemberId, but: Option<&SecretHash>) -> Result<(), StoreError> {
        self.change(|state| {
            let rows = state.sessions.iter_mut();
            rows.filter(|row| row.session.member_id == member && but != Some(&row.session.hash))
                .for_each(|row| row.ended = true);
            Ok(())
        })
    }

    fn add_token(
        &mut self,
        member: MemberId,
        name: &str,
        hash: &SecretHash,
        expires_at: Option<Instant>,
        at: Instant,
    ) -> Result<TokenId, StoreError> {
        self.change(|state| {
            let id = state.tokens.insert(|id| TokenRow {
                token: ApiToken {
                    id: TokenId::new(id),
                    member_id: member,
                    name: name.to_owned(),
                    created_at: at,
                    expires_at,
                    revoked_at: None,
                    used_at: None,
                },
                hash: *hash,
            });
            Ok(TokenId::new(id))
        })
    }

    fn touch_token(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(row) = state.tokens.get_mut(id.get()) {
                row.token.used_at = Some(at);
            }
            Ok(())
        })
    }

    fn revoke_token(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| match state.tokens.get_mut(id.get()) {
            Some(row) if row.token.revoked_at.is_none() => {
                row.token.revoked_at = Some(at);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn revoke_tokens_of(&mut self, member: MemberId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            let rows = state
                .tokens
                .iter_mut()
                .filter(|row| row.token.member_id == member);
            rows.for_each(|row| row.token.revoked_at = row.token.revoked_at.or(Some(at)));
            Ok(())
        })
    }

    fn add_one_time_link(&mut self, link: &OneTimeLink, _at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.links.insert(|_| LinkRow {
                link: link.clone(),
                used_at: None,
            });
            Ok(())
        })
    }

    fn use_one_time_link(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError> {
        self.change(|state| {
            let mut rows = state.links.iter_mut();
            match rows.find(|row| row.link.hash == *hash && row.used_at.is_none()) {
                Some(row) => {
                    row.used_at = Some(at);
                    Ok(true)
                }
                None => Ok(false),
            }
        })
    }

    fn add_failed_sign_in(&mut self, account: &SecretHash, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.failed_sign_ins.insert(|_| FailedSignIn {
                account: *account,
                at,
            });
            Ok(())
        })
    }

    fn forget_failed_sign_ins(&mut self, before: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.failed_sign_ins.retain(|failed| failed.at >= before);
            Ok(())
        })
    }
}
