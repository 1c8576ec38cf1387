//! Sessions, tokens and one-time links in memory.

use super::state::State;
use super::unit::Unit;
use crate::instant::Instant;
use crate::members::{
    ApiToken, CredentialQueries, CredentialRepository, Member, MemberId, NewToken, OneTimeLink, SecretHash,
    Session, TokenId,
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
pub(super) struct SetupLink {
    hash: SecretHash,
    expires_at: Instant,
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

    /// Ends the sessions for which this holds; returns how many were living.
    fn end_sessions(&mut self, which: impl Fn(&Session) -> bool) -> usize {
        let rows = self.sessions.iter_mut();
        rows.filter(|row| !row.ended && which(&row.session))
            .map(|row| row.ended = true)
            .count()
    }

    /// Revokes the tokens for which this holds; returns how many were valid.
    fn revoke_tokens(&mut self, at: Instant, which: impl Fn(&ApiToken) -> bool) -> usize {
        let rows = self.tokens.iter_mut();
        rows.filter(|row| row.token.revoked_at.is_none() && which(&row.token))
            .map(|row| row.token.revoked_at = Some(at))
            .count()
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

    fn sessions(&mut self, member: Option<MemberId>) -> Result<Vec<(Session, Member)>, StoreError> {
        self.look(|state| {
            let rows = state.sessions.iter().map(|(_, row)| row);
            let wanted = rows.filter(|row| !row.ended && member.is_none_or(|id| id == row.session.member_id));
            let mut found: Vec<_> = wanted
                .filter_map(|row| Some((row.session.clone(), state.member(row.session.member_id)?.clone())))
                .collect();
            found.sort_by_key(|(session, _)| (std::cmp::Reverse(session.seen_at), session.hash));
            found
        })
    }

    fn tokens(&mut self, member: Option<MemberId>) -> Result<Vec<(ApiToken, Member)>, StoreError> {
        self.look(|state| {
            let newest_first = state.tokens.iter().rev().map(|(_, row)| &row.token);
            newest_first
                .filter(|token| member.is_none_or(|id| id == token.member_id))
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

    fn setup_link(&mut self, hash: &SecretHash) -> Result<Option<Instant>, StoreError> {
        self.look(|state| {
            let mut links = state.setup_links.iter().map(|(_, link)| link);
            Some(links.find(|link| link.hash == *hash)?.expires_at)
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

    fn renew_session(&mut self, old: &SecretHash, new: &SecretHash) -> Result<bool, StoreError> {
        self.change(|state| {
            let session = state.living_session(old);
            Ok(session.map(|session| session.hash = *new).is_some())
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

    fn end_sessions_of(&mut self, member: MemberId, but: Option<&SecretHash>) -> Result<usize, StoreError> {
        self.change(|state| {
            state
                .pending_sign_ins
                .retain(|pending| pending.member_id != member);
            Ok(state.end_sessions(|session| session.member_id == member && but != Some(&session.hash)))
        })
    }

    fn end_all_sessions(&mut self) -> Result<usize, StoreError> {
        self.change(|state| {
            state.pending_sign_ins.retain(|_| false);
            Ok(state.end_sessions(|_| true))
        })
    }

    fn forget_sessions(&mut self, begun_before: Instant, seen_before: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state
                .sessions
                .retain(|row| row.session.created_at >= begun_before && row.session.seen_at >= seen_before);
            Ok(())
        })
    }

    fn add_token(&mut self, token: &NewToken, at: Instant) -> Result<TokenId, StoreError> {
        self.change(|state| {
            let id = state.tokens.insert(|id| TokenRow {
                token: ApiToken {
                    id: TokenId::new(id),
                    member_id: token.member_id,
                    name: token.name.clone(),
                    scopes: token.scopes,
                    created_at: at,
                    expires_at: token.expires_at,
                    revoked_at: None,
                    used_at: None,
                },
                hash: token.hash,
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

    fn revoke_tokens_of(&mut self, member: MemberId, at: Instant) -> Result<usize, StoreError> {
        self.change(|state| Ok(state.revoke_tokens(at, |token| token.member_id == member)))
    }

    fn revoke_all_tokens(&mut self, at: Instant) -> Result<usize, StoreError> {
        self.change(|state| Ok(state.revoke_tokens(at, |_| true)))
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

    fn add_setup_link(
        &mut self,
        hash: &SecretHash,
        expires_at: Instant,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.change(|state| {
            state.setup_links.retain(|link| link.expires_at > at);
            state.setup_links.insert(|_| SetupLink {
                hash: *hash,
                expires_at,
            });
            Ok(())
        })
    }

    fn take_setup_link(&mut self, hash: &SecretHash) -> Result<bool, StoreError> {
        self.change(|state| {
            let there = state.setup_links.iter().any(|(_, link)| link.hash == *hash);
            state.setup_links.retain(|_| !there);
            Ok(there)
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
