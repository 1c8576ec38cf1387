//! Renders every page with every sample in every language, leaves the result in `target/tmp/pages` to be looked at, and
//! looks up every key of the catalogues.
#![expect(clippy::unwrap_used, reason = "a failing test may say so by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use crm_web::i18n::{Language, catalogue};
use crm_web::page::{Banner, Frame, FrameUser, Menu, Notice, Page};
use crm_web::templates::Templates;
use crm_web::views::{
    activities, admin, api_docs, audit, backups, board, companies, customers, exports, factors, handling,
    members, phone, profiles, retention, searches, senders, sessions, setup, system, teams, tokens, trash,
    users,
};

/// Everything rendered: (template, number of the sample, language, HTML).
fn render_all(templates: &Templates) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    render::<board::BoardPage>(templates, Menu::Board, &mut pages);
    render::<board::BoardFragment>(templates, Menu::None, &mut pages);
    render::<handling::HandOverPage>(templates, Menu::Board, &mut pages);
    render::<customers::CustomersPage>(templates, Menu::Customers, &mut pages);
    render::<customers::CustomerPage>(templates, Menu::Customers, &mut pages);
    render::<customers::CustomerFormPage>(templates, Menu::Customers, &mut pages);
    render::<searches::SearchPage>(templates, Menu::None, &mut pages);
    render::<companies::CompaniesPage>(templates, Menu::Companies, &mut pages);
    render::<companies::CompanyPage>(templates, Menu::Companies, &mut pages);
    render::<companies::CompanyFormPage>(templates, Menu::Companies, &mut pages);
    render::<activities::MessagesFragment>(templates, Menu::None, &mut pages);
    render::<activities::SendMessagePage>(templates, Menu::Customers, &mut pages);
    render::<members::LoginPage>(templates, Menu::None, &mut pages);
    render::<members::SignInLinkPage>(templates, Menu::None, &mut pages);
    render::<members::MePage>(templates, Menu::Me, &mut pages);
    render::<admin::AdminPage>(templates, Menu::Admin, &mut pages);
    render::<users::UsersPage>(templates, Menu::AdminUsers, &mut pages);
    render::<users::UserPage>(templates, Menu::AdminUsers, &mut pages);
    render::<users::LeavePage>(templates, Menu::AdminUsers, &mut pages);
    render::<teams::TeamsPage>(templates, Menu::AdminTeams, &mut pages);
    render::<teams::TeamPage>(templates, Menu::AdminTeams, &mut pages);
    render::<teams::TeamDeletePage>(templates, Menu::AdminTeams, &mut pages);
    render::<tokens::TokensPage>(templates, Menu::AdminTokens, &mut pages);
    render::<sessions::SessionsPage>(templates, Menu::AdminSessions, &mut pages);
    render::<factors::FactorPage>(templates, Menu::Me, &mut pages);
    render::<factors::LoginCodePage>(templates, Menu::None, &mut pages);
    render::<setup::SetupPage>(templates, Menu::None, &mut pages);
    render::<trash::TrashPage>(templates, Menu::Trash, &mut pages);
    render::<trash::CollisionPage>(templates, Menu::Trash, &mut pages);
    render::<retention::RetentionPage>(templates, Menu::AdminRetention, &mut pages);
    render::<backups::BackupsPage>(templates, Menu::AdminBackups, &mut pages);
    render::<audit::AuditPage>(templates, Menu::AdminAudit, &mut pages);
    render::<audit::ReadingsPage>(templates, Menu::AdminAudit, &mut pages);
    render::<exports::ExportPage>(templates, Menu::Customers, &mut pages);
    render::<senders::SendersPage>(templates, Menu::Senders, &mut pages);
    render::<senders::SenderPage>(templates, Menu::Senders, &mut pages);
    render::<senders::LinkPage>(templates, Menu::Senders, &mut pages);
    render::<senders::ReplacePage>(templates, Menu::Senders, &mut pages);
    render::<profiles::MemberChoicePage>(templates, Menu::Customers, &mut pages);
    render::<phone::PhonePage>(templates, Menu::None, &mut pages);
    render::<phone::PhoneFragment>(templates, Menu::None, &mut pages);
    render::<system::ErrorPage>(templates, Menu::None, &mut pages);
    render::<system::DeletePage>(templates, Menu::Customers, &mut pages);
    render::<system::WebhookTestPage>(templates, Menu::None, &mut pages);
    render::<api_docs::ApiDocsPage>(templates, Menu::None, &mut pages);
    pages
}

fn render<P: Page>(templates: &Templates, menu: Menu, pages: &mut Vec<(String, String)>) {
    let stem = P::TEMPLATE.trim_end_matches(".html");
    for language in Language::ALL {
        for (number, sample) in P::samples().iter().enumerate() {
            for (name, frame) in frames(language, menu) {
                let html = templates.render(&frame, sample).unwrap_or_else(|error| {
                    panic!("{} sample {number} in {language:?}: {error:#}", P::TEMPLATE)
                });
                pages.push((format!("{stem}-{number}-{}-{name}", language.code()), html));
            }
        }
    }
}

fn frames(language: Language, menu: Menu) -> Vec<(&'static str, Frame)> {
    let plain = Frame {
        language,
        user: Some(FrameUser {
            name: "田中 花子".to_owned(),
            role: "member",
            admin: false,
        }),
        csrf_token: "c5rf".to_owned(),
        cursor: Some("ab-0-7".to_owned()),
        menu,
        ..Frame::default()
    };
    let full = Frame {
        user: Some(FrameUser {
            name: "田中 花子".to_owned(),
            role: "admin",
            admin: true,
        }),
        banner: Some(Banner::LineWorksMissing),
        notice: Notice::from_cookie("message_deleted.7"),
        counts: Some(board::CountsView {
            waiting: "999+".to_owned(),
            mine: "12".to_owned(),
            unknown: "2".to_owned(),
        }),
        demo: true,
        firm_name: Some("株式会社サンプル".to_owned()),
        ..plain.clone()
    };
    let stranger = Frame {
        user: None,
        ..plain.clone()
    };
    vec![("plain", plain), ("full", full), ("stranger", stranger)]
}

