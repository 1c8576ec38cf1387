//! What messages say, in a full-text index without contents of its own (FTS5). Each statement is one piece of the index
//! that has to be merged later: many messages go in by one.

use crm_domain::values::SearchWords;
use crm_domain::values::search_words::{Pair, SearchWord, pairs};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::fault::Fault;
use crate::found::rows;

#[derive(QueryableByName)]
struct Hit {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Those of the messages below this one that say all the words, newest first.
pub(super) fn saying(
    conn: &mut SqliteConnection,
    wanted: &SearchWords,
    below: i64,
    limit: usize,
) -> Result<Vec<i64>, Fault> {
    let words: Vec<String> = wanted.words().iter().map(phrase).collect();
    let hits: Vec<Hit> = diesel::sql_query(
        "SELECT rowid AS id FROM activity_words WHERE activity_words MATCH ? AND rowid < ? \
         ORDER BY rowid DESC LIMIT ?",
    )
    .bind::<Text, _>(words.join(" AND "))
    .bind::<BigInt, _>(below)
    .bind::<BigInt, _>(rows(limit))
    .load(conn)?;
    Ok(hits.into_iter().map(|hit| hit.id).collect())
}

/// The pairs behind each other; of a single sign every pair that begins with it.
fn phrase(word: &SearchWord) -> String {
    let prefix = if word.is_single() { " *" } else { "" };
    format!("\"{}\"{prefix}", written(&word.pairs()))
}

fn written(pairs: &[Pair]) -> String {
    let words: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    words.join(" ")
}

/// Adds messages and what they say.
pub(super) fn add<'a>(
    conn: &mut SqliteConnection,
    said: impl Iterator<Item = (i64, &'a str)>,
) -> Result<(), Fault> {
    let insert =
        "INSERT INTO activity_words (rowid, words) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
    write(conn, insert, said)
}

/// Takes messages out; what is told to be said must be what was added.
pub(super) fn remove<'a>(
    conn: &mut SqliteConnection,
    said: impl Iterator<Item = (i64, &'a str)>,
) -> Result<(), Fault> {
    let delete = "INSERT INTO activity_words (activity_words, rowid, words) \
                  SELECT 'delete', value ->> 0, value ->> 1 FROM json_each(?)";
    write(conn, delete, said)
}

fn write<'a>(
    conn: &mut SqliteConnection,
    statement: &str,
    said: impl Iterator<Item = (i64, &'a str)>,
) -> Result<(), Fault> {
    let lines: Vec<String> = said
        .map(|(id, said)| (id, written(&pairs(said))))
        .filter(|(_, words)| !words.is_empty())
        .map(|(id, words)| format!("[{id},\"{words}\"]"))
        .collect();
    if !lines.is_empty() {
        let all = format!("[{}]", lines.join(","));
        diesel::sql_query(statement).bind::<Text, _>(all).execute(conn)?;
    }
    Ok(())
}
