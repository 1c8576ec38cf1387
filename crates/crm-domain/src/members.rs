//! Members: the people who work with the CRM, their sessions, tokens and one-time links.

use crate::id::Id;
use crate::instant::Instant;
use crate::ports::store::StoreError;
use crate::values::EmailAddress;

/// A member's key.
pub type MemberId = Id<Member>;
/// An API token's key.
pub type TokenId = Id<ApiToken>;

/// What a member may do; the table of actions is [`crate::permissions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// 管理者.
    Admin,
    /// 一般ユーザー.
    Member,
    /// 閲覧のみ.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Member, Self::Viewer];

    /// The code that stores, forms and the command line use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// The role of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// What an administrator allows one member beyond the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Grants {
    /// Bring in data from other systems.
    pub import: bool,
    /// Take whole lists out.
    pub export: bool,
}

/// What a token may be used for, of what its owner may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes {
    /// Look at records.
    pub read: bool,
    /// Add, change and delete.
    pub write: bool,
    /// Send messages.
    pub send: bool,
}

impl Scopes {
    /// Everything.
    pub const ALL: Self = Self {
        read: true,
        write: true,
        send: true,
    };

    /// The codes of what is allowed, as forms, the API and the command line name them.
    pub fn codes(self) -> Vec<&'static str> {
        let all = [(self.read, "read"), (self.write, "write"), (self.send, "send")];
        all.into_iter()
            .filter_map(|(allowed, code)| allowed.then_some(code))
            .collect()
    }

    /// The scopes with these codes; `None` if one is unknown or there is none at all.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut scopes = Self {
            read: false,
            write: false,
            send: false,
        };
        for code in codes {
            match code {
                "read" => scopes.read = true,
                "write" => scopes.write = true,
                "send" => scopes.send = true,
                _ => return None,
            }
        }
        (scopes.read || scopes.write || scopes.send).then_some(scopes)
    }
}

/// The language in which pages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Locale {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Locale {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// The code of settings, stores and `<html lang>`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The language of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.code() == code)
    }
}

/// A member as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub id: MemberId,
    /// The sign-in name, unique without regard to letter case.
    pub email: EmailAddress,
    /// The name shown, 1 to 100 characters.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// What the member may do beyond the role.
    pub grants: Grants,
    /// The member's own choice of language.
    pub locale: Option<Locale>,
    /// Whether a password is set.
    pub has_password: bool,
    /// Since when the member may not sign in.
    pub disabled_at: Option<Instant>,
    /// When the member was added.
    pub created_at: Instant,
}

/// A member to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// The sign-in name.
    pub email: EmailAddress,
    /// The name shown.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// The hash of the password in PHC form; `None` if a one-time link will set it.
    pub password_hash: Option<String>,
}

/// SHA-256 of a secret: what is stored instead of session ids, tokens and one-time links.
pub type SecretHash = [u8; 32];

/// Whence somebody signs in, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// The address that the request came from.
    pub address: Option<String>,
    /// What the browser calls itself, as it was sent.
    pub agent: Option<String>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of the cookie's value.
    pub hash: SecretHash,
    /// Whose it is.
    pub member_id: MemberId,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub seen_at: Instant,
    /// Whence it was begun; control characters are gone and long texts are cut.
    pub device: Device,
}

impl Session {
    /// The name under which it is listed and ended: says nothing about the secret.
    pub fn public_id(&self) -> String {
        let mut first = [0; 8];
        first.copy_from_slice(&self.hash[..8]);
        format!("{:016x}", u64::from_be_bytes(first))
    }
}

/// A key with which a program acts for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its key.
    pub id: TokenId,
    /// For whom it acts.
    pub member_id: MemberId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Instant,
    /// From when on it is refused.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// When it was last used, to the minute.
    pub used_at: Option<Instant>,
}

/// A token to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// For whom it acts.
    pub member_id: MemberId,
    /// What its owner calls it.
    pub name: String,
    /// The hash of the secret.
    pub hash: SecretHash,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Instant>,
}

/// What a one-time link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// Signing in, once (the demo's link).
    SignIn,
    /// Choosing a password, once.
    SetPassword,
}

impl LinkPurpose {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SetPassword => "set_password",
        }
    }

    /// The purpose of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::SignIn, Self::SetPassword]
            .into_iter()
            .find(|purpose| purpose.code() == code)
    }
}

/// A link that works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeLink {
    /// The hash of the secret in it.
    pub hash: SecretHash,
    /// For whom.
    pub member_id: MemberId,
    /// For what.
    pub purpose: LinkPurpose,
    /// From when on it is refused.
    pub expires_at: Instant,
}

/// Looking members up.
pub trait MemberQueries {
    /// One member, disabled ones too.
    fn member(&mut self, id: MemberId) -> Result<Option<Member>, StoreError>;

    /// The member with this sign-in name in lower case, and the hash of the password if one is set.
    fn member_by_email(&mut self, email_key: &str) -> Result<Option<(Member, Option<String>)>, StoreError>;

