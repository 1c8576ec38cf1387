//! A callback as bytes, and back.

use crm_domain::instant::Instant;
use crm_domain::receipts::NewReceipt;
use ring::digest::{Context, SHA256};

/// Length, state and checksum stand before each record.
pub(super) const FRAME: usize = 16;

/// The bytes that are kept of a callback.
pub(super) fn encode(receipt: &NewReceipt) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(receipt.body.len() + receipt.bot.len() + receipt.issued.len() + 32);
    bytes.extend(receipt.received_at.unix_millis().to_le_bytes());
    bytes.extend(receipt.digest);
    for text in [&receipt.bot, &receipt.issued] {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(text.as_bytes().iter().take(usize::from(length)));
    }
    bytes.extend(&receipt.body);
    bytes
}

/// The callback of such bytes; `None` if they are none.
pub(super) fn decode(mut bytes: &[u8]) -> Option<NewReceipt> {
    let received_at = Instant::from_unix_millis(i64::from_le_bytes(take(&mut bytes)?));
    let digest = take(&mut bytes)?;
    let bot = text(&mut bytes)?;
    let issued = text(&mut bytes)?;
    Some(NewReceipt {
        bot,
        issued,
        digest,
        body: bytes.to_vec(),
        received_at,
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*front)
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(take(bytes)?));
    let (front, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(front.to_vec()).ok()
}

/// A record ready to be written: its frame, then its bytes. The checksum also covers the file's epoch and the place, so that
/// what lies there from earlier times is not taken for it.
pub(super) fn framed(epoch: [u8; 8], place: u64, bytes: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(FRAME + bytes.len());
    record.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
    record.extend([0; 4]);
    record.extend(checksum(epoch, place, bytes));
    record.extend(bytes);
    record
}

/// What a place of a file holds.
pub(super) struct Found<'a> {
    pub(super) released: bool,
    pub(super) bytes: &'a [u8],
}

/// The record at the beginning of these bytes of a file; `None` where there is none, or a torn one.
pub(super) fn find(epoch: [u8; 8], place: u64, mut file: &[u8]) -> Option<Found<'_>> {
    let length = usize::try_from(u32::from_le_bytes(take(&mut file)?)).ok()?;
    let state: [u8; 4] = take(&mut file)?;
    let sum: [u8; 8] = take(&mut file)?;
    let bytes = file.get(..length).filter(|bytes| !bytes.is_empty())?;
    (sum == checksum(epoch, place, bytes)).then_some(Found {
        released: state != [0; 4],
        bytes,
    })
}

fn checksum(epoch: [u8; 8], place: u64, bytes: &[u8]) -> [u8; 8] {
    let mut context = Context::new(&SHA256);
    context.update(&epoch);
    context.update(&place.to_le_bytes());
    context.update(bytes);
    let mut sum = [0; 8];
    sum.copy_from_slice(&context.finish().as_ref()[..8]);
    sum
}
