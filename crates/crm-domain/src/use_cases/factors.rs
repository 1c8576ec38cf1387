//! Second factors: taking an authenticator app up, recovery codes, turning it off.

use super::Crm;
use super::sessions::in_person;
use super::sign_in::{counted_since, refuse_after};
use crate::audit::{Act, Change, Deed};
use crate::error::Error;
use crate::factors::Factor;
use crate::instant::Instant;
use crate::members::{Member, MemberId, SecretHash};
use crate::permissions::{Action, Actor};
use crate::ports::one_time_codes::AppEntry;
use crate::ports::store::{StoreExt, UnitOfWork};
use crate::ports::vault::Place;
use crate::values::Problem;
use crate::values::normalise::fold_compact;

/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a seed: as many as SHA-1 gives.
const SEED_BYTES: usize = 20;
/// Letters of a recovery code: 24 of 32 kinds are 120 bits, so that a plain hash of it cannot be tried through.
const RECOVERY_LETTERS: usize = 24;
/// Letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// How a member's second factor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorStatus {
    /// Since when it is asked for at sign-in; `None` if it is not.
    pub since: Option<Instant>,
    /// How many recovery codes are left.
    pub recovery_codes_left: usize,
}

/// What a code that was typed proves, if the store has not seen it yet.
#[derive(Clone)]
pub(super) enum Proof {
    /// The code of this step.
    Step(i64),
    /// A recovery code with this hash, if there is one.
    Recovery(SecretHash),
    /// Nothing.
    Nothing,
}

impl Crm {
    /// How one's own second factor stands.
    pub async fn factor_status(&self, actor: &Actor) -> Result<FactorStatus, Error> {
        let id = in_person(actor)?;
        self.ports
            .store
            .read(move |unit| {
                let factor = unit.factors().factor(id)?;
                Ok(FactorStatus {
                    since: factor.and_then(|factor| factor.confirmed_at),
                    recovery_codes_left: unit.factors().recovery_codes_left(id)?,
                })
            })
            .await
    }

    /// Who has a second factor, for the list of members.
    pub async fn members_with_factor(&self, actor: &Actor) -> Result<Vec<MemberId>, Error> {
        self.may(actor, Action::ManageMembers)?;
        self.ports
            .store
            .read(|unit| Ok(unit.factors().members_with_factor()?))
            .await
    }

    /// Makes a seed for an authenticator app; it counts once [`Crm::confirm_factor`] saw a code of it. `issuer` is what the
    /// app shows above the code. A wrong password is a field error of `current_password`. [`Error::FactorOn`] if there is
    /// one already.
    pub async fn begin_factor(
        &self,
        actor: &Actor,
        current_password: &str,
        issuer: &str,
    ) -> Result<AppEntry, Error> {
        let id = in_person(actor)?;
        let myself = self.check_own_password(id, current_password).await?;
        let now = self.now();
        let mut seed = [0; SEED_BYTES];
        self.ports.secrets.fill(&mut seed);
        let factor = Factor {
            member_id: id,
            seed: self.ports.vault.seal(&seed_place(id), &seed)?,
            created_at: now,
            confirmed_at: None,
        };
        self.act_again(self.trace(actor), move |uow, _| {
            let present = uow.factors().factor(id)?;
            if present.is_some_and(|present| present.confirmed_at.is_some()) {
                return Err(Error::FactorOn);
            }
            uow.edit_factors().put_factor(&factor)?;
            Ok(Deed::on(Act::FactorBegun, id)
                .with([Change::masked("seed")])
                .gives(()))
        })
        .await?;
        Ok(self.ports.codes.app_entry(&seed, issuer, myself.email.as_str()))
    }

    /// What the app takes in for a factor that was begun and is not confirmed yet, to show it once more; `None` if there
    /// is none.
    pub async fn factor_begun(&self, actor: &Actor, issuer: &str) -> Result<Option<AppEntry>, Error> {
        let myself = self.myself(actor).await?;
        let id = in_person(actor)?;
        let Some(factor) = self.stored_factor(id).await? else {
            return Ok(None);
        };
        if factor.confirmed_at.is_some() {
            return Ok(None);
        }
        let seed = self.ports.vault.open(&seed_place(id), &factor.seed)?;
        Ok(Some(self.ports.codes.app_entry(
            &seed,
            issuer,
            myself.email.as_str(),
        )))
    }

