//! Backups, as an operator takes, looks through and restores them.

use crm_bench::shim::{DiskError, Shim};

use crate::desk::Desk;

fn filled() -> (Desk, String) {
    let desk = Desk::new().with("CRM_FIRM_NAME", "山田商会");
    desk.customer("山田", &["--first-name", "太郎"]);
    let file = desk.path("backup").display().to_string();
    (desk, file)
}

fn code(text: &str) -> &str {
    text.trim_end().rsplit('[').next().unwrap().trim_end_matches(']')
}

#[test]
fn a_backup_is_taken_looked_through_and_restored() {
    let (desk, file) = filled();
    let ran = desk.run(&["backup", &file]);
    assert!(ran.out.contains("暗号化していません"), "{}{}", ran.out, ran.err);
    let sound = desk.json(&["verify", &file]);
    assert_eq!(sound["manifest"]["counts"]["customers"], 1);
    assert_eq!(sound["manifest"]["secrets"], false);
    let found = desk.json(&["doctor"]);
    let backup = found
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["check"] == "backup")
        .unwrap();
    assert!(
        backup["advice"].as_str().unwrap().contains("同じディスク"),
        "{backup}"
    );

    let other = Desk::new();
    let ran = other.run(&["restore", &file]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("crm doctor") && ran.out.contains("crm jobs release"),
        "{}",
        ran.out
    );
    assert_eq!(other.json(&["customer", "list"])[0]["last_name"], "山田");
    assert_eq!(other.json(&["jobs", "status"])["cause"], "restored");
    assert!(other.run(&["jobs", "status"]).out.contains("止まっています"));
    assert_eq!(other.json(&["jobs", "release"])["released"], true);
    assert_eq!(other.json(&["jobs", "status"])["paused"], false);
    let verified = other.run(&["audit", "verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let again = other.run(&["restore", &file]);
    assert_eq!((again.code, code(&again.err)), (1, "not_empty"));
}

#[test]
fn an_encrypted_backup_needs_its_passphrase_and_brings_settings_and_key() {
    let (desk, file) = filled();
    let ran = desk.run_with_input(&["backup", &file, "--encrypt"], "short\n");
    assert_eq!(code(&ran.err), "passphrase_short");
    let words = desk.write("words", "correct horse battery staple\n");
    let ran = desk.run(&["backup", &file, "--passphrase-file", &words]);
    assert!(
        ran.out.contains("暗号化したバックアップ"),
        "{}{}",
        ran.out,
        ran.err
    );
    let wrong = desk.run_with_input(&["verify", &file], "another passphrase\n");
    assert_eq!((wrong.code, code(&wrong.err)), (1, "backup_passphrase"));
    let right = desk.run_with_input(&["verify", &file], "correct horse battery staple\n");
    assert_eq!(right.code, 0, "{}", right.err);

    let other = Desk::new().with("CRM_BACKUP_PASSPHRASE", "correct horse battery staple");
    let env = other.path("settings.env").display().to_string();
    other.json(&["restore", &file, "--settings", &env]);
    let text = std::fs::read_to_string(&env).unwrap();
    assert!(
        text.contains("CRM_FIRM_NAME='山田商会'") && text.contains("CRM_SECRET_KEY="),
        "{text}"
    );
    assert!(!other.database().exists());
    let restored = other.json(&["restore", &file]);
    assert_eq!(restored["key"], "taken");
    let key = |desk: &Desk| std::fs::read_to_string(desk.path("data/secret.key")).unwrap();
    assert_eq!(key(&desk).trim(), key(&other).trim());
    let settings = restored["settings"].as_str().unwrap();
    assert!(settings.ends_with("restored.env"), "{settings}");
}

#[test]
fn what_is_broken_is_told_with_its_place() {
    let (desk, file) = filled();
    desk.json(&["backup", &file]);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let ran = desk.run(&["verify", &file]);
    assert_eq!((ran.code, code(&ran.err)), (1, "backup_broken"));
    assert!(ran.err.contains("crm.db"), "the place is named: {}", ran.err);
    std::fs::write(desk.path("settings"), "CRM_LOCALE=ja\n").unwrap();
    let other = desk.run(&["verify", &desk.path("settings").display().to_string()]);
    assert_eq!((other.code, code(&other.err)), (1, "backup_broken"));
    assert!(
        other.err.contains("crm backup で作ったファイルではない"),
        "{}",
        other.err
    );
    let none = desk.run(&["verify", "nowhere"]);
    assert_eq!((none.code, code(&none.err)), (1, "file"), "{}", none.err);
    let folder = desk.run(&["verify", &desk.path("data").display().to_string()]);
    assert_eq!((folder.code, code(&folder.err)), (1, "file"), "{}", folder.err);
    let other = Desk::new();
    let ran = other.run(&["restore", &file]);
    assert_eq!((ran.code, code(&ran.err)), (1, "backup_broken"));
    assert!(!other.path("data").exists(), "nothing stays of what was begun");
}

/// The issue wants the target's key adopted; who meant to bring the old one must learn that it was mistyped.
#[test]
fn a_mistyped_key_is_told_as_such() {
    let (desk, file) = filled();
    desk.json(&["backup", &file]);
    let key = std::fs::read_to_string(desk.path("data/secret.key")).unwrap();
    let (start, end) = key.trim().split_at(32);
    let restored_with = |key: &str| {
        let other = Desk::new();
        std::fs::create_dir_all(other.path("data")).unwrap();
        std::fs::write(other.path("data/secret.key"), key).unwrap();
        let ran = other.run(&["restore", &file]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let copied = restored_with(&format!("{start}\n {end}\n"));
    assert!(!copied.contains("打ち間違い"), "{copied}");
    let wrong = if end.ends_with('0') { '1' } else { '0' };
    let mistyped = restored_with(&format!("{start}{}{wrong}\n", &end[..31]));
    assert!(mistyped.contains("打ち間違い"), "{mistyped}");
    assert!(
        !mistyped.contains("次のとおり"),
        "nothing is to be entered again: {mistyped}"
    );
}

/// The lines of the sheet as somebody types them, with numbers and check values.
fn typed_lines(sheet: &str) -> String {
    let lines = sheet
        .lines()
        .filter(|line| line.ends_with(']') && line.contains('['));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_key_typed_from_the_sheet_opens_and_a_wrong_line_is_told() {
    let (desk, _) = filled();
    let lines = typed_lines(&desk.run(&["key", "sheet", "--yes"]).out);
    let fingerprint = desk.json(&["key", "status"])["fingerprint"].clone();
    desk.write("data/secret.key", &lines);
    assert_eq!(desk.json(&["key", "status"])["fingerprint"], fingerprint);
    let again = desk.run(&["key", "sheet", "--yes"]).out;
    assert_eq!(
        typed_lines(&again),
        lines,
        "the sheet of a key that was typed is the same"
    );
    let (one, other) = lines.split_once('\n').unwrap();
    let cut = other
        .replacen(' ', "", 1)
        .replacen(&other.trim_start()[4..6], "", 1);
    desk.write("data/secret.key", &format!("{one}\n{cut}"));
    let ran = desk.run(&["key", "status"]);
    assert!(ran.out.contains("復旧シートの2行目"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_key_sheet_asks_first_and_is_noted() {
    let (desk, _) = filled();
    let ran = desk.run(&["key", "sheet"]);
    assert_eq!((ran.code, code(&ran.err)), (2, "sheet_unconfirmed"));
    assert!(ran.out.is_empty());
    let ran = desk.run(&["key", "sheet", "--yes"]);
    let key = std::fs::read_to_string(desk.path("data/secret.key")).unwrap();
    let first: String = key.chars().take(8).collect();
    assert!(
        ran.out.contains(&first) && ran.out.contains("crm restore"),
        "{}",
        ran.out
    );
    let fingerprint = desk.json(&["key", "status"])["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(ran.out.contains(&fingerprint));
    assert!(ran.out.lines().count() < 90, "it fits on a page of A4");
    let entries = desk.json(&["audit", "list"]);
    let sheet = |entry: &serde_json::Value| entry["action"] == "key_sheet_printed";
    assert!(entries.as_array().unwrap().iter().any(sheet), "{entries}");
}

#[test]
fn a_disk_that_gets_full_leaves_no_half_backup_and_stops_nothing_else() {
    let (desk, _) = filled();
    let tools = tempfile::tempdir().unwrap();
    let shim = Shim::build(tools.path()).unwrap();
    let desk = desk.with_all(shim.silent_environment());
    std::fs::create_dir(desk.path("full")).unwrap();
    let left = || std::fs::read_dir(desk.path("full")).unwrap().count();
    // Before anything is on it, and when the database was copied and is being packed.
    for files in ["/full/", "/archive"] {
        shim.fail_writing(files, DiskError::Full).unwrap();
        let ran = desk.run(&["backup", "full/backup"]);
        assert_eq!(
            (ran.code, code(&ran.err)),
            (1, "disk_full"),
            "{files}: {}",
            ran.err
        );
        assert_eq!(left(), 0, "{files}");
    }
    desk.customer("佐藤", &[]);
    shim.heal_disk().unwrap();
    let ran = desk.run(&["backup", "full/backup"]);
    assert_eq!((ran.code, left()), (0, 1), "{}", ran.err);
}
