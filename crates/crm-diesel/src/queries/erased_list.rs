//! The store's own list of the erased.

use crm_domain::customers::CustomerId;
use crm_domain::ports::blobs::BlobHash;
use crm_domain::ports::erased::{Erased, ErasedKey};
use diesel::prelude::*;

use super::Conn;
use crate::fault::Fault;
use crate::mend::corrupt;
use crate::schema::erased_list;
use crate::stamp::Stamp;

const CUSTOMER: &str = "customer";
const ADDRESS: &str = "address";

pub(super) fn all(conn: &mut Conn) -> Result<Vec<Erased>, Fault> {
    let rows: Vec<(String, String, Stamp)> = erased_list::table
        .order_by((erased_list::at, erased_list::kind, erased_list::subject))
        .load(conn)?;
    let erased = rows.into_iter().map(|(kind, subject, at)| {
        let key = key_of(&kind, &subject).ok_or_else(|| corrupt("erased_list", "subject", 0))?;
        Ok(Erased { key, at: at.0 })
    });
    erased.collect()
}

fn key_of(kind: &str, subject: &str) -> Option<ErasedKey> {
    match kind {
        CUSTOMER => Some(ErasedKey::Customer(CustomerId::new(subject.parse().ok()?))),
        ADDRESS => Some(ErasedKey::Address(BlobHash::from_hex(subject)?.0)),
        _ => None,
    }
}

pub(super) fn add(conn: &mut Conn, erased: &[Erased]) -> Result<(), Fault> {
    for one in erased {
        let (kind, subject) = match &one.key {
            ErasedKey::Customer(id) => (CUSTOMER, id.to_string()),
            ErasedKey::Address(hash) => (ADDRESS, BlobHash(*hash).to_string()),
        };
        diesel::insert_into(erased_list::table)
            .values((
                erased_list::kind.eq(kind),
                erased_list::subject.eq(subject),
                erased_list::at.eq(Stamp(one.at)),
            ))
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}
