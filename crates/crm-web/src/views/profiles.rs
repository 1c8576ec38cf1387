//! The members of LINE WORKS, one of whom is to be tied to a customer.

use crm_domain::ports::profiles::{Profile, ProfileError};
use crm_domain::use_cases::MemberChoice;
use serde::Serialize;

use crate::links;
use crate::page::Page;
use crate::sentence::Sentence;

/// The most members that are shown at once; who looks for another types more of the name.
pub const SHOWN: usize = 50;

/// `GET /members/line-works`.
#[derive(Debug, Clone, Serialize)]
pub struct MemberChoicePage {
    /// What is searched for.
    pub q: String,
    /// Whose form asked; none for a new customer's.
    pub customer: Option<i64>,
    /// Those found.
    pub rows: Vec<MemberRow>,
    /// Whether more were found than are shown.
    pub more: bool,
    /// Why these are not all.
    pub problem: Option<Sentence>,
    /// The form that asked.
    pub back: String,
}

/// A member who can be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct MemberRow {
    /// The id that callbacks carry.
    pub user_id: String,
    /// 姓 名; empty if LINE WORKS does not tell.
    pub name: String,
    /// セイ メイ.
    pub kana: String,
    /// The login id.
    pub email: String,
    /// The form with this id filled in.
    pub href: String,
}

/// The address of the form that asked.
pub fn form_of(customer: Option<i64>) -> String {
    customer.map_or("/customer/new".to_owned(), |id| {
        format!("{}/edit", links::customer(id))
    })
}

impl MemberRow {
    fn of(member: &Profile, customer: Option<i64>) -> MemberRow {
        let user_id = member.user_id.as_str();
        MemberRow {
            user_id: user_id.to_owned(),
            name: member.name.full(),
            kana: member.name.full_kana(),
            email: member.email.clone(),
            href: links::with_query(&form_of(customer), &[("line_user_id", user_id)]),
        }
    }
}

impl MemberChoicePage {
    /// What was found for `q`.
    pub fn of(choice: &MemberChoice, q: &str, customer: Option<i64>) -> MemberChoicePage {
        let mut found = choice.matching(q);
        let rows = found
            .by_ref()
            .take(SHOWN)
            .map(|member| MemberRow::of(member, customer))
            .collect();
        MemberChoicePage {
            q: q.trim().to_owned(),
            customer,
            rows,
            more: found.next().is_some(),
            problem: choice.problem.as_ref().map(unlisted),
            back: form_of(customer),
        }
    }
}

/// Why LINE WORKS does not list its members, and what to do.
pub fn unlisted(problem: &ProfileError) -> Sentence {
    Sentence::of(format!("members_unlisted.{}", problem.code()))
}

impl Page for MemberChoicePage {
    const TEMPLATE: &'static str = "line_works_members.html";

    fn samples() -> Vec<MemberChoicePage> {
        let row = |user_id: &str, name: &str, kana: &str, email: &str| MemberRow {
            user_id: user_id.to_owned(),
            name: name.to_owned(),
            kana: kana.to_owned(),
            email: email.to_owned(),
            href: format!("/customer/7/edit?line_user_id={user_id}"),
        };
        let full = MemberChoicePage {
            q: "やま".to_owned(),
            customer: Some(7),
            rows: vec![
                row(
                    "00000000-0000-4000-8000-000000000001",
                    "山田 花子",
                    "ヤマダ ハナコ",
                    "hanako@example",
                ),
                row("00000000-0000-4000-8000-000000000002", "", "", ""),
            ],
            more: true,
            problem: Some(unlisted(&ProfileError::Refused(
                crm_domain::ports::messenger::SendProblem::BadRequest,
            ))),
            back: form_of(Some(7)),
        };
        let none = MemberChoicePage {
            rows: Vec::new(),
            more: false,
            problem: None,
            ..full.clone()
        };
        let refused = MemberChoicePage {
            q: String::new(),
            customer: None,
            problem: Some(unlisted(&ProfileError::ScopeMissing)),
            back: form_of(None),
            ..none.clone()
        };
        vec![full, none, refused]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crm_domain::ports::messenger::SendProblem;
    use crm_domain::ports::profiles::{Profile, ProfileError, ProfileName};
    use crm_domain::use_cases::MemberChoice;
    use crm_domain::values::LineUserId;

    use super::{MemberChoicePage, SHOWN, unlisted};
    use crate::i18n::{Language, catalogue};

    #[test]
    fn so_many_are_shown_and_the_rest_is_said() {
        let member = |number: usize| Profile {
            user_id: LineUserId::new(&format!("u{number}")).unwrap().unwrap(),
            name: ProfileName {
                last: "山田".to_owned(),
                first: format!("{number}号"),
                last_kana: "ヤマダ".to_owned(),
                first_kana: String::new(),
            },
            email: String::new(),
        };
        let choice = MemberChoice {
            members: Arc::new((0..=SHOWN).map(member).collect()),
            problem: None,
        };
        let all = MemberChoicePage::of(&choice, " ", None);
        assert_eq!((all.rows.len(), all.more), (SHOWN, true));
        let one = MemberChoicePage::of(&choice, "やまだ 50号", Some(3));
        assert_eq!(
            (one.rows.len(), one.more),
            (0, false),
            "name and reading are apart"
        );
        let one = MemberChoicePage::of(&choice, "山田５０号", Some(3));
        assert_eq!(one.rows[0].href, "/customer/3/edit?line_user_id=u50");
    }

    #[test]
    fn every_problem_has_its_sentence() {
        let problems = [
            ProfileError::NotConfigured,
            ProfileError::ScopeMissing,
            ProfileError::NotFound,
            ProfileError::Later {
                problem: SendProblem::NoConnection,
                wait: None,
            },
            ProfileError::Refused(SendProblem::BadRequest),
        ];
        for language in Language::ALL {
            for problem in &problems {
                let key = unlisted(problem).key;
                assert!(
                    catalogue(language).get(&key).is_some(),
                    "{language:?} has no {key}"
                );
            }
        }
    }
}
