//! The forms under which texts are compared, found and ordered; one place, so that every store agrees.

use unicode_normalization::UnicodeNormalization;

/// Raised whenever a key function below changes its answer; stored beside the keys so that they can be recomputed.
pub const KEY_VERSION: i32 = 1;

/// What is stored and shown: NFC, blanks at both ends cut. Variant characters (髙 﨑) stay as typed as far as NFC allows.
pub fn tidy(text: &str) -> String {
    compose(text).trim().to_owned()
}

/// NFC, but CJK compatibility ideographs stay: NFC would turn 﨑-like variants of people's names into other characters.
fn compose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if is_compatibility_ideograph(c) {
            out.extend(run.nfc());
            run.clear();
            out.push(c);
        } else {
            run.push(c);
        }
    }
    out.extend(run.nfc());
    out
}

fn is_compatibility_ideograph(c: char) -> bool {
    matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}')
}

/// The text without its control characters, which databases cannot keep or nothing that is stored holds. Line breaks and
/// tabs are blanks and stay.
pub fn legible(text: &str) -> String {
    text.chars().filter(|c| !is_illegible(*c)).collect()
}

fn is_illegible(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// What is compared: NFKC, lower case, katakana as hiragana, [`legible`], without blanks at the ends.
/// サーバー and ｻｰﾊﾞｰ and さーばー become one.
pub fn fold(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
        .chars()
        .filter(|c| !is_illegible(*c))
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(to_hiragana)
        .collect()
}

/// [`fold`] without any blanks inside: 山田　太郎 and 山田太郎 are found alike.
pub fn fold_compact(text: &str) -> String {
    fold(text).chars().filter(|c| !c.is_whitespace()).collect()
}

/// The digits of a text after folding, a leading plus kept out: the key under which telephone numbers are found.
pub fn digits(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_digit).collect()
}

fn to_hiragana(c: char) -> char {
    match c {
        'ァ'..='ヶ' | 'ヽ' | 'ヾ' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
        _ => c,
    }
}

/// Hiragana as katakana, half-width katakana as full-width: how readings are kept. Composed again, for わ with a voiced
/// mark is two signs and ヷ is one.
pub fn to_katakana(text: &str) -> String {
    text.nfkc()
        .map(|c| match c {
            'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
            _ => c,
        })
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{digits, fold, fold_compact, legible, tidy, to_katakana};

    #[test]
    fn control_characters_count_for_nothing() {
        assert_eq!(legible("\0見積\u{1b}\r\nを\t\u{7f}\u{9b}"), "見積\r\nを\t");
        assert_eq!(fold("\0 \u{1b}山\0田\u{7f} \0"), "山田");
        assert_eq!(fold("\0\u{1b}"), "");
    }

    #[test]
    fn kana_width_and_case_fold_into_one() {
        assert_eq!(fold("サーバー"), "さーばー");
        assert_eq!(fold("ｻｰﾊﾞｰ"), "さーばー");
        assert_eq!(fold("ＡＢＣ"), "abc");
        assert_eq!(fold_compact("山田　 太郎 "), "山田太郎");
    }

    #[test]
    fn variant_characters_stay_as_typed() {
        assert_eq!(tidy(" 髙\u{FA11}\u{20BB7} "), "髙\u{FA11}\u{20BB7}");
        assert_eq!(tidy("\u{F9D1}"), "\u{F9D1}");
        assert_eq!(tidy("か\u{3099}"), "が");
    }

    #[test]
    fn readings_become_katakana() {
        assert_eq!(to_katakana("やまだ ﾀﾛｳ"), "ヤマダ タロウ");
        assert_eq!(digits("０３-１２３４"), "031234");
    }
}
