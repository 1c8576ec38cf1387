//! Second factors in memory.

use super::state::State;
use super::unit::Unit;
use crate::factors::{Factor, FactorQueries, FactorRepository, PendingSignIn};
use crate::instant::Instant;
use crate::members::{MemberId, SecretHash};
use crate::ports::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct FactorRow {
    pub(super) factor: Factor,
    last_step: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct RecoveryCodeRow {
    member: MemberId,
    hash: SecretHash,
    used_at: Option<Instant>,
}

impl State {
    fn factor_row(&mut self, member: MemberId) -> Option<&mut FactorRow> {
        let mut rows = self.factors.iter_mut();
        rows.find(|row| row.factor.member_id == member)
    }
}

impl FactorQueries for Unit {
    fn factor(&mut self, member: MemberId) -> Result<Option<Factor>, StoreError> {
        self.look(|state| {
            let mut rows = state.factors.iter().map(|(_, row)| &row.factor);
            rows.find(|factor| factor.member_id == member).cloned()
        })
    }

    fn members_with_factor(&mut self) -> Result<Vec<MemberId>, StoreError> {
        self.look(|state| {
            let rows = state.factors.iter().map(|(_, row)| &row.factor);
            let mut members: Vec<_> = rows
                .filter(|factor| factor.confirmed_at.is_some())
                .map(|factor| factor.member_id)
                .collect();
            members.sort();
            members
        })
    }

    fn recovery_codes_left(&mut self, member: MemberId) -> Result<usize, StoreError> {
        self.look(|state| {
            let codes = state.recovery_codes.iter().map(|(_, code)| code);
            codes
                .filter(|code| code.member == member && code.used_at.is_none())
                .count()
        })
    }

    fn pending_sign_in(&mut self, hash: &SecretHash) -> Result<Option<PendingSignIn>, StoreError> {
        self.look(|state| {
            let mut rows = state.pending_sign_ins.iter().map(|(_, pending)| pending);
            rows.find(|pending| pending.hash == *hash).cloned()
        })
    }
}

impl FactorRepository for Unit {
    fn put_factor(&mut self, factor: &Factor) -> Result<(), StoreError> {
        self.change(|state| {
            state
                .factors
                .retain(|row| row.factor.member_id != factor.member_id);
            state.factors.insert(|_| FactorRow {
                factor: factor.clone(),
                last_step: None,
            });
            Ok(())
        })
    }

    fn confirm_factor(&mut self, member: MemberId, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            if let Some(row) = state.factor_row(member) {
                row.factor.confirmed_at = Some(at);
            }
            Ok(())
        })
    }

    fn accept_step(&mut self, member: MemberId, step: i64) -> Result<bool, StoreError> {
        self.change(|state| match state.factor_row(member) {
            Some(row) if row.last_step.is_none_or(|last| last < step) => {
                row.last_step = Some(step);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    fn remove_factor(&mut self, member: MemberId) -> Result<bool, StoreError> {
        self.change(|state| {
            let there = state.factor_row(member).is_some();
            state.factors.retain(|row| row.factor.member_id != member);
            state.recovery_codes.retain(|code| code.member != member);
            Ok(there)
        })
    }

    fn set_recovery_codes(&mut self, member: MemberId, hashes: &[SecretHash]) -> Result<(), StoreError> {
        self.change(|state| {
            state.recovery_codes.retain(|code| code.member != member);
            for hash in hashes {
                state.recovery_codes.insert(|_| RecoveryCodeRow {
                    member,
                    hash: *hash,
                    used_at: None,
                });
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
        self.change(|state| {
            let mut codes = state.recovery_codes.iter_mut();
            let unused =
                codes.find(|code| code.member == member && code.hash == *hash && code.used_at.is_none());
            Ok(unused.map(|code| code.used_at = Some(at)).is_some())
        })
    }

    fn add_pending_sign_in(&mut self, pending: &PendingSignIn, at: Instant) -> Result<(), StoreError> {
        self.change(|state| {
            state.pending_sign_ins.retain(|other| other.expires_at > at);
            state.pending_sign_ins.insert(|_| pending.clone());
            Ok(())
        })
    }

    fn take_pending_sign_in(&mut self, hash: &SecretHash) -> Result<bool, StoreError> {
        self.change(|state| {
            let there = state
                .pending_sign_ins
                .iter()
                .any(|(_, pending)| pending.hash == *hash);
            state.pending_sign_ins.retain(|pending| pending.hash != *hash);
            Ok(there)
        })
    }
}
