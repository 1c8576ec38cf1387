//! Every address of the pages, once. Handlers call the functions, templates call `url('name', id=…)`.

/// The start page.
pub const HOME: &str = "/";
/// The lines of the board alone.
pub const BOARD_FRAGMENT: &str = "/board/fragment";
/// How many wait, as JSON.
pub const BOARD_COUNTS: &str = "/board/counts";
/// Leads to whoever waits longest.
pub const NEXT_WAITING: &str = "/next";
/// Those who wrote and are no customers.
pub const UNKNOWN_SENDERS: &str = "/unknown-senders";
/// The customer list.
pub const CUSTOMERS: &str = "/customers";
/// The company list.
pub const COMPANIES: &str = "/companies";
/// Where everything is searched at once.
pub const SEARCH: &str = "/search";
/// What was deleted and can be brought back.
pub const TRASH: &str = "/trash";
/// One's own settings.
pub const ME: &str = "/me";
/// What there is to administer.
pub const ADMIN: &str = "/admin";
/// One's own API tokens.
pub const OWN_TOKENS: &str = "/me/tokens";
/// One's own second factor.
pub const FACTOR: &str = "/me/factor";
/// The members of this CRM.
pub const USERS: &str = "/admin/users";
/// The teams of this CRM.
pub const TEAMS: &str = "/admin/teams";
/// The keys with which programs act.
pub const TOKENS: &str = "/admin/tokens";
/// The browsers that are signed in.
pub const SESSIONS: &str = "/admin/sessions";
/// Who did what.
pub const AUDIT: &str = "/admin/audit";
/// 書き出し of the customers.
pub const CUSTOMERS_EXPORT: &str = "/customers/export";
/// 書き出し of the companies.
pub const COMPANIES_EXPORT: &str = "/companies/export";
/// How long things are kept.
pub const RETENTION: &str = "/admin/retention";
/// バックアップ.
pub const BACKUPS: &str = "/admin/backups";
/// The connection to LINE WORKS.
pub const LINE_WORKS: &str = "/admin/line-works";
/// A whole `.env` is pasted here.
pub const LINE_WORKS_ENV: &str = "/admin/line-works/env";
/// 接続を確認.
pub const LINE_WORKS_CHECK: &str = "/admin/line-works/check";
/// アクセストークンを取り直す.
pub const LINE_WORKS_TOKEN: &str = "/admin/line-works/token";
/// この内容で設定する.
pub const LINE_WORKS_BOT: &str = "/admin/line-works/bot";
/// テスト送信.
pub const LINE_WORKS_TEST: &str = "/admin/line-works/test";
/// The members of LINE WORKS, one of whom is to be chosen.
pub const LINE_WORKS_MEMBERS: &str = "/members/line-works";
/// The same for the dialog of the form.
pub const LINE_WORKS_MEMBERS_JSON: &str = "/members/line-works.json";
/// The sign-in page.
pub const LOGIN: &str = "/login";
/// Where the second factor is asked for.
pub const SECOND_FACTOR: &str = "/login/code";
/// What changed, as a stream.
pub const EVENTS: &str = "/events";
/// The page on which a newcomer plays the customer.
pub const PHONE: &str = "/demo/phone";

/// The page that asks for the second factor, and where to go after it.
pub fn second_factor(next: &str) -> String {
    with_query(SECOND_FACTOR, &[("next", next)])
}

/// The page on which the first administrator is made.
pub fn setup(secret: &str) -> String {
    format!("/setup/{secret}")
}

/// A customer's page.
pub fn customer(id: i64) -> String {
    format!("/customer/{id}")
}

/// A customer's page, opened where a message stands; `place` is its place in the conversation.
pub fn message(customer: i64, place: &str, id: i64) -> String {
    format!("/customer/{customer}?at={place}#m{id}")
}

/// A member's page of administration.
pub fn user(id: i64) -> String {
    format!("{USERS}/{id}")
}

/// A team's page of administration.
pub fn team(id: i64) -> String {
    format!("{TEAMS}/{id}")
}

/// A company's page.
pub fn company(id: i64) -> String {
    format!("/company/{id}")
}

/// Somebody who wrote and is no customer, by the conversation.
pub fn unknown_sender(conversation: i64) -> String {
    format!("{UNKNOWN_SENDERS}/{conversation}")
}

/// A page's address with a query; empty values are left out.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut mark = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        address.push_str(&encode(value));
        mark = '&';
    }
    address
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes what may not stand in a query value.
pub fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(HEX.get(usize::from(byte >> 4)).map(|digit| char::from(*digit)));
            encoded.extend(HEX.get(usize::from(byte & 15)).map(|digit| char::from(*digit)));
        }
    }
    encoded
}

