//! Searching by the beginning of keys, and cutting pages.

use crate::fault::Fault;

/// The first text behind all texts that begin with `prefix`: nothing holds the last character of all.
pub(crate) fn behind(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// The first `limit` places of several lists, each place once, in the order of the list.
pub(crate) fn merged(lists: Vec<Vec<(String, i64)>>, limit: usize) -> Vec<(String, i64)> {
    let mut places: Vec<_> = lists.into_iter().flatten().collect();
    places.sort_unstable();
    places.dedup();
    places.truncate(limit);
    places
}

/// How many keys one statement names: every database takes so many.
const CHUNK: usize = 500;

/// Asks for many keys in pieces; the rows come piece by piece.
pub(crate) fn in_pieces<K, T>(
    keys: &[K],
    query: impl FnMut(&[K]) -> Result<Vec<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    let pieces = keys.chunks(CHUNK).map(query).collect::<Result<Vec<_>, _>>()?;
    Ok(pieces.into_iter().flatten().collect())
}

/// A number of rows as SQL takes it.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{behind, merged};

    #[test]
    fn everything_with_the_prefix_lies_before_its_end() {
        assert!("山田" < behind("山").as_str() && "山\u{10FFFE}" < behind("山").as_str());
        assert!("岡" > "山" || "岡" < behind("山").as_str());
    }

    #[test]
    fn a_place_found_twice_is_shown_once() {
        let place = |key: &str, id| (key.to_owned(), id);
        let lists = vec![
            vec![place("b", 2), place("a", 3)],
            vec![place("a", 1), place("b", 2)],
        ];
        assert_eq!(merged(lists, 2), [place("a", 1), place("a", 3)]);
    }
}
