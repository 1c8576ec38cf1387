//! Sessions, tokens, one-time links, failed sign-ins.

use crm_domain::instant::Instant;
use crm_domain::members::{
    ApiToken, CredentialQueries, CredentialRepository, Device, LinkPurpose, Member, MemberId, NewToken,
    OneTimeLink, Scopes, SecretHash, Session, TokenId,
};
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::Uow;
use super::members::MemberRow;
use crate::mend::corrupt;
use crate::schema::{
    api_tokens, failed_sign_ins, members, one_time_links, pending_sign_ins, sessions, setup_links,
};
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct TokenRow {
    id: i64,
    member_id: i64,
    name: String,
    created_at: Stamp,
    expires_at: Option<Stamp>,
    revoked_at: Option<Stamp>,
    used_at: Option<Stamp>,
    may_read: bool,
    may_write: bool,
    may_send: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    hash: Vec<u8>,
    member_id: i64,
    created_at: Stamp,
    seen_at: Stamp,
    address: Option<String>,
    agent: Option<String>,
}

fn to_session((row, member): (SessionRow, MemberRow)) -> Result<(Session, Member), StoreError> {
    let hash = SecretHash::try_from(row.hash.as_slice());
    let session = Session {
        hash: hash.map_err(|_| corrupt("sessions", "hash", row.member_id))?,
        member_id: MemberId::new(row.member_id),
        created_at: row.created_at.0,
        seen_at: row.seen_at.0,
        device: Device {
            address: row.address,
            agent: row.agent,
        },
    };
    Ok((session, member.try_into()?))
}

fn to_token((row, member): (TokenRow, MemberRow)) -> Result<(ApiToken, Member), StoreError> {
    let token = ApiToken {
        id: TokenId::new(row.id),
        member_id: MemberId::new(row.member_id),
        name: row.name,
        scopes: Scopes {
            read: row.may_read,
            write: row.may_write,
            send: row.may_send,
        },
        created_at: row.created_at.0,
        expires_at: row.expires_at.map(|at| at.0),
        revoked_at: row.revoked_at.map(|at| at.0),
        used_at: row.used_at.map(|at| at.0),
    };
    Ok((token, member.try_into()?))
}

impl CredentialQueries for Uow<'_> {
    fn session(&mut self, hash: &SecretHash) -> Result<Option<(Session, Member)>, StoreError> {
        self.run(|conn| {
            let row = sessions::table
                .inner_join(members::table)
                .filter(sessions::hash.eq(hash.as_slice()))
                .select((SessionRow::as_select(), MemberRow::as_select()))
                .first(conn)
                .optional()?;
            Ok(row.map(to_session).transpose()?)
        })
    }

    fn sessions(&mut self, member: Option<MemberId>) -> Result<Vec<(Session, Member)>, StoreError> {
        self.run(|conn| {
            let all = sessions::table
                .inner_join(members::table)
                .order_by((sessions::seen_at.desc(), sessions::hash))
                .select((SessionRow::as_select(), MemberRow::as_select()));
            let rows = match member {
                Some(member) => all.filter(sessions::member_id.eq(member.get())).load(conn)?,
                None => all.load(conn)?,
            };
            Ok(rows.into_iter().map(to_session).collect::<Result<_, _>>()?)
        })
    }

    fn token_by_hash(&mut self, hash: &SecretHash) -> Result<Option<(ApiToken, Member)>, StoreError> {
        self.run(|conn| {
            let row = api_tokens::table
                .inner_join(members::table)
                .filter(api_tokens::hash.eq(hash.as_slice()))
                .filter(api_tokens::revoked_at.is_null())
                .select((TokenRow::as_select(), MemberRow::as_select()))
                .first(conn)
                .optional()?;
            Ok(row.map(to_token).transpose()?)
        })
    }

    fn tokens(&mut self, member: Option<MemberId>) -> Result<Vec<(ApiToken, Member)>, StoreError> {
        self.run(|conn| {
            let all = api_tokens::table
                .inner_join(members::table)
                .order_by(api_tokens::id.desc())
                .select((TokenRow::as_select(), MemberRow::as_select()));
            let rows = match member {
                Some(member) => all.filter(api_tokens::member_id.eq(member.get())).load(conn)?,
                None => all.load(conn)?,
            };
            Ok(rows.into_iter().map(to_token).collect::<Result<_, _>>()?)
        })
    }

    fn one_time_link(&mut self, hash: &SecretHash) -> Result<Option<OneTimeLink>, StoreError> {
        self.run(|conn| {
            let row = one_time_links::table
                .find(hash.as_slice())
                .filter(one_time_links::used_at.is_null())
                .select((
                    one_time_links::member_id,
                    one_time_links::purpose,
                    one_time_links::expires_at,
                ))
                .first::<(i64, String, Stamp)>(conn)
                .optional()?;
            let Some((member, purpose, expires_at)) = row else {
                return Ok(None);
            };
            let purpose = LinkPurpose::from_code(&purpose);
            Ok(Some(OneTimeLink {
                hash: *hash,
                member_id: MemberId::new(member),
                purpose: purpose.ok_or_else(|| corrupt("one_time_links", "purpose", member))?,
                expires_at: expires_at.0,
            }))
        })
    }

    fn setup_link(&mut self, hash: &SecretHash) -> Result<Option<Instant>, StoreError> {
        self.run(|conn| {
            let expires_at = setup_links::table
                .find(hash.as_slice())
                .select(setup_links::expires_at)
                .first::<Stamp>(conn)
                .optional()?;
            Ok(expires_at.map(|at| at.0))
        })
    }

    fn failed_sign_ins(&mut self, account: &SecretHash, since: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let count: i64 = failed_sign_ins::table
                .filter(failed_sign_ins::account.eq(account.as_slice()))
                .filter(failed_sign_ins::at.ge(Stamp(since)))
                .count()
                .get_result(conn)?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }
}