#[test]
fn every_page_renders_with_every_sample_in_every_language() {
    let pages = render_all(&Templates::load().unwrap());
    assert!(pages.len() > 100);
    for (name, html) in &pages {
        assert!(!html.contains(" style="), "{name} has an inline style");
        assert!(
            !html.contains(" onclick") && !html.contains("=\"javascript:"),
            "{name} has inline code"
        );
        assert!(!html.contains("<b>佐藤"), "{name} does not escape");
        assert!(
            !html.contains("None") && !html.contains("none<"),
            "{name} shows a missing value"
        );
        for form in html.split("<form").skip(1) {
            let tag = &form[..form.find('>').unwrap()];
            let body = &form[..form.find("</form>").expect("a form that ends")];
            let changes = tag.contains("method=\"post\"");
            assert_eq!(
                changes,
                body.contains("name=\"csrf_token\""),
                "{name}: token in {tag}"
            );
            assert!(
                !tag.contains("action=\"") || tag.contains("action=\"/"),
                "{name}: {tag}"
            );
        }
        if html.contains("<html") {
            assert!(
                html.contains("<meta name=\"csrf-token\" content=\"c5rf\">"),
                "{name}"
            );
            let ids: Vec<&str> = html
                .split(" id=\"")
                .skip(1)
                .map(|rest| &rest[..rest.find('"').unwrap()])
                .collect();
            let unique: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{name} uses an id twice");
        }
    }
    let gallery = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&gallery).unwrap();
    for (name, html) in &pages {
        std::fs::write(gallery.join(format!("{name}.html")), html).unwrap();
    }
}

/// Words that look like keys of the catalogue: `name.rest`, lower case, in quotes.
fn quoted_words(source: &str) -> BTreeSet<String> {
    source
        .split(['"', '\''])
        .filter(|word| word.contains('.') && !word.contains(char::is_whitespace))
        .map(str::to_owned)
        .collect()
}

/// The texts of all files below a folder with this ending.
fn texts_below(folder: &Path, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(texts_below(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
        }
    }
    found
}

/// What a template asks the catalogue for: the texts in `t("…"` and `t('…'`.
fn asked_keys(source: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (place, _) in source.match_indices("t(") {
        let mut after = source[place + 2..].chars();
        let stands_alone =
            !source[..place].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let quote = after.next().filter(|first| matches!(first, '"' | '\''));
        if let (true, Some(quote)) = (stands_alone, quote) {
            keys.push(after.take_while(|letter| *letter != quote).collect());
        }
    }
    keys
}

/// Beginnings of keys whose end is chosen while the program runs.
const OPEN_ENDED: &[&str] = &[
    "admin_menu.",
    "advice.",
    "check.",
    "check_outcome.",
    "connection.fixed.",
    "connection.hint.",
    "connection.state.",
    "skipped.",
    "admin_about.",
    "scope.",
    "scope_hint.",
    "sees.",
    "sees_hint.",
    "token_state.",
    "board.",
    "board.column.",
    "board.empty.",
    "board.order.",
    "board.tab.",
    "handling.close.",
    "error.",
    "error_page.",
    "field.",
    "link.",
    "role.",
    "send_state.",
    "notice.",
    "banner.",
    "confirm.",
    "composer.",
    "talk.",
    "talk.kind.",
    "webhook_test.outcome.",
    "trial.",
    "trial_failure.",
    "problem.",
    "send_problem.",
    "members_unlisted.",
    "file_problem.",
    "send_waits.",
    "warning.",
    "data_kind.",
    "erasure_state.",
    "erasure_cause.",
    "trash.kind.",
    "trash.collision.",
    "retention.kind.",
    "act.",
    "actor.",
    "record.",
    "reading.",
    "audit_field.",
    "audit_column.",
    "export.",
    "pause_cause.",
    "backup_state.",
    "backup_problem.",
];

#[test]
fn every_key_that_is_used_exists_and_none_is_unused() {
    let texts = catalogue(Language::Ja);
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    for (_, source) in texts_below(&home.join("src"), "rs") {
        used.extend(quoted_words(&source));
    }
    for (name, source) in texts_below(&home.join("templates"), "html") {
        for key in asked_keys(&source) {
            let exists = texts.get(&key).is_some() || OPEN_ENDED.contains(&key.as_str());
            assert!(exists, "{name} uses {key}, which no catalogue has");
        }
        used.extend(quoted_words(&source));
    }
    let unused: Vec<&str> = texts
        .keys()
        .filter(|key| !used.contains(*key) && !OPEN_ENDED.iter().any(|start| key.starts_with(start)))
        .collect();
    assert!(unused.is_empty(), "nobody uses {unused:?}");
}

#[test]
fn the_sprite_holds_only_icons_in_use() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let templates = texts_below(&home.join("templates"), "html");
    let sprite = std::fs::read_to_string(home.join("assets/icons.svg")).unwrap();
    for mark in sprite.split("<symbol id=\"").skip(1) {
        let icon = mark.split('"').next().unwrap();
        let used = templates
            .iter()
            .any(|(_, source)| source.contains(&format!("\"{icon}\"")));
        assert!(used, "nobody uses the icon {icon}");
    }
}
