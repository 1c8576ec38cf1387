//! The settings as they go into a backup: everything that is needed on another machine.

use super::known;
use super::source::Source;

/// What belongs to one machine and not to the next: kept for reading, switched off.
const OF_THE_MACHINE: [&str; 14] = [
    "CRM_LISTEN",
    "CRM_CALLBACK_LISTEN",
    "CRM_DATA_DIR",
    "CRM_DATABASE_URL",
    "CRM_DATABASE_REPLICA_URL",
    "CRM_SPOOL_DIR",
    "CRM_BACKUP_DIR",
    "CRM_LOG_FILE",
    "CRM_TLS_CERT",
    "CRM_TLS_KEY",
    "CRM_SECRET_KEY",
    "CRM_SECRET_KEY_PREVIOUS",
    "CRM_TRUSTED_PROXIES",
    "CRM_METRICS_ALLOWED_IPS",
];
/// These lie in the backup as files of their own.
const APART: [&str; 3] = [
    "CRM_SECRET_KEY",
    "LINE_WORKS_PRIVATE_KEY",
    "LINE_WORKS_PRIVATE_KEY_BASE64",
];

/// A `.env` file with what is given, values from files put in; what cannot be read now is left out.
pub(crate) fn portable(source: &Source) -> String {
    let mut active = Vec::new();
    let mut inactive = Vec::new();
    for known in known::ALL {
        if known.is_file_of_other || APART.contains(&known.name) {
            continue;
        }
        let Ok(Some((value, _))) = source.get(known.name) else {
            continue;
        };
        let list = if OF_THE_MACHINE.contains(&known.name) {
            &mut inactive
        } else {
            &mut active
        };
        list.push((known.name, value));
    }
    let text = super::merged_dot_env("", &active);
    let machine = super::merged_dot_env("", &inactive);
    let machine: String = machine.lines().flat_map(|line| ["# ", line, "\n"]).collect();
    format!("{text}{machine}")
}

#[cfg(test)]
mod tests {
    use super::portable;
    use crate::settings::{Need, Settings, Source};

    #[test]
    fn what_goes_along_is_read_again() {
        let given = [
            ("CRM_FIRM_NAME", "山田's 商会"),
            ("CRM_LISTEN", "127.0.0.1:3999"),
            ("CRM_BACKUP_PASSPHRASE", "correct horse battery"),
            ("CRM_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
            ("LINE_WORKS_PRIVATE_KEY", "-----BEGIN\\nx\\n-----END"),
        ];
        let source = Source::new(
            given.map(|(name, value)| (name.to_owned(), value.to_owned())),
            None,
        );
        let text = portable(&source);
        assert!(
            !text.contains("0123456789abcdef") && !text.contains("BEGIN"),
            "{text}"
        );
        assert!(text.contains("# CRM_LISTEN=127.0.0.1:3999"), "{text}");
        let again = Settings::read(&Source::new([], Some(&text)), Need::Store)
            .unwrap()
            .settings;
        assert_eq!(again.web.firm_name.as_deref(), Some("山田's 商会"));
        assert!(again.backups.passphrase.is_some());
    }
}
