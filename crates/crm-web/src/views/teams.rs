//! Contexts of the administration of teams.

use serde::Serialize;

use super::Face;
use crate::forms::FormState;
use crate::page::Page;
use crate::sentence::Sentence;

/// Names of the fields of a team.
pub const TEAM_FIELDS: [&str; 2] = ["team_name", "sees"];

/// `GET /admin/teams`.
#[derive(Debug, Clone, Serialize)]
pub struct TeamsPage {
    /// All teams.
    pub rows: Vec<TeamRow>,
    /// Codes of what a team's members can see.
    pub sights: Vec<&'static str>,
    /// `team_name` and `sees` of a new one.
    pub form: FormState,
}

/// One team.
#[derive(Debug, Clone, Serialize)]
pub struct TeamRow {
    /// The team's number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Code of what its members see.
    pub sees: &'static str,
    /// Names of its leaders.
    pub leaders: Vec<String>,
    /// Names of its other members.
    pub members: Vec<String>,
}

/// `GET /admin/teams/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct TeamPage {
    /// The team's number.
    pub id: i64,
    /// Its name as stored.
    pub name: String,
    /// Codes of what a team's members can see.
    pub sights: Vec<&'static str>,
    /// `team_name` and `sees`.
    pub form: FormState,
    /// Everybody, with their place in the team.
    pub people: Vec<TeamPerson>,
    /// Why the list of members was not saved.
    pub error: Option<Sentence>,
}

/// Somebody who may belong to a team.
#[derive(Debug, Clone, Serialize)]
pub struct TeamPerson {
    /// The member's number.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// Key of the role's word.
    pub role: &'static str,
    /// Initial and colour.
    pub face: Face,
    /// Whether they belong to it.
    pub belongs: bool,
    /// Whether they lead it.
    pub leads: bool,
    /// Whether signing in is closed.
    pub disabled: bool,
}

/// `GET /admin/teams/{id}/delete`: the question before a team goes.
#[derive(Debug, Clone, Serialize)]
pub struct TeamDeletePage {
    /// The team's number.
    pub id: i64,
    /// Its name.
    pub name: String,
}

const SIGHTS: [&str; 3] = ["all", "team", "own"];

impl Page for TeamsPage {
    const TEMPLATE: &'static str = "teams.html";

    fn samples() -> Vec<TeamsPage> {
        let row = |id, name: &str, sees, leaders: &[&str], members: &[&str]| TeamRow {
            id,
            name: name.to_owned(),
            sees,
            leaders: leaders.iter().map(|name| (*name).to_owned()).collect(),
            members: members.iter().map(|name| (*name).to_owned()).collect(),
        };
        let empty = TeamsPage {
            rows: Vec::new(),
            sights: SIGHTS.to_vec(),
            form: FormState::of(&TEAM_FIELDS).with("sees", "team"),
        };
        let mut full = TeamsPage {
            rows: vec![
                row(
                    1,
                    "営業第一チーム",
                    "team",
                    &["高橋 健"],
                    &["田中 花子", "伊藤 誠"],
                ),
                row(2, "<b>佐藤の班", "own", &[], &[]),
            ],
            ..empty.clone()
        };
        full.form
            .refuse("team_name", Sentence::of("problem.team_name.taken"));
        vec![empty, full]
    }
}

impl Page for TeamPage {
    const TEMPLATE: &'static str = "team.html";

    fn samples() -> Vec<TeamPage> {
        let person = |id, name: &str, belongs, leads, disabled| TeamPerson {
            id,
            name: name.to_owned(),
            role: "member",
            face: Face::of(id, name),
            belongs,
            leads,
            disabled,
        };
        let page = TeamPage {
            id: 1,
            name: "営業第一チーム".to_owned(),
            sights: SIGHTS.to_vec(),
            form: FormState::of(&TEAM_FIELDS)
                .with("team_name", "営業第一チーム")
                .with("sees", "own"),
            people: vec![
                person(1, "田中 花子", true, false, false),
                person(2, "高橋 健", true, true, false),
                person(3, "伊藤 誠", true, false, true),
            ],
            error: None,
        };
        let mut refused = TeamPage {
            error: Some(Sentence::of("error.stale")),
            ..page.clone()
        };
        refused
            .form
            .refuse("team_name", Sentence::of("problem.team_name.taken"));
        vec![page, refused]
    }
}

impl Page for TeamDeletePage {
    const TEMPLATE: &'static str = "team_delete.html";

    fn samples() -> Vec<TeamDeletePage> {
        vec![TeamDeletePage {
            id: 1,
            name: "営業第一チーム".to_owned(),
        }]
    }
}