    /// All members ordered by name, then id.
    fn members(&mut self) -> Result<Vec<Member>, StoreError>;
}

/// Changing members.
pub trait MemberRepository {
    /// Adds one; an equal sign-in name is `Taken("email")`.
    fn add_member(&mut self, member: &NewMember, at: Instant) -> Result<MemberId, StoreError>;

    /// Replaces name, role, grants, language and the disabled mark.
    fn update_member(&mut self, member: &Member) -> Result<(), StoreError>;

    /// Replaces the hash of the password.
    fn set_password(&mut self, id: MemberId, hash: &str) -> Result<(), StoreError>;
}

/// Looking up what proves who somebody is.
pub trait CredentialQueries {
    /// A session that was not ended, with its member.
    fn session(&mut self, hash: &SecretHash) -> Result<Option<(Session, Member)>, StoreError>;

    /// The sessions that were not ended, of one member or of all, last used first, with their members; those over their
    /// time too.
    fn sessions(&mut self, member: Option<MemberId>) -> Result<Vec<(Session, Member)>, StoreError>;

    /// A token that was not revoked, with its member; expired ones too.
    fn token_by_hash(&mut self, hash: &SecretHash) -> Result<Option<(ApiToken, Member)>, StoreError>;

    /// The tokens of one member or of all, newest first, with their members; revoked ones too.
    fn tokens(&mut self, member: Option<MemberId>) -> Result<Vec<(ApiToken, Member)>, StoreError>;

    /// A link that was not used, expired ones too.
    fn one_time_link(&mut self, hash: &SecretHash) -> Result<Option<OneTimeLink>, StoreError>;

    /// From when on the link for the first administrator with this hash is refused; `None` if there is no such link.
    fn setup_link(&mut self, hash: &SecretHash) -> Result<Option<Instant>, StoreError>;

    /// How many sign-ins for this account failed since then.
    fn failed_sign_ins(&mut self, account: &SecretHash, since: Instant) -> Result<usize, StoreError>;
}

/// Changing what proves who somebody is.
pub trait CredentialRepository {
    /// Begins a session.
    fn add_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Notes that it was used.
    fn touch_session(&mut self, hash: &SecretHash, at: Instant) -> Result<(), StoreError>;

    /// Lets a session go on under another secret; `false` if there is none with the old one.
    fn renew_session(&mut self, old: &SecretHash, new: &SecretHash) -> Result<bool, StoreError>;

    /// Ends it for good.
    fn end_session(&mut self, hash: &SecretHash) -> Result<(), StoreError>;

    /// Ends all sessions of a member but, if given, this one, and all sign-ins of theirs that wait for a second factor.
    /// Returns how many sessions ended.
    fn end_sessions_of(&mut self, member: MemberId, but: Option<&SecretHash>) -> Result<usize, StoreError>;

    /// Ends the sessions of everybody, and all sign-ins that wait for a second factor; returns how many sessions ended.
    fn end_all_sessions(&mut self) -> Result<usize, StoreError>;

    /// Forgets sessions begun before the one or last used before the other.
    fn forget_sessions(&mut self, begun_before: Instant, seen_before: Instant) -> Result<(), StoreError>;

    /// Adds a token.
    fn add_token(&mut self, token: &NewToken, at: Instant) -> Result<TokenId, StoreError>;

    /// Notes that it was used.
    fn touch_token(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError>;

    /// Revokes it; `false` if there is none or it was revoked before.
    fn revoke_token(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError>;

    /// Revokes all tokens of a member; returns how many were valid.
    fn revoke_tokens_of(&mut self, member: MemberId, at: Instant) -> Result<usize, StoreError>;

    /// Revokes the tokens of everybody; returns how many were valid.
    fn revoke_all_tokens(&mut self, at: Instant) -> Result<usize, StoreError>;

    /// Adds a link.
    fn add_one_time_link(&mut self, link: &OneTimeLink, at: Instant) -> Result<(), StoreError>;

    /// Uses it up; `false` if it was used before, also by another at the same moment.
    fn use_one_time_link(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError>;

    /// Adds a link for the first administrator, beside those that other servers told; what has expired goes.
    fn add_setup_link(
        &mut self,
        hash: &SecretHash,
        expires_at: Instant,
        at: Instant,
    ) -> Result<(), StoreError>;

    /// Takes the links for the first administrator away, all of them; `false`, and none goes, if there is none with this
    /// hash, also because another took one at the same moment.
    fn take_setup_link(&mut self, hash: &SecretHash) -> Result<bool, StoreError>;

    /// Notes a failed sign-in.
    fn add_failed_sign_in(&mut self, account: &SecretHash, at: Instant) -> Result<(), StoreError>;

    /// Forgets failed sign-ins before then.
    fn forget_failed_sign_ins(&mut self, before: Instant) -> Result<(), StoreError>;
}
