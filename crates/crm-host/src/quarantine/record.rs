//! A held callback as bytes, and back.

use std::net::IpAddr;

use crm_domain::instant::Instant;
use crm_domain::ports::quarantine::{HeldCallback, HeldId, HeldReason};
use ring::digest::{SHA256, digest};

/// Length and checksum stand before each record.
pub(super) const FRAME: usize = 12;

/// A record ready to be written.
pub(super) fn framed(id: HeldId, held: &HeldCallback) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(held.body.len() + held.signature.len() + 128);
    bytes.extend(id.to_le_bytes());
    bytes.extend(held.at.unix_millis().to_le_bytes());
    bytes.push(match held.reason {
        HeldReason::WrongSignature => 0,
        HeldReason::OtherAddress => 1,
    });
    let from = held.from.map(|address| address.to_string()).unwrap_or_default();
    for text in [&held.bot_id, &held.signature, &from] {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend(text.as_bytes().iter().take(usize::from(length)));
    }
    bytes.extend(&held.body);
    let mut record = Vec::with_capacity(FRAME + bytes.len());
    record.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
    record.extend(checksum(&bytes));
    record.extend(bytes);
    record
}

/// The record at the beginning of these bytes and its length with its frame; `None` where there is none, or a torn one.
pub(super) fn first(mut file: &[u8]) -> Option<(usize, HeldId, HeldCallback)> {
    let length = usize::try_from(u32::from_le_bytes(take(&mut file)?)).ok()?;
    let sum: [u8; 8] = take(&mut file)?;
    let bytes = file.get(..length).filter(|bytes| checksum(bytes) == sum)?;
    let (id, held) = decode(bytes)?;
    Some((FRAME + length, id, held))
}

fn decode(mut bytes: &[u8]) -> Option<(HeldId, HeldCallback)> {
    let id = HeldId::from_le_bytes(take(&mut bytes)?);
    let at = Instant::from_unix_millis(i64::from_le_bytes(take(&mut bytes)?));
    let reason = match take::<1>(&mut bytes)? {
        [0] => HeldReason::WrongSignature,
        _ => HeldReason::OtherAddress,
    };
    let bot_id = text(&mut bytes)?;
    let signature = text(&mut bytes)?;
    let from: Option<IpAddr> = text(&mut bytes)?.parse().ok();
    let held = HeldCallback {
        reason,
        bot_id,
        signature,
        body: bytes.to_vec(),
        from,
        at,
    };
    Some((id, held))
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

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..8]);
    sum
}