    /// Turns the second factor on with a first code of the app and returns the recovery codes, which nothing shows again.
    /// One's other sessions end; `session` is the secret of the present one.
    pub async fn confirm_factor(
        &self,
        actor: &Actor,
        session: &str,
        code: &str,
    ) -> Result<Vec<String>, Error> {
        let id = in_person(actor)?;
        let now = self.now();
        let account = self.own_account(id);
        let factor = self.stored_factor(id).await?.ok_or(Error::NotFound("factor"))?;
        if factor.confirmed_at.is_some() {
            return Err(Error::FactorOn);
        }
        let proof = match self.proof(id, code, now).await? {
            step @ Proof::Step(_) => step,
            Proof::Recovery(_) | Proof::Nothing => Proof::Nothing,
        };
        let (codes, hashes) = self.new_recovery_codes(id);
        let session = self.ports.secrets.hash(session.as_bytes());
        let trace = self.trace(actor);
        let turned_on = self.ports.store.write(move |uow| {
            if !attempt(uow, id, &proof, account, now)? {
                return Ok(None);
            }
            uow.edit_factors().confirm_factor(id, now)?;
            uow.edit_factors().set_recovery_codes(id, &hashes)?;
            uow.edit_credentials().end_sessions_of(id, Some(&session))?;
            trace.write(uow, &[Deed::on(Act::FactorAdded, id)])?;
            Ok(Some(()))
        });
        self.tried(turned_on.await, id).await?;
        Ok(codes)
    }

    /// Replaces one's recovery codes, with a code of the app, and returns the new ones, which nothing shows again.
    pub async fn renew_recovery_codes(&self, actor: &Actor, code: &str) -> Result<Vec<String>, Error> {
        let id = in_person(actor)?;
        let now = self.now();
        let account = self.own_account(id);
        let proof = self.proof(id, code, now).await?;
        let (codes, hashes) = self.new_recovery_codes(id);
        let trace = self.trace(actor);
        let renewed = self.ports.store.write(move |uow| {
            need_factor(uow, id)?;
            if !attempt(uow, id, &proof, account, now)? {
                return Ok(None);
            }
            uow.edit_factors().set_recovery_codes(id, &hashes)?;
            trace.write(uow, &[Deed::on(Act::RecoveryCodesMade, id)])?;
            Ok(Some(()))
        });
        self.tried(renewed.await, id).await?;
        Ok(codes)
    }

    /// Turns one's second factor off with the password and a code, a recovery code if the app is lost. One's other
    /// sessions end.
    pub async fn turn_off_factor(
        &self,
        actor: &Actor,
        session: &str,
        current_password: &str,
        code: &str,
    ) -> Result<(), Error> {
        let id = in_person(actor)?;
        self.check_own_password(id, current_password).await?;
        let now = self.now();
        let account = self.own_account(id);
        let proof = self.proof(id, code, now).await?;
        let session = self.ports.secrets.hash(session.as_bytes());
        let trace = self.trace(actor);
        let turned_off = self.ports.store.write(move |uow| {
            need_factor(uow, id)?;
            if !attempt(uow, id, &proof, account, now)? {
                return Ok(None);
            }
            uow.edit_factors().remove_factor(id)?;
            uow.edit_credentials().end_sessions_of(id, Some(&session))?;
            trace.write(uow, &[Deed::on(Act::FactorRemoved, id)])?;
            Ok(Some(()))
        });
        self.tried(turned_off.await, id).await
    }

    /// Takes a member's second factor away, who lost app and recovery codes, and ends the member's sessions.
    pub async fn reset_factors(&self, actor: &Actor, id: MemberId) -> Result<(), Error> {
        self.of_another(actor, id)?;
        self.act(actor, Action::ManageMembers, move |uow, _| {
            uow.members().member(id)?.ok_or(Error::NotFound("member"))?;
            if !uow.edit_factors().remove_factor(id)? {
                return Err(Error::NotFound("factor"));
            }
            uow.edit_credentials().end_sessions_of(id, None)?;
            Ok(Deed::on(Act::FactorsReset, id).gives(()))
        })
        .await
    }

