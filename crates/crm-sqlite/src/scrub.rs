//! What was deleted is overwritten by `secure_delete` as it goes; the write-ahead log still holds what stood there before,
//! until all of it is in the file.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::connection::Opener;
use crate::error::SqliteError;

/// How long readers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The rest between two tries.
const REST: Duration = Duration::from_millis(100);

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Brings the whole log into the file and empties it.
pub(crate) fn scrub(opener: &Opener) -> Result<(), SqliteError> {
    let mut conn = opener.plain()?;
    let begun = Instant::now();
    loop {
        let done: Checkpoint = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
            .get_result(&mut conn)
            .map_err(|error| opener.failed(&error))?;
        if done.busy == 0 {
            return Ok(());
        }
        if begun.elapsed() >= PATIENCE {
            let busy = std::io::Error::other("the write-ahead log is in use and could not be emptied");
            return Err(opener.failed(&busy));
        }
        std::thread::sleep(REST);
    }
}