impl CredentialRepository for Uow<'_> {
    fn add_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::insert_into(sessions::table)
                .values((
                    sessions::hash.eq(session.hash.as_slice()),
                    sessions::member_id.eq(session.member_id.get()),
                    sessions::created_at.eq(Stamp(session.created_at)),
                    sessions::seen_at.eq(Stamp(session.seen_at)),
                    sessions::address.eq(session.device.address.as_deref()),
                    sessions::agent.eq(session.device.agent.as_deref()),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn touch_session(&mut self, hash: &SecretHash, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(sessions::table.find(hash.as_slice()))
                .set(sessions::seen_at.eq(Stamp(at)))
                .execute(conn)?;
            Ok(())
        })
    }

    fn renew_session(&mut self, old: &SecretHash, new: &SecretHash) -> Result<bool, StoreError> {
        self.run(|conn| {
            let renewed = diesel::update(sessions::table.find(old.as_slice()))
                .set(sessions::hash.eq(new.as_slice()))
                .execute(conn)?;
            Ok(renewed == 1)
        })
    }

    fn end_session(&mut self, hash: &SecretHash) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::delete(sessions::table.find(hash.as_slice())).execute(conn)?;
            Ok(())
        })
    }

    fn end_sessions_of(&mut self, member: MemberId, but: Option<&SecretHash>) -> Result<usize, StoreError> {
        self.run(|conn| {
            let waiting = pending_sign_ins::table.filter(pending_sign_ins::member_id.eq(member.get()));
            diesel::delete(waiting).execute(conn)?;
            let kept = but.map_or(&[][..], SecretHash::as_slice);
            let others = sessions::table
                .filter(sessions::member_id.eq(member.get()))
                .filter(sessions::hash.ne(kept));
            Ok(diesel::delete(others).execute(conn)?)
        })
    }

    fn end_all_sessions(&mut self) -> Result<usize, StoreError> {
        self.run(|conn| {
            diesel::delete(pending_sign_ins::table).execute(conn)?;
            Ok(diesel::delete(sessions::table).execute(conn)?)
        })
    }

    fn forget_sessions(&mut self, begun_before: Instant, seen_before: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let over = sessions::table.filter(
                sessions::created_at
                    .lt(Stamp(begun_before))
                    .or(sessions::seen_at.lt(Stamp(seen_before))),
            );
            diesel::delete(over).execute(conn)?;
            Ok(())
        })
    }

    fn add_token(&mut self, token: &NewToken, at: Instant) -> Result<TokenId, StoreError> {
        self.run(|conn| {
            let id = diesel::insert_into(api_tokens::table)
                .values((
                    api_tokens::hash.eq(token.hash.as_slice()),
                    api_tokens::member_id.eq(token.member_id.get()),
                    api_tokens::name.eq(&token.name),
                    api_tokens::may_read.eq(token.scopes.read),
                    api_tokens::may_write.eq(token.scopes.write),
                    api_tokens::may_send.eq(token.scopes.send),
                    api_tokens::created_at.eq(Stamp(at)),
                    api_tokens::expires_at.eq(token.expires_at.map(Stamp)),
                ))
                .returning(api_tokens::id)
                .get_result(conn)?;
            Ok(TokenId::new(id))
        })
    }

    fn touch_token(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(api_tokens::table.find(id.get()))
                .set(api_tokens::used_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(())
        })
    }

    fn revoke_token(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let valid = api_tokens::table
                .find(id.get())
                .filter(api_tokens::revoked_at.is_null());
            let revoked = diesel::update(valid)
                .set(api_tokens::revoked_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(revoked == 1)
        })
    }

    fn revoke_tokens_of(&mut self, member: MemberId, at: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let valid = api_tokens::table
                .filter(api_tokens::member_id.eq(member.get()))
                .filter(api_tokens::revoked_at.is_null());
            Ok(diesel::update(valid)
                .set(api_tokens::revoked_at.eq(Some(Stamp(at))))
                .execute(conn)?)
        })
    }

    fn revoke_all_tokens(&mut self, at: Instant) -> Result<usize, StoreError> {
        self.run(|conn| {
            let valid = api_tokens::table.filter(api_tokens::revoked_at.is_null());
            Ok(diesel::update(valid)
                .set(api_tokens::revoked_at.eq(Some(Stamp(at))))
                .execute(conn)?)
        })
    }

    fn add_one_time_link(&mut self, link: &OneTimeLink, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::insert_into(one_time_links::table)
                .values((
                    one_time_links::hash.eq(link.hash.as_slice()),
                    one_time_links::member_id.eq(link.member_id.get()),
                    one_time_links::purpose.eq(link.purpose.code()),
                    one_time_links::created_at.eq(Stamp(at)),
                    one_time_links::expires_at.eq(Stamp(link.expires_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn use_one_time_link(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError> {
        self.run(|conn| {
            let unused = one_time_links::table
                .find(hash.as_slice())
                .filter(one_time_links::used_at.is_null());
            let used = diesel::update(unused)
                .set(one_time_links::used_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(used == 1)
        })
    }

    fn add_setup_link(
        &mut self,
        hash: &SecretHash,
        expires_at: Instant,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.run(|conn| {
            let expired = setup_links::table.filter(setup_links::expires_at.le(Stamp(at)));
            diesel::delete(expired).execute(conn)?;
            diesel::insert_into(setup_links::table)
                .values((
                    setup_links::hash.eq(hash.as_slice()),
                    setup_links::expires_at.eq(Stamp(expires_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn take_setup_link(&mut self, hash: &SecretHash) -> Result<bool, StoreError> {
        self.run(|conn| {
            let taken = diesel::delete(setup_links::table.find(hash.as_slice())).execute(conn)?;
            if taken == 1 {
                diesel::delete(setup_links::table).execute(conn)?;
            }
            Ok(taken == 1)
        })
    }

    fn add_failed_sign_in(&mut self, account: &SecretHash, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::insert_into(failed_sign_ins::table)
                .values((
                    failed_sign_ins::account.eq(account.as_slice()),
                    failed_sign_ins::at.eq(Stamp(at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn forget_failed_sign_ins(&mut self, before: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let old = failed_sign_ins::table.filter(failed_sign_ins::at.lt(Stamp(before)));
            diesel::delete(old).execute(conn)?;
            Ok(())
        })
    }
}
