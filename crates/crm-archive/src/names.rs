//! The names that members can have. Everything else is refused.

/// What the archive holds; comes first.
pub const MANIFEST: &str = "manifest.json";
/// The database, a file of SQLite.
pub const DATABASE: &str = "crm.db";
/// Who was erased.
pub const ERASED: &str = "erased.list";
/// Callbacks that were answered and are not in the database yet.
pub const SPOOL: &str = "spool.records";
/// The settings, as a `.env` file.
pub const SETTINGS: &str = "secrets/settings.env";
/// The secret key.
pub const SECRET_KEY: &str = "secrets/secret.key";
/// The private key of LINE WORKS.
pub const PRIVATE_KEY: &str = "secrets/private.key";

const ALONE: [&str; 6] = [DATABASE, ERASED, SPOOL, SETTINGS, SECRET_KEY, PRIVATE_KEY];
const FILES: &str = "files/";

/// The name of a file by the hexadecimal digits of its hash.
pub fn of_file(hash: &str) -> String {
    format!("{FILES}{hash}")
}

/// The hexadecimal digits of the hash of the file that has this name; `None` if it is none.
pub fn file_of(name: &str) -> Option<&str> {
    let digits = name.strip_prefix(FILES)?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == 64 && digits.bytes().all(is_digit)).then_some(digits)
}

/// Whether a member may have this name.
pub fn is_known(name: &str) -> bool {
    ALONE.contains(&name) || file_of(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::{is_known, of_file};

    #[test]
    fn no_name_leads_elsewhere() {
        assert!(is_known("crm.db") && is_known(&of_file(&"0a".repeat(32))));
        for name in [
            "",
            "/etc/passwd",
            "../crm.db",
            "files/../crm.db",
            "files/",
            "manifest.json",
            "crm.db/",
            "Crm.db",
        ] {
            assert!(!is_known(name), "{name}");
        }
        assert!(!is_known(&of_file(&"0A".repeat(32))));
    }
}
