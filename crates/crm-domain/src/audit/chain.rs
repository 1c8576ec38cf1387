//! What seals cover, byte by byte. Every text carries its length, so that nothing can be moved from one field to the next.

use std::fmt;
use std::str::FromStr;

use super::{AuditEntry, AuditId, Change};

/// The seal of one entry. It covers the seal before, so that the newest one speaks for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Counts from 1 without gaps.
    pub position: i64,
    /// What it seals.
    pub entry: AuditId,
    /// HMAC-SHA256 of [`content`].
    pub mac: [u8; 32],
}

impl Seal {
    /// What to write down to find out later whether the end of the log was cut off.
    pub fn head(&self) -> Head {
        Head {
            position: self.position,
            mac: self.mac,
        }
    }
}

/// The end of the chain at some time, written `position:mac` with the mac in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position of the newest seal.
    pub position: i64,
    /// Its mac.
    pub mac: [u8; 32],
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.position)?;
        self.mac.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no head of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a head of the audit log")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (position, hex) = text.trim().split_once(':').ok_or(NotAHead)?;
        let position = position.parse().ok().filter(|position| *position > 0);
        let bytes: Option<Vec<u8>> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let mac = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            position: position.ok_or(NotAHead)?,
            mac: mac.ok_or(NotAHead)?,
        })
    }
}

/// What the seal at `position` covers: the mac before (zeros for the first) and everything of the entry but its values, for
/// which their digest stands. An entry without a request is sealed as all were before requests had ids.
pub fn content(position: i64, before: &[u8; 32], entry: &AuditEntry) -> Vec<u8> {
    let Some(request) = &entry.request_id else {
        return first_content(position, before, entry);
    };
    let mut out = Bytes(content_of(*b"audit 2", position, before, entry));
    out.text(Some(request));
    out.0
}

/// What an earlier version covers by its seal, which does not know of requests: while old and new ones work on one database,
/// the old seal entries of the new.
pub fn first_content(position: i64, before: &[u8; 32], entry: &AuditEntry) -> Vec<u8> {
    content_of(*b"audit 1", position, before, entry)
}

fn content_of(form: [u8; 7], position: i64, before: &[u8; 32], entry: &AuditEntry) -> Vec<u8> {
    let mut out = Bytes(form.to_vec());
    out.0.extend(before);
    out.number(Some(position));
    out.number(Some(entry.id.get()));
    out.number(Some(entry.at.unix_millis()));
    out.text(Some(&entry.by.kind));
    out.number(entry.by.member_id.map(crate::id::Id::get));
    out.number(entry.by.token_id.map(crate::id::Id::get));
    out.text(Some(&entry.by.name));
    out.text(entry.address.as_deref());
    out.text(Some(&entry.act));
    out.text(entry.record.as_ref().map(|(kind, _)| kind.as_str()));
    out.number(entry.record.as_ref().map(|(_, id)| *id));
    out.number(entry.customer_id.map(crate::id::Id::get));
    out.number(i64::try_from(entry.fields.len()).ok());
    entry.fields.iter().for_each(|field| out.text(Some(field)));
    out.text(entry.reason.as_deref());
    out.0.extend(entry.digest);
    out.0
}

/// The digest that stands for values in the chain: of the salt and the changes in order. Zeros when there are none.
pub fn digest(hash: impl FnOnce(&[u8]) -> [u8; 32], salt: &[u8; 16], changes: &[Change]) -> [u8; 32] {
    if changes.is_empty() {
        return [0; 32];
    }
    let mut out = Bytes(salt.to_vec());
    for change in changes {
        out.text(Some(&change.field));
        out.number(Some(change.masked.into()));
        out.text(change.old.as_deref());
        out.text(change.new.as_deref());
    }
    hash(&out.0)
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: Option<i64>) {
        self.0.push(number.is_some().into());
        self.0.extend(number.unwrap_or_default().to_be_bytes());
    }

    fn text(&mut self, text: Option<&str>) {
        self.number(text.and_then(|text| i64::try_from(text.len()).ok()));
        self.0.extend(text.unwrap_or_default().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::{Head, NotAHead, digest};

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head {
            position: 12,
            mac: [0xab; 32],
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        for wrong in ["", "12", "12:", "12:ab", "0:00", "x:00", "12:zz"] {
            assert_eq!(wrong.parse::<Head>(), Err(NotAHead), "{wrong}");
        }
    }

    #[test]
    fn nothing_moves_unseen_between_values() {
        let change = |field: &str, old: Option<&str>, new: Option<&str>| {
            Change::new(field, old.map(str::to_owned), new.map(str::to_owned))
        };
        let of = |change: Change| {
            let mut seen = Vec::new();
            digest(
                |bytes| {
                    seen = bytes.to_vec();
                    [1; 32]
                },
                &[0; 16],
                &[change],
            );
            seen
        };
        let all = [
            of(change("ab", Some("c"), None)),
            of(change("a", Some("bc"), None)),
            of(change("ab", None, Some("c"))),
            of(change("ab", Some(""), Some("c"))),
            of(Change {
                masked: true,
                ..change("ab", Some("c"), None)
            }),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all.iter().skip(at + 1).any(|other| other == one));
        }
        assert_eq!(digest(|_| [1; 32], &[9; 16], &[]), [0; 32]);
    }
}