/// The address that templates ask for by name; `None` for a name or a missing id that is a mistake in the template.
pub fn by_name(name: &str, id: Option<i64>) -> Option<String> {
    let fixed = match name {
        "home" => HOME,
        "board_fragment" => BOARD_FRAGMENT,
        "board_counts" => BOARD_COUNTS,
        "next_waiting" => NEXT_WAITING,
        "unknown_senders" => UNKNOWN_SENDERS,
        "customers" => CUSTOMERS,
        "customer_new" => "/customer/new",
        "companies" => COMPANIES,
        "company_new" => "/company/new",
        "search" => SEARCH,
        "events" => EVENTS,
        "trash" => TRASH,
        "retention_rules" => "/admin/retention/rules",
        "retention_run" => "/admin/retention/run",
        "retention_holds" => "/admin/retention/holds",
        "me" => ME,
        "me_language" => "/me/language",
        "me_password" => "/me/password",
        "factor" => FACTOR,
        "factor_begin" => "/me/factor/begin",
        "factor_confirm" => "/me/factor/confirm",
        "factor_renew" => "/me/factor/renew",
        "factor_off" => "/me/factor/off",
        "admin" => ADMIN,
        "admin_users" => USERS,
        "admin_teams" => TEAMS,
        "admin_tokens" => TOKENS,
        "admin_sessions" => SESSIONS,
        "admin_audit" => AUDIT,
        "admin_audit_csv" => "/admin/audit/csv",
        "admin_readings" => "/admin/audit?tab=readings",
        "admin_readings_rule" => "/admin/audit/readings",
        "customers_export" => CUSTOMERS_EXPORT,
        "companies_export" => COMPANIES_EXPORT,
        "admin_retention" => RETENTION,
        "admin_backups" => BACKUPS,
        "backup_take" => "/admin/backups/take",
        "backup_resume" => "/admin/backups/resume",
        "admin_line_works" => LINE_WORKS,
        "admin_line_works_env" => LINE_WORKS_ENV,
        "admin_line_works_check" => LINE_WORKS_CHECK,
        "admin_line_works_token" => LINE_WORKS_TOKEN,
        "admin_line_works_bot" => LINE_WORKS_BOT,
        "admin_line_works_test" => LINE_WORKS_TEST,
        "line_works_members" => LINE_WORKS_MEMBERS,
        "login" => LOGIN,
        "login_code" => SECOND_FACTOR,
        "logout" => "/logout",
        "phone" => PHONE,
        "phone_messages" => "/demo/phone/messages",
        "openapi" => "/api/v1/openapi.json",
        _ => return with_id(name, id?),
    };
    Some(fixed.to_owned())
}

fn with_id(name: &str, id: i64) -> Option<String> {
    let (before, after) = match name {
        "customer" => ("/customer/", ""),
        "customer_edit" => ("/customer/", "/edit"),
        "customer_delete" => ("/customer/", "/delete"),
        "customer_send" => ("/customer/", "/send"),
        "customer_note" => ("/customer/", "/note"),
        "customer_draft" => ("/customer/", "/draft"),
        "customer_team" => ("/customer/", "/team"),
        "customer_owner" => ("/customer/", "/owner"),
        "customer_messages" => ("/customer/", "/messages"),
        "send_message" => ("/send-message/", ""),
        "customer_export" => ("/customer/", "/export"),
        "trash_customer_restore" => ("/trash/customer/", "/restore"),
        "trash_company_restore" => ("/trash/company/", "/restore"),
        "trash_customer_erase" => ("/trash/customer/", "/erase"),
        "trash_company_erase" => ("/trash/company/", "/erase"),
        "hold_lift" => ("/admin/retention/holds/", "/lift"),
        "company" => ("/company/", ""),
        "company_edit" => ("/company/", "/edit"),
        "company_delete" => ("/company/", "/delete"),
        "file" => ("/file/", ""),
        "file_fetch" => ("/file/", "/fetch"),
        "send_cancel" => ("/send/", "/cancel"),
        "send_treat" => ("/send/", "/treat-as-sent"),
        "conversation_take" => ("/conversation/", "/take"),
        "conversation_release" => ("/conversation/", "/release"),
        "conversation_hand_over" => ("/conversation/", "/hand-over"),
        "conversation_close" => ("/conversation/", "/close"),
        "conversation_undo_close" => ("/conversation/", "/undo-close"),
        "conversation_read" => ("/conversation/", "/read"),
        "unknown_sender" => ("/unknown-senders/", ""),
        "sender_send" => ("/unknown-senders/", "/send"),
        "sender_link" => ("/unknown-senders/", "/link"),
        "activity_delete" => ("/activity/", "/delete"),
        "activity_restore" => ("/activity/", "/restore"),
        "user" => ("/admin/users/", ""),
        "user_factors" => ("/admin/users/", "/factors"),
        "user_sign_out" => ("/admin/users/", "/sign-out"),
        "user_hand_over" => ("/admin/users/", "/hand-over"),
        "team" => ("/admin/teams/", ""),
        "team_members" => ("/admin/teams/", "/members"),
        "team_delete" => ("/admin/teams/", "/delete"),
        "token_revoke" => ("/tokens/", "/revoke"),
        "user_role" => ("/admin/users/", "/role"),
        "user_link" => ("/admin/users/", "/link"),
        "user_disable" => ("/admin/users/", "/disable"),
        "user_enable" => ("/admin/users/", "/enable"),
        _ => return None,
    };
    Some(format!("{before}{id}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{by_name, with_query};

    #[test]
    fn queries_are_encoded_and_empty_values_left_out() {
        assert_eq!(
            with_query("/customers", &[("q", "山田 &"), ("after", "")]),
            "/customers?q=%E5%B1%B1%E7%94%B0%20%26"
        );
        assert_eq!(
            with_query("/customers", &[("q", "a"), ("after", "b")]),
            "/customers?q=a&after=b"
        );
    }

    #[test]
    fn a_name_without_its_id_is_no_address() {
        assert_eq!(by_name("customer", Some(5)).as_deref(), Some("/customer/5"));
        assert_eq!(by_name("customer", None), None);
        assert_eq!(by_name("nowhere", Some(1)), None);
    }
}
