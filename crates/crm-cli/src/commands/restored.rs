//! What is said after a restore, and the 復旧シート.

use crm_compose::Settings;
use crm_compose::backups::{KeyFate, KeySheet, Restored};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::texts::Texts;

/// What there is now, what must be entered again, and what to do next, in order.
pub(crate) fn lines(texts: &Texts, restored: &Restored, settings: &Settings) -> Vec<String> {
    let database = settings.data.database.to_string();
    let (rows, files) = (restored.rows.to_string(), restored.files.to_string());
    let done = [
        ("database", database.as_str()),
        ("made_at", &restored.made_at),
        ("rows", &rows),
        ("files", &files),
    ];
    let mut lines = vec![texts.fill("restore.done", &done)];
    let key = format!("restore.key_{}", restored.key.code());
    lines.push(texts.fill(&key, &[("fingerprint", &restored.fingerprint)]));
    if let KeyFate::Adopted { factors, connection } = &restored.key {
        if !(factors.is_empty() && connection.is_empty()) {
            lines.push(texts.text("restore.again"));
        }
        for email in factors {
            lines.push(texts.fill("restore.again_factor", &[("email", email)]));
        }
        if !connection.is_empty() {
            lines.push(texts.fill("restore.again_connection", &[("fields", &connection.join(", "))]));
        }
    }
    for (key, count) in [
        ("restore.given_up", restored.given_up),
        ("restore.callbacks", restored.callbacks),
        ("restore.missing_files", restored.missing_files),
    ] {
        if count > 0 {
            lines.push(texts.fill(key, &[("count", &count.to_string())]));
        }
    }
    if let Some(file) = &restored.settings {
        lines.push(texts.fill("restore.settings", &[("file", &file.display().to_string())]));
    }
    lines.push(texts.text("restore.next"));
    lines
}

/// The same for programs.
pub(crate) fn json(restored: &Restored, settings: &Settings) -> Value {
    let (factors, connection) = match &restored.key {
        KeyFate::Adopted { factors, connection } => (factors.clone(), connection.clone()),
        _ => (Vec::new(), Vec::new()),
    };
    json!({"database": settings.data.database.to_string(), "made_at": restored.made_at, "product": restored.product,
        "rows": restored.rows, "files": restored.files, "missing_files": restored.missing_files,
        "callbacks": restored.callbacks, "given_up": restored.given_up, "migrated": restored.migrated,
        "key": restored.key.code(), "fingerprint": restored.fingerprint,
        "enter_again": {"second_factors": factors, "connection": connection},
        "settings": restored.settings, "private_key": restored.private_key, "paused": true})
}

/// A page of A4 in fixed width.
pub(crate) fn sheet(texts: &Texts, sheet: &KeySheet, printed: &str) -> String {
    let rule = "=".repeat(72);
    let mut lines = vec![rule.clone(), texts.text("sheet.title"), rule];
    let kept = match &sheet.file {
        Some(file) => texts.fill("sheet.key_file", &[("file", file)]),
        None => texts.text("sheet.key_setting"),
    };
    lines.extend([texts.text("sheet.purpose"), String::new(), kept]);
    lines.push(texts.fill("sheet.fingerprint", &[("fingerprint", &sheet.fingerprint)]));
    lines.extend([String::new(), texts.text("sheet.key")]);
    for (number, line) in sheet.lines.iter().enumerate() {
        lines.push(format!(
            "  {:>2}  {:<35}  [{}]",
            number + 1,
            line.groups,
            line.check
        ));
    }
    lines.extend([texts.text("sheet.check"), String::new()]);
    if let Ok(code) = QrCode::new(sheet.key.expose_secret().as_bytes()) {
        lines.push(code.render::<Dense1x2>().quiet_zone(true).build());
    }
    let sealed = texts.text(if sheet.encrypted {
        "sheet.sealed"
    } else {
        "sheet.open"
    });
    lines.push(texts.fill(
        "sheet.places",
        &[("backups", &sheet.backups), ("database", &sheet.database)],
    ));
    lines.extend([sealed, String::new(), texts.text("sheet.steps"), String::new()]);
    lines.push(texts.fill("sheet.printed", &[("at", printed)]));
    format!("{}\n", lines.join("\n"))
}
