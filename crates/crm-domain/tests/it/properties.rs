//! What holds of values and keys whatever is typed.

use crm_domain::customers::CustomerPrefix;
use crm_domain::instant::Instant;
use crm_domain::paging::{Cursor, Page};
use crm_domain::values::normalise::{digits, fold, tidy, to_katakana};
use crm_domain::values::{
    CompanyName, EmailAddress, LineUserId, MessageText, PersonName, PhoneNumber, Remarks, Website,
};
use crm_testkit::fixtures::customer_details;
use proptest::prelude::*;

/// Texts as people in Japan type them, odd signs included.
fn typed() -> impl Strategy<Value = String> {
    "[a-zA-Zａ-ｚぁ-ゖァ-ヺー一-龠ｦ-ﾟ０-９0-9 　@.\\-_ー−%'\"\u{3099}\u{20BB7}\u{FA11}👩\n\t\0]{0,40}"
}

proptest! {
    #[test]
    fn a_cursor_survives_a_link(key in any::<String>(), id in any::<i64>()) {
        let cursor = Cursor { key, id };
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn no_text_in_a_link_breaks_the_reading_of_a_cursor(text in any::<String>()) {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn an_instant_is_read_as_it_was_written(millis in -62_135_596_800_000_i64..=253_402_300_799_999) {
        let at = Instant::from_unix_millis(millis);
        prop_assert_eq!(at.unix_millis(), millis);
        prop_assert_eq!(Instant::from_utc(at.utc()), at);
        prop_assert_eq!(Instant::parse(&at.to_string()), Some(at));
    }

    #[test]
    fn no_number_breaks_an_instant(millis in any::<i64>()) {
        let at = Instant::from_unix_millis(millis);
        prop_assert_eq!(Instant::from_unix_millis(at.unix_millis()), at);
    }

    #[test]
    fn folding_again_changes_nothing(text in typed()) {
        for fold in [fold, tidy, to_katakana, digits] {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }

    #[test]
    fn a_value_made_of_itself_is_itself(text in typed()) {
        if let Ok(value) = CompanyName::new(&text) {
            prop_assert_eq!(CompanyName::new(value.as_str()), Ok(value.clone()));
        }
        if let Ok(value) = Remarks::new(&text) {
            prop_assert_eq!(Remarks::new(value.as_str()), Ok(value.clone()));
        }
        if let Ok(value) = MessageText::new(&text) {
            prop_assert_eq!(MessageText::new(value.as_str()), Ok(value.clone()));
        }
        if let Ok(Some(value)) = LineUserId::new(&text) {
            prop_assert_eq!(LineUserId::new(value.as_str()), Ok(Some(value.clone())));
        }
        if let Ok(name) = PersonName::new(&text, "") {
            prop_assert_eq!(PersonName::new(name.last(), name.first()), Ok(name.clone()));
        }
    }

    #[test]
    fn what_is_accepted_holds_nothing_that_breaks_a_page_or_a_store(text in typed()) {
        let clean = |text: &str| !text.chars().any(char::is_control);
        if let Ok(Some(value)) = EmailAddress::new(&text) {
            prop_assert!(clean(value.as_str()) && value.as_str().contains('@'));
            prop_assert_eq!(EmailAddress::new(value.as_str()), Ok(Some(value.clone())));
        }
        if let Ok(Some(value)) = Website::new(&text) {
            prop_assert!(clean(value.as_str()) && value.as_str().starts_with("http"));
        }
        if let Ok(value) = CompanyName::new(&text) {
            prop_assert!(clean(value.as_str()));
        }
        if let Ok(value) = MessageText::new(&text) {
            prop_assert!(!value.as_str().contains('\0'));
        }
    }

    #[test]
    fn a_phone_is_kept_in_one_form_and_found_by_its_beginning(text in "[+]?[0-9０-９ー−() -]{0,24}", cut in 1_usize..9) {
        if let Ok(Some(value)) = PhoneNumber::new(&text) {
            prop_assert_eq!(PhoneNumber::new(value.as_str()), Ok(Some(value.clone())));
            prop_assert!((4..=20).contains(&value.key().len()));
            let beginning: String = value.as_str().chars().take(cut).collect();
            prop_assert!(value.key().starts_with(&PhoneNumber::prefix_key(&beginning)));
        }
    }

    #[test]
    fn a_name_is_found_by_its_beginning_in_any_kana(
        last in "[ァ-ヶ一-龠a-z]{1,8}",
        first in "[ァ-ヶ一-龠a-z]{0,8}",
        cut in 1_usize..12,
    ) {
        let keys = customer_details(&last, &first).keys();
        let beginning: String = format!("{last}{first}").chars().take(cut).collect();
        for typed in [beginning.clone(), fold(&beginning), beginning.to_uppercase()] {
            let prefix = CustomerPrefix::new(&typed);
            prop_assert!(prefix.is_some_and(|prefix| keys.name_key.starts_with(&prefix.name)), "{}", typed);
        }
    }

    #[test]
    fn a_page_holds_at_most_its_limit_and_knows_whether_there_is_more(rows in 0_usize..9, limit in 1_usize..9) {
        let cursor = |row: &usize| Cursor { key: String::new(), id: i64::try_from(*row).unwrap_or_default() };
        let page = Page::cut((0..rows).collect(), limit, cursor);
        prop_assert_eq!(page.items.len(), rows.min(limit));
        prop_assert_eq!(page.next.is_some(), rows > limit);
    }
}
