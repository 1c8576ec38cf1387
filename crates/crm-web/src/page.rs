//! A page is a template with its typed context; a frame is what stands around every page.

use serde::Serialize;

use crate::i18n::Language;
use crate::links;
use crate::views::board::CountsView;

/// The typed context of one template.
pub trait Page: Serialize {
    /// Name of the template below `templates/`.
    const TEMPLATE: &'static str;

    /// Believable contexts that reach every branch of the template; a test renders them all.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What stands around a page: who is signed in, which menu entry is active, what has to be said.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Frame {
    /// Language of all words.
    pub language: Language,
    /// Who is signed in; nobody on the sign-in page.
    pub user: Option<FrameUser>,
    /// Goes into every form and into `<meta name="csrf-token">`.
    pub csrf_token: String,
    /// The active entry of the menu.
    pub menu: Menu,
    /// How many wait; none when nobody is signed in or the page has no menu.
    pub counts: Option<CountsView>,
    /// The place in the order of events that the page certainly knows; none on pages that do not follow them.
    pub cursor: Option<String>,
    /// A lasting state of the whole system that people must know.
    pub banner: Option<Banner>,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// Sample data and a simulator run inside.
    pub demo: bool,
    /// The firm's own name beside the product's.
    pub firm_name: Option<String>,
}

/// The signed-in member, as the navigation bar shows them.
#[derive(Debug, Clone, Serialize)]
pub struct FrameUser {
    /// Full name.
    pub name: String,
    /// Key of the role's word: `admin` or `member`.
    pub role: &'static str,
    /// Whether the menu shows administration.
    pub admin: bool,
}

/// An entry of the side menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Menu {
    /// No entry is active.
    #[default]
    None,
    /// 対応状況.
    Board,
    /// 会社一覧 and what belongs to it.
    Companies,
    /// 顧客一覧 and what belongs to it.
    Customers,
    /// 未登録の送信者.
    Senders,
    /// ごみ箱.
    Trash,
    /// One's own settings.
    Me,
    /// 管理: what there is to administer.
    Admin,
    /// ユーザー.
    AdminUsers,
    /// チーム.
    AdminTeams,
    /// APIトークン.
    AdminTokens,
    /// ログイン中の端末.
    AdminSessions,
    /// 操作履歴（監査ログ）.
    AdminAudit,
    /// 保存期間.
    AdminRetention,
    /// バックアップ.
    AdminBackups,
    /// LINE WORKS連携.
    AdminLineWorks,
}

/// A lasting state shown above every page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Banner {
    /// No bot is configured: nothing is sent and nothing arrives.
    LineWorksMissing,
    /// The database cannot be written: nothing can be saved, callbacks wait in the spool.
    StoreAway,
    /// Callbacks come with signatures that are wrong: the bot secret is another one.
    WrongSignatures,
    /// Callbacks with right signatures come from addresses that are not allowed.
    OtherAddress,
    /// Nothing leaves by itself since a backup was put back.
    WorkPaused,
    /// The same, for who can only wait for it.
    SendingRests,
    /// The last backup failed.
    BackupFailed,
    /// The newest good backup is too old.
    BackupOld,
    /// Backups lie on the disk of the data.
    BackupSameDisk,
}

/// What the last action did, told once on the page that follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Names the sentence `notice.<code>`.
    pub code: &'static str,
    /// Where a form posts to take the action back.
    pub undo: Option<String>,
}

/// The actions that a following page tells about; between the two it travels in a short-lived cookie.
const NOTICES: &[(&str, Option<&str>)] = &[
    ("saved", None),
    ("added", None),
    ("linked", None),
    ("message_sent", None),
    ("owner_changed", None),
    ("team_changed", None),
    ("message_deleted", Some("activity_restore")),
    ("message_restored", None),
    ("message_already_deleted", Some("activity_restore")),
    ("message_already_resent", None),
    ("message_cancelled", None),
    ("message_already_leaving", None),
    ("message_treated", None),
    ("message_not_treated", None),
    ("customer_deleted", None),
    ("company_deleted", None),
    ("customer_restored", None),
    ("company_restored", None),
    ("erased", None),
    ("erasing", None),
    ("house_begun", None),
    ("backup_begun", None),
    ("backup_runs", None),
    ("work_resumed", None),
    ("hold_placed", None),
    ("hold_lifted", None),
    ("user_changed", None),
    ("user_disabled", Some("user_enable")),
    ("user_enabled", None),
    ("user_left", None),
    ("factors_reset", None),
    ("session_ended", None),
    ("sessions_ended", None),
    ("sign_in_over", None),
    ("factor_off", None),
    ("team_deleted", None),
    ("token_revoked", None),
    ("taken", None),
    ("released", None),
    ("handed_over", None),
    ("closed", Some("conversation_undo_close")),
    ("closing_undone", None),
    ("nobody_waits", None),
    ("password_changed", None),
    ("language_changed", None),
    ("connection_saved", None),
    ("token_renewed", None),
    ("bot_set_up", None),
];

impl Notice {
    /// Name of the cookie that carries a notice to the next page.
    pub const COOKIE: &'static str = "crm_notice";

    /// The cookie's value for an action on the record `id`.
    pub fn cookie_value(code: &'static str, id: Option<i64>) -> String {
        match id {
            Some(id) => format!("{code}.{id}"),
            None => code.to_owned(),
        }
    }

    /// Reads a cookie's value; what we did not write is no notice.
    pub fn from_cookie(value: &str) -> Option<Notice> {
        let (name, id) = match value.split_once('.') {
            Some((name, id)) => (name, Some(id.parse::<i64>().ok()?)),
            None => (value, None),
        };
        let (code, undo) = NOTICES.iter().copied().find(|(code, _)| *code == name)?;
        Some(Notice {
            code,
            undo: undo.and_then(|road| links::by_name(road, Some(id?))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Notice;

    #[test]
    fn a_notice_survives_its_cookie() {
        let told = Notice::from_cookie(&Notice::cookie_value("message_deleted", Some(7)));
        assert_eq!(
            told,
            Some(Notice {
                code: "message_deleted",
                undo: Some("/activity/7/restore".to_owned())
            })
        );
        assert_eq!(Notice::from_cookie("saved").map(|notice| notice.undo), Some(None));
    }

    #[test]
    fn a_forged_cookie_says_nothing() {
        assert_eq!(Notice::from_cookie("message_deleted.x"), None);
        assert_eq!(Notice::from_cookie("<script>"), None);
    }
}
