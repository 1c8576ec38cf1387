//! Contexts of the trash.

use serde::Serialize;

use crate::page::Page;

/// `GET /trash`.
#[derive(Debug, Clone, Serialize)]
pub struct TrashPage {
    /// What lies there, newest first.
    pub rows: Vec<TrashRow>,
    /// The way to what was deleted before.
    pub next: Option<String>,
    /// Whether the reader may bring things back.
    pub restores: bool,
    /// Whether the reader may delete for good.
    pub erases: bool,
}

/// One thing in the trash.
#[derive(Debug, Clone, Serialize)]
pub struct TrashRow {
    /// `customer` or `company`.
    pub kind: &'static str,
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// When it was deleted.
    pub at: String,
    /// Who deleted it.
    pub by: Option<String>,
    /// When it is gone.
    pub gone: String,
    /// Whether its deletion is held back.
    pub held: bool,
}

/// Asks before a customer comes back whose e-mail, phone or user id others have by now.
#[derive(Debug, Clone, Serialize)]
pub struct CollisionPage {
    /// The customer's number.
    pub id: i64,
    /// The customer's name.
    pub name: String,
    /// Who has what.
    pub collisions: Vec<CollisionRow>,
}

/// Somebody with the same e-mail, phone or user id.
#[derive(Debug, Clone, Serialize)]
pub struct CollisionRow {
    /// The field's name.
    pub field: &'static str,
    /// Who has it.
    pub id: i64,
    /// The name of who has it.
    pub name: String,
}

impl Page for TrashPage {
    const TEMPLATE: &'static str = "trash.html";

    fn samples() -> Vec<TrashPage> {
        let row = |kind, id, name: &str, by: Option<&str>, held| TrashRow {
            kind,
            id,
            name: name.to_owned(),
            at: "2026/11/20 10:15".to_owned(),
            by: by.map(str::to_owned),
            gone: "2026/12/20".to_owned(),
            held,
        };
        let full = TrashPage {
            rows: vec![
                row("customer", 5, "山田 太郎", Some("田中 花子"), false),
                row("company", 3, "株式会社山田製作所", None, true),
            ],
            next: Some("/trash?after=x".to_owned()),
            restores: true,
            erases: true,
        };
        let plain = TrashPage {
            restores: false,
            erases: false,
            next: None,
            ..full.clone()
        };
        let empty = TrashPage {
            rows: Vec::new(),
            next: None,
            ..full.clone()
        };
        vec![full, plain, empty]
    }
}

impl Page for CollisionPage {
    const TEMPLATE: &'static str = "trash_collision.html";

    fn samples() -> Vec<CollisionPage> {
        let row = |field, id, name: &str| CollisionRow {
            field,
            id,
            name: name.to_owned(),
        };
        vec![CollisionPage {
            id: 5,
            name: "山田 太郎".to_owned(),
            collisions: vec![
                row("email", 8, "山田 次郎"),
                row("phone", 8, "山田 次郎"),
                row("line_user_id", 9, "山田 三郎"),
            ],
        }]
    }
}