    /// What a code proves for a member. Full-width digits and blanks are forgiven.
    pub(super) async fn proof(&self, id: MemberId, code: &str, now: Instant) -> Result<Proof, Error> {
        let typed = fold_compact(code).replace('-', "");
        if typed.len() == RECOVERY_LETTERS {
            return Ok(Proof::Recovery(self.recovery_hash(id, &typed)));
        }
        let Some(factor) = self.stored_factor(id).await? else {
            return Ok(Proof::Nothing);
        };
        let seed = self.ports.vault.open(&seed_place(id), &factor.seed)?;
        let step = self.ports.codes.step_of(&seed, &typed, now);
        Ok(step.map_or(Proof::Nothing, Proof::Step))
    }

    async fn stored_factor(&self, id: MemberId) -> Result<Option<Factor>, Error> {
        self.ports
            .store
            .read(move |unit| Ok(unit.factors().factor(id)?))
            .await
    }

    /// One's present password is asked for once more before what protects the account is changed. Wrong ones are counted
    /// apart from sign-ins, so that a stranger's guesses at the door do not keep the owner from changing it.
    pub(super) async fn check_own_password(&self, id: MemberId, password: &str) -> Result<Member, Error> {
        let now = self.now();
        let account = self.own_account(id);
        refuse_after(self.failures(account, now).await?)?;
        let found: Option<(Member, Option<String>)> = self
            .ports
            .store
            .read(move |unit| {
                let Some(member) = unit.members().member(id)? else {
                    return Ok::<_, Error>(None);
                };
                Ok(unit.members().member_by_email(&member.email.key())?)
            })
            .await?;
        let (member, hash) = found.ok_or(Error::NotFound("member"))?;
        if self.ports.passwords.verify(password, hash.as_deref()).await? {
            return Ok(member);
        }
        self.note_wrong_proof(account, now).await?;
        self.log_wrong_proof(Some(id)).await?;
        Err(Error::field("current_password", Problem::Malformed))
    }

    /// The counter of what a member proves once more while signed in.
    fn own_account(&self, id: MemberId) -> SecretHash {
        self.ports
            .secrets
            .hash(format!("member {id} in person").as_bytes())
    }

    /// What a unit of work with an [`attempt`] gave; none if the code was wrong.
    pub(super) async fn tried<T>(&self, outcome: Result<Option<T>, Error>, id: MemberId) -> Result<T, Error> {
        if let Some(done) = outcome? {
            return Ok(done);
        }
        self.log_wrong_proof(Some(id)).await?;
        Err(Error::field("code", Problem::WrongCode))
    }

    fn new_recovery_codes(&self, id: MemberId) -> (Vec<String>, Vec<SecretHash>) {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        let hashes = codes
            .iter()
            .map(|code| self.recovery_hash(id, &code.replace('-', "")))
            .collect();
        (codes, hashes)
    }

    /// Groups of four, as `abcd-efgh-…`.
    fn recovery_code(&self) -> String {
        let mut bytes = [0; RECOVERY_LETTERS];
        self.ports.secrets.fill(&mut bytes);
        let letters: Vec<char> = bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
            .collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }

    fn recovery_hash(&self, id: MemberId, letters: &str) -> SecretHash {
        self.ports
            .secrets
            .hash(format!("recovery code of member {id}\n{letters}").as_bytes())
    }
}

/// Uses what was proved up. If it is not good (any more) that is counted in the same unit of work, so that many who try at
/// once get no more tries than one after the other; the unit must be stored then too.
pub(super) fn attempt(
    uow: &mut dyn UnitOfWork,
    member: MemberId,
    proof: &Proof,
    account: SecretHash,
    now: Instant,
) -> Result<bool, Error> {
    let failures = uow.credentials().failed_sign_ins(&account, counted_since(now))?;
    refuse_after(failures)?;
    let good = match proof {
        Proof::Step(step) => uow.edit_factors().accept_step(member, *step)?,
        Proof::Recovery(hash) => uow.edit_factors().use_recovery_code(member, hash, now)?,
        Proof::Nothing => false,
    };
    if !good {
        uow.edit_credentials().add_failed_sign_in(&account, now)?;
    }
    Ok(good)
}

fn seed_place(id: MemberId) -> Place {
    Place::new(Factor::SEED_TABLE, Factor::SEED_COLUMN, id)
}

fn need_factor(uow: &mut dyn UnitOfWork, id: MemberId) -> Result<(), Error> {
    let factor = uow.factors().factor(id)?;
    let confirmed = factor.is_some_and(|factor| factor.confirmed_at.is_some());
    confirmed.then_some(()).ok_or(Error::NotFound("factor"))
}
