//! The part of a text around what was searched for, with the words that are to be marked.

use std::ops::Range;

use crm_domain::values::SearchWords;
use serde::Serialize;

/// Characters before the first word that was found.
const BEFORE: usize = 30;
/// Characters in all.
const LENGTH: usize = 140;
/// The most characters that one sign on the screen is taken to consist of.
const SIGN: usize = 16;
/// Characters of a text that are looked at; what messages are found by stands before.
const LOOKED_AT: usize = 20_000;

/// A bounded part of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// Whether the text begins before.
    pub cut_before: bool,
    /// In their order.
    pub pieces: Vec<Piece>,
    /// Whether the text goes on behind.
    pub cut_after: bool,
}

/// A part that is marked, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// As it stands there.
    pub text: String,
    /// Whether it is what was searched for.
    pub hit: bool,
}

impl Snippet {
    /// The part around the first of the words; the beginning when none stands there.
    pub fn of(text: &str, words: Option<&SearchWords>) -> Snippet {
        let (text, rest) = (text.trim_end(), LOOKED_AT);
        let looked_at = text
            .char_indices()
            .nth(rest)
            .map_or(text, |(end, _)| &text[..end]);
        let places = words.map(|words| words.places(looked_at)).unwrap_or_default();
        let first = places.first().map_or(0, |place| place.start);
        let start = back(text, first, BEFORE);
        let end = on(text, start, LENGTH);
        Snippet {
            cut_before: !text[..start].trim().is_empty(),
            pieces: pieces(text, start..end, &places),
            cut_after: end < text.len(),
        }
    }
}

fn pieces(text: &str, shown: Range<usize>, places: &[Range<usize>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut add = |from: usize, to: usize, hit: bool| {
        if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
            let text = text.to_owned();
            pieces.push(Piece { text, hit });
        }
    };
    let mut done = shown.start;
    for place in places.iter().filter(|place| place.start < shown.end) {
        let (from, to) = (place.start.max(done), place.end.min(shown.end));
        add(done, from, false);
        add(from, to, true);
        done = done.max(to);
    }
    add(done, shown.end, false);
    pieces
}

/// The place so many characters before, not within a sign.
fn back(text: &str, from: usize, count: usize) -> usize {
    let mut places = text[..from].char_indices().rev();
    let Some((place, _)) = places.by_ref().nth(count.saturating_sub(1)) else {
        return 0;
    };
    let starts = |place: &usize| !goes_on(text, *place);
    let near = places.map(|(place, _)| place).take(SIGN);
    std::iter::once(place).chain(near).find(starts).unwrap_or(place)
}

/// The place so many characters behind, not within a sign.
fn on(text: &str, from: usize, count: usize) -> usize {
    let mut places = text[from..]
        .char_indices()
        .map(|(place, _)| from + place)
        .skip(count);
    let Some(place) = places.next() else {
        return text.len();
    };
    let starts = |place: &usize| !goes_on(text, *place);
    let near = places.chain([text.len()]).take(SIGN);
    std::iter::once(place).chain(near).find(starts).unwrap_or(place)
}

/// Whether what stands at a place belongs to the sign before it: marks, variants, and what joins emoji.
fn goes_on(text: &str, place: usize) -> bool {
    let joins = |sign: char| {
        matches!(sign,
            '\u{300}'..='\u{36F}' | '\u{200D}' | '\u{20D0}'..='\u{20FF}' | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FF9E}' | '\u{FF9F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}')
    };
    let is_flag = |sign: char| matches!(sign, '\u{1F1E6}'..='\u{1F1FF}');
    let Some(next) = text[place..].chars().next() else {
        return false;
    };
    let mut before = text[..place].chars().rev();
    let last = before.next();
    let flags = last
        .into_iter()
        .chain(before)
        .take_while(|sign| is_flag(*sign))
        .count();
    joins(next) || last == Some('\u{200D}') || (is_flag(next) && flags % 2 == 1)
}

#[cfg(test)]
mod tests {
    use crm_domain::values::SearchWords;

    use super::{LENGTH, Snippet};

    fn shown(text: &str, typed: &str) -> String {
        let snippet = Snippet::of(text, SearchWords::new(typed).as_ref());
        let pieces = snippet.pieces.iter().map(|piece| {
            if piece.hit {
                format!("[{}]", piece.text)
            } else {
                piece.text.clone()
            }
        });
        let cut = |cut: bool| if cut { "…" } else { "" };
        let words: String = pieces.collect();
        format!("{}{words}{}", cut(snippet.cut_before), cut(snippet.cut_after))
    }

    #[test]
    fn what_was_searched_for_is_marked() {
        assert_eq!(shown("お見積りの件、見積書", "見積"), "お[見積]りの件、[見積]書");
        assert_eq!(shown("ABC ｻｰﾊﾞｰ", "サーバー abc"), "[ABC] [ｻｰﾊﾞｰ]");
        assert_eq!(shown("<b>太字</b>", "太字"), "<b>[太字]</b>");
        assert_eq!(shown("何も", "ない"), "何も");
        assert_eq!(shown("", "ない"), "");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_of_them() {
        let long = format!("{}見積{}", "あ".repeat(3_000), "い".repeat(3_000));
        let part = shown(&long, "見積");
        assert!(
            part.starts_with("…ああ") && part.contains("あ[見積]い") && part.ends_with("い…"),
            "{part}"
        );
        assert_eq!(
            part.chars().filter(|sign| "あい見積".contains(*sign)).count(),
            LENGTH
        );
        let whole = shown(&"長".repeat(300), &"長".repeat(100));
        assert!(whole.starts_with("[長") && whole.ends_with("長]…"), "{whole}");
    }

    #[test]
    fn no_sign_is_cut_apart() {
        let family = "👨\u{200D}👩\u{200D}👧";
        for count in 0..12 {
            let text = format!(
                "{}{}用{}",
                "か\u{3099}".repeat(count),
                family.repeat(20),
                "🇯🇵".repeat(90)
            );
            let snippet = Snippet::of(&text, SearchWords::new("用").as_ref());
            let part: String = snippet.pieces.iter().map(|piece| piece.text.as_str()).collect();
            let rest = part
                .replace(family, "")
                .replace("🇯🇵", "")
                .replace("か\u{3099}", "");
            assert_eq!(rest, "用", "{part}");
        }
    }

    #[test]
    fn marks_without_end_are_cut_somewhere() {
        let text = "\u{300}".repeat(5_000);
        let snippet = Snippet::of(&text, SearchWords::new("x").as_ref());
        assert!(snippet.pieces[0].text.chars().count() < LENGTH + 20);
    }
}
