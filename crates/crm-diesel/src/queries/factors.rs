//! Second factors, recovery codes, and sign-ins that wait for one.

use crm_domain::factors::{Factor, FactorQueries, FactorRepository, PendingSignIn};
use crm_domain::instant::Instant;
use crm_domain::members::{MemberId, SecretHash};
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::Uow;
use crate::mend::corrupt;
use crate::schema::{member_factors, pending_sign_ins, recovery_codes};
use crate::stamp::Stamp;

impl FactorQueries for Uow<'_> {
    fn factor(&mut self, member: MemberId) -> Result<Option<Factor>, StoreError> {
        self.run(|conn| {
            let row = member_factors::table
                .find(member.get())
                .select((
                    member_factors::seed,
                    member_factors::created_at,
                    member_factors::confirmed_at,
                ))
                .first::<(Vec<u8>, Stamp, Option<Stamp>)>(conn)
                .optional()?;
            Ok(row.map(|(seed, created_at, confirmed_at)| Factor {
                member_id: member,
                seed,
                created_at: created_at.0,
                confirmed_at: confirmed_at.map(|at| at.0),
            }))
        })
    }

    fn members_with_factor(&mut self) -> Result<Vec<MemberId>, StoreError> {
        self.run(|conn| {
            let ids: Vec<i64> = member_factors::table
                .filter(member_factors::confirmed_at.is_not_null())
                .order_by(member_factors::member_id)
                .select(member_factors::member_id)
                .load(conn)?;
            Ok(ids.into_iter().map(MemberId::new).collect())
        })
    }

    fn recovery_codes_left(&mut self, member: MemberId) -> Result<usize, StoreError> {
        self.run(|conn| {
            let count: i64 = recovery_codes::table
                .filter(recovery_codes::member_id.eq(member.get()))
                .filter(recovery_codes::used_at.is_null())
                .count()
                .get_result(conn)?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }

    fn pending_sign_in(&mut self, hash: &SecretHash) -> Result<Option<PendingSignIn>, StoreError> {
        self.run(|conn| {
            let row = pending_sign_ins::table
                .find(hash.as_slice())
                .select((
                    pending_sign_ins::member_id,
                    pending_sign_ins::account,
                    pending_sign_ins::expires_at,
                ))
                .first::<(i64, Vec<u8>, Stamp)>(conn)
                .optional()?;
            let Some((member, account, expires_at)) = row else {
                return Ok(None);
            };
            let account = SecretHash::try_from(account.as_slice());
            Ok(Some(PendingSignIn {
                hash: *hash,
                member_id: MemberId::new(member),
                account: account.map_err(|_| corrupt("pending_sign_ins", "account", member))?,
                expires_at: expires_at.0,
            }))
        })
    }
}

impl FactorRepository for Uow<'_> {
    fn put_factor(&mut self, factor: &Factor) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::delete(member_factors::table.find(factor.member_id.get())).execute(conn)?;
            diesel::insert_into(member_factors::table)
                .values((
                    member_factors::member_id.eq(factor.member_id.get()),
                    member_factors::seed.eq(&factor.seed),
                    member_factors::created_at.eq(Stamp(factor.created_at)),
                    member_factors::confirmed_at.eq(factor.confirmed_at.map(Stamp)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn confirm_factor(&mut self, member: MemberId, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(member_factors::table.find(member.get()))
                .set(member_factors::confirmed_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(())
        })
    }

    fn accept_step(&mut self, member: MemberId, step: i64) -> Result<bool, StoreError> {
        self.run(|conn| {
            let before = member_factors::table.find(member.get()).filter(
                member_factors::last_step
                    .is_null()
                    .or(member_factors::last_step.lt(step)),
            );
            let accepted = diesel::update(before)
                .set(member_factors::last_step.eq(Some(step)))
                .execute(conn)?;
            Ok(accepted == 1)
        })
    }

    fn remove_factor(&mut self, member: MemberId) -> Result<bool, StoreError> {
        self.run(|conn| {
            let codes = recovery_codes::table.filter(recovery_codes::member_id.eq(member.get()));
            diesel::delete(codes).execute(conn)?;
            let removed = diesel::delete(member_factors::table.find(member.get())).execute(conn)?;
            Ok(removed == 1)
        })
    }

    fn set_recovery_codes(&mut self, member: MemberId, hashes: &[SecretHash]) -> Result<(), StoreError> {
        self.run(|conn| {
            let old = recovery_codes::table.filter(recovery_codes::member_id.eq(member.get()));
            diesel::delete(old).execute(conn)?;
            for hash in hashes {
                diesel::insert_into(recovery_codes::table)
                    .values((
                        recovery_codes::member_id.eq(member.get()),
                        recovery_codes::hash.eq(hash.as_slice()),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
    }

    fn use_recovery_code(
        &mut self,
        member: MemberId,
        hash: &SecretHash,
        at: Instant,
    ) -> Result<bool, StoreError> {
        self.run(|conn| {
            let unused = recovery_codes::table
                .filter(recovery_codes::member_id.eq(member.get()))
                .filter(recovery_codes::hash.eq(hash.as_slice()))
                .filter(recovery_codes::used_at.is_null());
            let used = diesel::update(unused)
                .set(recovery_codes::used_at.eq(Some(Stamp(at))))
                .execute(conn)?;
            Ok(used == 1)
        })
    }

    fn add_pending_sign_in(&mut self, pending: &PendingSignIn, at: Instant) -> Result<(), StoreError> {
        self.run(|conn| {
            let expired = pending_sign_ins::table.filter(pending_sign_ins::expires_at.le(Stamp(at)));
            diesel::delete(expired).execute(conn)?;
            diesel::insert_into(pending_sign_ins::table)
                .values((
                    pending_sign_ins::hash.eq(pending.hash.as_slice()),
                    pending_sign_ins::member_id.eq(pending.member_id.get()),
                    pending_sign_ins::account.eq(pending.account.as_slice()),
                    pending_sign_ins::expires_at.eq(Stamp(pending.expires_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn take_pending_sign_in(&mut self, hash: &SecretHash) -> Result<bool, StoreError> {
        self.run(|conn| {
            let taken = diesel::delete(pending_sign_ins::table.find(hash.as_slice())).execute(conn)?;
            Ok(taken == 1)
        })
    }
}
