//! Second factors: codes of an authenticator app (TOTP, RFC 6238), recovery codes, and sign-ins that wait for one.

use crate::instant::Instant;
use crate::members::{MemberId, SecretHash};
use crate::ports::store::StoreError;

/// A member's authenticator app as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Whose it is.
    pub member_id: MemberId,
    /// The seed, sealed for [`Factor::SEED_TABLE`], [`Factor::SEED_COLUMN`] and the member's id.
    pub seed: Vec<u8>,
    /// When it was begun.
    pub created_at: Instant,
    /// Since when it is asked for at sign-in; `None` until a first code proved that the app works.
    pub confirmed_at: Option<Instant>,
}

impl Factor {
    /// The table that holds the seed.
    pub const SEED_TABLE: &'static str = "member_factors";
    /// The column that holds the seed.
    pub const SEED_COLUMN: &'static str = "seed";
}

/// A sign-in whose password was right and that waits for the second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The hash of its secret.
    pub hash: SecretHash,
    /// Who signs in.
    pub member_id: MemberId,
    /// The counter against which wrong codes count.
    pub account: SecretHash,
    /// From when on it is refused.
    pub expires_at: Instant,
}

/// Looking second factors up.
pub trait FactorQueries {
    /// A member's authenticator app, unconfirmed ones too.
    fn factor(&mut self, member: MemberId) -> Result<Option<Factor>, StoreError>;

    /// Who has a confirmed one, by id.
    fn members_with_factor(&mut self) -> Result<Vec<MemberId>, StoreError>;

    /// How many recovery codes a member has left.
    fn recovery_codes_left(&mut self, member: MemberId) -> Result<usize, StoreError>;

    /// A sign-in that waits for the second factor; expired ones too.
    fn pending_sign_in(&mut self, hash: &SecretHash) -> Result<Option<PendingSignIn>, StoreError>;
}

/// Changing second factors.
pub trait FactorRepository {
    /// Replaces the member's authenticator app by this one; no step of it was accepted yet.
    fn put_factor(&mut self, factor: &Factor) -> Result<(), StoreError>;

    /// Marks it as confirmed.
    fn confirm_factor(&mut self, member: MemberId, at: Instant) -> Result<(), StoreError>;

    /// Accepts a step and those before it no more; `false` if it or a later one was accepted before, also by another at
    /// the same moment.
    fn accept_step(&mut self, member: MemberId, step: i64) -> Result<bool, StoreError>;

    /// Takes the authenticator app and all recovery codes away; `false` if there was no app.
    fn remove_factor(&mut self, member: MemberId) -> Result<bool, StoreError>;

    /// Replaces all recovery codes of a member by these.
    fn set_recovery_codes(&mut self, member: MemberId, hashes: &[SecretHash]) -> Result<(), StoreError>;

    /// Uses a recovery code up; `false` if the member has none with this hash left, also because another used it at the
    /// same moment.
    fn use_recovery_code(
        &mut self,
        member: MemberId,
        hash: &SecretHash,
        at: Instant,
    ) -> Result<bool, StoreError>;

    /// Begins a sign-in that waits for the second factor, and forgets those that have expired by `at`.
    fn add_pending_sign_in(&mut self, pending: &PendingSignIn, at: Instant) -> Result<(), StoreError>;

    /// Takes it away; `false` if there is none, also because another took it at the same moment.
    fn take_pending_sign_in(&mut self, hash: &SecretHash) -> Result<bool, StoreError>;
}
