//! What messages say, as vectors with places under an inverted index (GIN).

use std::fmt::Write;

use crm_domain::values::SearchWords;
use crm_domain::values::search_words::{Pair, SearchWord, pairs};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::Conn;
use crate::fault::Fault;
use crate::found::rows;

#[derive(QueryableByName)]
struct Hit {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// As many are read to know that they are all.
const FEW: usize = 2_000;

/// Those of the messages below this one that say all the words, newest first.
pub(super) fn saying(
    conn: &mut Conn,
    wanted: &SearchWords,
    below: i64,
    limit: usize,
) -> Result<Vec<i64>, Fault> {
    let words: Vec<String> = wanted.words().iter().map(phrase).collect();
    let words = words.join(" & ");
    // Asked for the newest, PostgreSQL walks back over all messages, because it does not know how rare the rare words are:
    // 0.3 s in a million for what nobody said. Asked for any, it takes the index.
    let mut any = hits(conn, &words, below, ANY, FEW + 1)?;
    if any.len() > FEW {
        return hits(conn, &words, below, NEWEST, limit);
    }
    any.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    any.truncate(limit);
    Ok(any)
}

const ANY: &str =
    "SELECT activity_id AS id FROM activity_words WHERE words @@ $1::tsquery AND activity_id < $2 LIMIT $3";
const NEWEST: &str = "SELECT activity_id AS id FROM activity_words WHERE words @@ $1::tsquery AND activity_id < $2 \
                      ORDER BY activity_id DESC LIMIT $3";

fn hits(conn: &mut Conn, words: &str, below: i64, statement: &str, limit: usize) -> Result<Vec<i64>, Fault> {
    let hits: Vec<Hit> = diesel::sql_query(statement)
        .bind::<Text, _>(words)
        .bind::<BigInt, _>(below)
        .bind::<BigInt, _>(rows(limit))
        .load(conn)?;
    Ok(hits.into_iter().map(|hit| hit.id).collect())
}

/// The pairs behind each other; of a single sign every pair that begins with it.
fn phrase(word: &SearchWord) -> String {
    let words: Vec<String> = word.pairs().iter().map(ToString::to_string).collect();
    let prefix = if word.is_single() { ":*" } else { "" };
    format!("({}{prefix})", words.join(" <-> "))
}

/// Adds messages and what they say.
pub(super) fn add<'a>(conn: &mut Conn, said: impl Iterator<Item = (i64, &'a str)>) -> Result<(), Fault> {
    let (ids, vectors): (Vec<i64>, Vec<String>) = said
        .map(|(id, said)| (id, vector(&pairs(said))))
        .filter(|(_, vector)| !vector.is_empty())
        .unzip();
    if !ids.is_empty() {
        diesel::sql_query(
            "INSERT INTO activity_words (activity_id, words) \
             SELECT id, words::tsvector FROM unnest($1, $2) AS said (id, words) \
             ON CONFLICT (activity_id) DO NOTHING",
        )
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Text>, _>(vectors)
        .execute(conn)?;
    }
    Ok(())
}

/// Each pair with its place, from 1.
fn vector(pairs: &[Pair]) -> String {
    let mut text = String::with_capacity(pairs.len() * 12);
    for (place, pair) in pairs.iter().enumerate() {
        // Writing to a text does not fail.
        let _ = write!(text, "{pair}:{} ", place + 1);
    }
    text
}

/// Takes messages out.
pub(super) fn remove<'a>(conn: &mut Conn, said: impl Iterator<Item = (i64, &'a str)>) -> Result<(), Fault> {
    let ids: Vec<i64> = said.map(|(id, _)| id).collect();
    diesel::sql_query("DELETE FROM activity_words WHERE activity_id = ANY($1)")
        .bind::<Array<BigInt>, _>(ids)
        .execute(conn)?;
    Ok(())
}
