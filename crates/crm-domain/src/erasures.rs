//! Erasures: everything about a person is taken away for good, and a receipt proves it.

use crate::conversations::ConversationId;
use crate::customers::CustomerId;
use crate::id::Id;
use crate::instant::Instant;
use crate::ports::blobs::BlobHash;
use crate::ports::erased::Erased;
use crate::ports::store::StoreError;
use crate::receipts::ReceiptId;
use crate::sends::Author;
use crate::tally::Tally;
use crate::values::LineUserId;

/// An erasure's key.
pub type ErasureId = Id<Erasure>;

/// Why somebody is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErasureCause {
    /// An administrator asked for it.
    Asked,
    /// Thirty days in the trash are over.
    Trash,
    /// A backup brought back who had been erased.
    Restored,
}

impl ErasureCause {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Trash => "trash",
            Self::Restored => "restored",
        }
    }

    /// The cause of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Asked, Self::Trash, Self::Restored]
            .into_iter()
            .find(|cause| cause.code() == code)
    }
}

/// How far an erasure got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErasureState {
    /// It is under way; nobody sees the person any more.
    Running,
    /// The rows are gone; files and the database's own remains follow.
    Cleaning,
    /// Nothing is left.
    Done,
    /// 削除の停止 prevented it: nothing was erased.
    Held,
}

impl ErasureState {
    /// The code that stores keep.
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Cleaning => "cleaning",
            Self::Done => "done",
            Self::Held => "held",
        }
    }

    /// The step before this one; `None` where an erasure begins.
    pub fn before(self) -> Option<Self> {
        match self {
            Self::Cleaning => Some(Self::Running),
            Self::Done => Some(Self::Cleaning),
            Self::Running | Self::Held => None,
        }
    }

    /// The state of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Running, Self::Cleaning, Self::Done, Self::Held]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// An erasure to be begun, or one that was prevented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewErasure {
    /// Who is erased.
    pub customer_id: CustomerId,
    /// SHA-256 of `customer:` and the number, hexadecimal: what stays on the receipt.
    pub subject: String,
    /// Why.
    pub cause: ErasureCause,
    /// [`ErasureState::Running`] or [`ErasureState::Held`].
    pub state: ErasureState,
    /// When it was asked for.
    pub requested_at: Instant,
    /// Who asked for it.
    pub requested_by: Author,
}

/// An erasure as stored: the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its key.
    pub id: ErasureId,
    /// Who is erased, until it is done.
    pub customer_id: Option<CustomerId>,
    /// As [`NewErasure::subject`].
    pub subject: String,
    /// Why.
    pub cause: ErasureCause,
    /// How far it got.
    pub state: ErasureState,
    /// When it was asked for.
    pub requested_at: Instant,
    /// Who asked for it, as shown.
    pub requested_by: String,
    /// When it was done. Backups made before hold the person until they are deleted.
    pub finished_at: Option<Instant>,
    /// What was erased.
    pub tally: Tally,
}

/// A conversation and with whom.
pub type Talk = (ConversationId, LineUserId);

/// What is known of a customer, in the trash or not, who may be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who.
    pub customer: CustomerId,
    /// The LINE WORKS user id.
    pub address: Option<LineUserId>,
    /// When the record was made.
    pub created_at: Instant,
    /// The conversations with persons that are nobody else's: no other customer, in the trash or not, carries the address or
    /// shows a message of it.
    pub talks: Vec<Talk>,
}

/// Looking erasures up, and what is to be erased.
pub trait ErasureQueries {
    /// One erasure.
    fn erasure(&mut self, id: ErasureId) -> Result<Option<Erasure>, StoreError>;

    /// The erasures, newest first, at most `limit`.
    fn erasures(&mut self, limit: usize) -> Result<Vec<Erasure>, StoreError>;

    /// Those that are not done, oldest first.
    fn open_erasures(&mut self) -> Result<Vec<Erasure>, StoreError>;

    /// The conversations that go with an erasure, as noted when it was begun.
    fn erasure_talks(&mut self, id: ErasureId) -> Result<Vec<Talk>, StoreError>;

    /// Who a customer is for an erasure; also one in the trash.
    fn subject(&mut self, customer: CustomerId) -> Result<Option<Subject>, StoreError>;

    /// The persons with whom there are conversations, after this one, at most `limit`, each with when it was opened and the
    /// customer it belongs to.
    fn talks_after(
        &mut self,
        after: ConversationId,
        limit: usize,
    ) -> Result<Vec<(Talk, Instant, Option<CustomerId>)>, StoreError>;

    /// The bodies that are kept after this callback, at most `limit`; emptied ones are left out.
    fn bodies_after(
        &mut self,
        after: ReceiptId,
        limit: usize,
    ) -> Result<Vec<(ReceiptId, Vec<u8>)>, StoreError>;

    /// Contents of files that deleted rows named, at most `limit`.
    fn abandoned_blobs(&mut self, limit: usize) -> Result<Vec<BlobHash>, StoreError>;

    /// Everybody on the store's own list of the erased.
    fn listed_erased(&mut self) -> Result<Vec<Erased>, StoreError>;

    /// Whether a file names this content.
    fn is_blob_named(&mut self, hash: &BlobHash) -> Result<bool, StoreError>;
}

/// Erasing. Each call takes at most about `limit` rows and tells what it took; an empty tally says that nothing is left.
pub trait ErasureRepository {
    /// Begins one, or notes one that was prevented.
    fn begin_erasure(&mut self, new: &NewErasure, talks: &[Talk]) -> Result<ErasureId, StoreError>;

    /// Adds to what was erased.
    fn count_erased(&mut self, id: ErasureId, more: &Tally) -> Result<(), StoreError>;

    /// Says that it got one step farther, and whether it did: what is not one step behind ([`ErasureState::before`]) stays
    /// as it is. [`ErasureState::Cleaning`] forgets the conversations, [`ErasureState::Done`] the customer's number.
    fn settle_erasure(&mut self, id: ErasureId, state: ErasureState, at: Instant)
    -> Result<bool, StoreError>;

    /// Takes what stands on a customer's page, with callbacks, files, messages of ours and notes that stand nowhere else then.
    /// Tells also of which conversations.
    fn erase_page(
        &mut self,
        customer: CustomerId,
        limit: usize,
        at: Instant,
    ) -> Result<(Tally, Vec<ConversationId>), StoreError>;

    /// Takes everything of a conversation but itself.
    fn erase_talk(&mut self, talk: ConversationId, limit: usize, at: Instant) -> Result<Tally, StoreError>;

    /// Makes a conversation nobody's: its address becomes `erased-` and its number, what lists show of it is emptied, and what
    /// the directory told of the person goes, and what was answered to programs about it.
    fn forget_talk(&mut self, talk: &Talk) -> Result<Tally, StoreError>;

    /// Empties the bodies of these callbacks and takes the files that came with them; those not recorded never will be.
    fn empty_receipts(&mut self, ids: &[ReceiptId], at: Instant) -> Result<Tally, StoreError>;

    /// Deletes the customer's own record, which nothing but notes on other pages refers to any more, and what was answered to
    /// programs about it.
    fn erase_customer(&mut self, customer: CustomerId) -> Result<Tally, StoreError>;

    /// Puts people on the store's own list of the erased; who is on it already stays.
    fn list_erased(&mut self, erased: &[Erased]) -> Result<(), StoreError>;

    /// Notes that no row names a content, as far as the caller knows: its file goes unless one does.
    fn abandon_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError>;

    /// Forgets that a content was abandoned, once it is gone or named again.
    fn settle_blob(&mut self, hash: &BlobHash) -> Result<(), StoreError>;
}
