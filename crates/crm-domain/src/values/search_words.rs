//! Words that are looked for in messages, and the pairs of signs under which stores keep what messages say.
//!
//! Japanese has no blanks between words, so a message is kept as every pair of signs that stand side by side, in their
//! order. A word is found where its pairs follow each other: at any place, not only at the beginning of something that a
//! dictionary knows. Both sides are folded alike ([`fold_compact`]), without any blanks.

use std::fmt::{self, Write};
use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::normalise::fold_compact;

/// How many signs of a message can be found; far more than LINE WORKS takes. PostgreSQL counts places up to 16,383.
pub const SIGNS: usize = 16_000;
/// The most characters of a search.
pub const LONGEST: usize = 100;

/// Two signs that stand side by side, or the last of a message. Written as ASCII letters and digits, four for each sign:
/// what no store's tokenizer splits, folds or has to quote. All that begin with one sign begin with the same letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    first: char,
    second: Option<char>,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sign(f, self.first)?;
        self.second.map_or(Ok(()), |second| write_sign(f, second))
    }
}

/// 36 to the fourth is more than there are characters.
fn write_sign(f: &mut fmt::Formatter<'_>, sign: char) -> fmt::Result {
    let code = u32::from(sign);
    [36 * 36 * 36, 36 * 36, 36, 1]
        .into_iter()
        .try_for_each(|unit| f.write_char(char::from_digit(code / unit % 36, 36).unwrap_or('0')))
}

/// What a message says, pair by pair in its order, the last sign alone at the end. Whoever changes the answer brings a
/// migration that empties the stores' indexes: what was kept under other pairs would not be found.
pub fn pairs(text: &str) -> Vec<Pair> {
    let signs: Vec<char> = fold_compact(text).chars().take(SIGNS).collect();
    let seconds = signs.iter().copied().skip(1).map(Some).chain([None]);
    let pair = |(first, second)| Pair { first, second };
    signs.iter().copied().zip(seconds).map(pair).collect()
}

/// A word that is looked for: signs that stand side by side. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWord(String);

impl SearchWord {
    /// Its pairs, to be found in this order and without a gap; of a single sign the beginning of a pair, see
    /// [`SearchWord::is_single`].
    pub fn pairs(&self) -> Vec<Pair> {
        let mut all = pairs(&self.0);
        if all.len() > 1 {
            all.pop();
        }
        all
    }

    /// Whether it is one sign, found where any pair begins with it.
    pub fn is_single(&self) -> bool {
        self.0.chars().nth(1).is_none()
    }
}

/// The words of a search: a message is found that says all of them, wherever and in whatever order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWords(Vec<SearchWord>);

impl SearchWords {
    /// The words between the blanks; `None` if there are none.
    pub fn new(typed: &str) -> Option<Self> {
        let mut words: Vec<SearchWord> = Vec::new();
        for typed in typed.split_whitespace() {
            let word = SearchWord(fold_compact(typed));
            if !word.0.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        (!words.is_empty()).then_some(Self(words))
    }

    /// The words, each once; at least one.
    pub fn words(&self) -> &[SearchWord] {
        &self.0
    }

    /// Whether a text says all of them.
    pub fn are_said_in(&self, text: &str) -> bool {
        let said: String = fold_compact(text).chars().take(SIGNS).collect();
        self.0.iter().all(|word| said.contains(&word.0))
    }

    /// Where the words stand in a text, for marking: ranges of bytes, in order, none touching another.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let signs: Vec<(char, Range<usize>)> = clusters(text)
            .into_iter()
            .flat_map(|place| {
                let folded = fold_compact(text.get(place.clone()).unwrap_or_default());
                let signs: Vec<char> = folded.chars().collect();
                signs.into_iter().map(move |sign| (sign, place.clone()))
            })
            .collect();
        let mut places: Vec<Range<usize>> = Vec::new();
        for word in &self.0 {
            let word: Vec<char> = word.0.chars().collect();
            let hits = signs
                .windows(word.len())
                .filter(|part| part.iter().map(|(sign, _)| sign).eq(word.iter()));
            places.extend(hits.filter_map(|part| {
                let (first, last) = (part.first()?, part.last()?);
                Some(first.1.start..last.1.end)
            }));
        }
        joined(places)
    }
}

