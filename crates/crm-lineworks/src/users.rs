//! What LINE WORKS writes about its members: read tolerantly, since a reduced profile lacks most of it.

use crm_domain::ports::profiles::{Profile, ProfileName, ProfilePage};
use crm_domain::values::LineUserId;
use serde_json::Value;

/// The most characters of a name or login id that are kept.
const LONGEST: usize = 100;

/// One member; `None` if it is not one.
pub(crate) fn profile(body: &[u8]) -> Option<Profile> {
    member(&serde_json::from_slice(body).ok()?)
}

/// A page of the list, without members that were deleted; `None` if it is not one.
pub(crate) fn page(body: &[u8]) -> Option<ProfilePage> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let members = answer.get("users")?.as_array()?;
    let next = answer
        .get("responseMetaData")
        .and_then(|meta| meta.get("nextCursor"))
        .map(raw)
        .filter(|cursor| !cursor.is_empty());
    Some(ProfilePage {
        members: members
            .iter()
            .filter(|user| !is_true(&user["isDeleted"]))
            .filter_map(member)
            .collect(),
        next,
    })
}

fn member(user: &Value) -> Option<Profile> {
    let name = user.get("userName").unwrap_or(&Value::Null);
    let part = |key: &str| name.get(key).map(text).unwrap_or_default();
    Some(Profile {
        user_id: LineUserId::new(&raw(user.get("userId")?)).ok().flatten()?,
        name: ProfileName {
            last: part("lastName"),
            first: part("firstName"),
            last_kana: part("phoneticLastName"),
            first_kana: part("phoneticFirstName"),
        },
        email: user.get("email").map(text).unwrap_or_default(),
    })
}

/// Text or number, as text.
fn raw(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The same in one short line.
fn text(value: &Value) -> String {
    let line: String = raw(value)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect();
    line.trim().to_owned()
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str() == Some("true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{page, profile};

    #[test]
    fn a_profile_is_read_whole_or_reduced() {
        let whole = json!({
            "userId": "00000000-0000-4000-8000-000000000001",
            "domainId": 1,
            "email": "hanako@example",
            "userName": {
                "lastName": " 山田 ", "firstName": "花\u{0}子",
                "phoneticLastName": "ヤマダ", "phoneticFirstName": null
            },
            "organizations": [{"orgUnits": []}],
        });
        let read = profile(whole.to_string().as_bytes()).unwrap();
        assert_eq!(read.name.full(), "山田 花 子");
        assert_eq!(read.name.full_kana(), "ヤマダ");
        assert_eq!(read.email, "hanako@example");
        let reduced = profile(br#"{"userId": 12345, "userName": null}"#).unwrap();
        assert_eq!(
            (reduced.user_id.as_str(), reduced.name.full()),
            ("12345", String::new())
        );
        let long = json!({"userId": "u", "userName": {"lastName": "長".repeat(5_000)}});
        let long = profile(long.to_string().as_bytes()).unwrap();
        assert_eq!(long.name.last.chars().count(), 100);
        for nonsense in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"userId": ""}"#,
            r#"{"userId": "a b"}"#,
        ] {
            assert_eq!(profile(nonsense.as_bytes()), None, "{nonsense}");
        }
    }

    #[test]
    fn a_page_ends_without_a_cursor() {
        let one = json!({"userId": "a", "isDeleted": false});
        let gone = json!({"userId": "b", "isDeleted": "true"});
        for (meta, next) in [
            (json!({"nextCursor": "+/x=="}), Some("+/x==")),
            (json!({"nextCursor": 7}), Some("7")),
            (json!({"nextCursor": ""}), None),
            (json!({"nextCursor": null}), None),
            (json!({}), None),
            (json!(null), None),
        ] {
            let body = json!({"users": [one, gone, {}, 5], "responseMetaData": meta});
            let read = page(body.to_string().as_bytes()).unwrap();
            assert_eq!(read.members.len(), 1);
            assert_eq!(read.next.as_deref(), next, "{meta}");
        }
        assert!(page(b"{}").is_none() && page(b"<html>").is_none());
        assert_eq!(page(br#"{"users": []}"#).map(|page| page.next), Some(None));
    }
}