/// The characters of a text, each with the marks that fold into it.
fn clusters(text: &str) -> Vec<Range<usize>> {
    let mut clusters: Vec<Range<usize>> = Vec::new();
    for (start, sign) in text.char_indices() {
        let end = start + sign.len_utf8();
        match clusters.last_mut() {
            Some(last) if is_combining_mark(sign) || matches!(sign, '\u{FF9E}' | '\u{FF9F}') => {
                last.end = end;
            }
            _ => clusters.push(start..end),
        }
    }
    clusters
}

fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => joined.push(place),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{SearchWords, pairs};

    fn written(text: &str) -> Vec<String> {
        pairs(text).iter().map(ToString::to_string).collect()
    }

    fn marked(query: &str, text: &str) -> Vec<String> {
        let words = SearchWords::new(query).unwrap();
        let places = words.places(text);
        places.into_iter().map(|place| text[place].to_owned()).collect()
    }

    /// Stored indexes hold these: another answer needs a migration that empties them.
    #[test]
    fn pairs_are_written_as_they_were() {
        assert_eq!(written("ア い"), ["09j609j8", "09j8"]);
        assert_eq!(written("😀"), ["2r5s"]);
        assert_eq!(written(" \n"), Vec::<String>::new());
    }

    #[test]
    fn a_word_is_said_whatever_its_width_case_kana_and_blanks() {
        let text = "ｻｰﾊﾞｰの お見積り、ABC株式会社\nさまへ";
        for typed in ["サーバー", "さーばーのお見積", "abc 見積", "社さま", "ー", "！"] {
            assert_eq!(
                SearchWords::new(typed).unwrap().are_said_in(text),
                typed != "！",
                "{typed}"
            );
        }
        assert_eq!(SearchWords::new(" \u{3000}\n"), None);
    }

    #[test]
    fn what_is_marked_is_what_stands_there() {
        assert_eq!(marked("サーバ", "このｻｰﾊﾞｰは"), ["ｻｰﾊﾞ"]);
        assert_eq!(
            marked("か\u{3099}く", "学がく か\u{3099}く"),
            ["がく", "か\u{3099}く"]
        );
        assert_eq!(marked("山田太郎", "山田　太郎様"), ["山田　太郎"]);
        assert_eq!(marked("たた", "たたた"), ["たたた"]);
        assert_eq!(marked("ない", "どこにも"), Vec::<String>::new());
    }

    proptest! {
        /// The pairs of a word follow each other in the pairs of a text exactly when the text says it.
        #[test]
        fn pairs_find_what_is_said(text in "[あいうaｱ ]{0,12}", typed in "[あいうaｱ]{1,3}") {
            let words = SearchWords::new(&typed).unwrap();
            let kept = written(&text);
            let found = words.words().iter().all(|word| {
                let wanted: Vec<String> = word.pairs().iter().map(ToString::to_string).collect();
                kept.windows(wanted.len()).any(|part| {
                    part.iter().zip(&wanted).all(|(kept, wanted)| {
                        if word.is_single() { kept.starts_with(wanted.as_str()) } else { kept == wanted }
                    })
                })
            });
            prop_assert_eq!(found, words.are_said_in(&text));
        }

        #[test]
        fn any_text_can_be_marked(text in any::<String>(), typed in any::<String>()) {
            if let Some(words) = SearchWords::new(&typed) {
                for place in words.places(&text) {
                    prop_assert_eq!(text.get(place.clone()).is_some(), true);
                }
            }
        }
    }
}
