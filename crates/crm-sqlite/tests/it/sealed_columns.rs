//! What is sealed, and what is not.

use crm_domain::data_keys::SEALED_COLUMNS;

use crate::common::{new_store, run, texts};

/// Columns of bytes that nobody sealed: hashes, raw bodies, and what is secured in another way.
const NOT_SEALED: &[&str] = &[
    "api_tokens.hash",
    "audit.digest",
    "audit_seals.mac",
    "audit_values.salt",
    "data_keys.wrapped",
    "failed_sign_ins.account",
    "import_origins.digest",
    "key_fingerprint.fingerprint",
    "one_time_links.hash",
    "operations.key",
    "pending_sign_ins.account",
    "pending_sign_ins.hash",
    "receipts.body",
    "receipts.digest",
    "recovery_codes.hash",
    "sessions.hash",
    "setup_links.hash",
];

/// A new column of bytes is sealed and in the list, or somebody has decided that it is not.
#[test]
fn every_column_of_bytes_is_sealed_or_known_not_to_be() {
    run(async {
        let (_folder, path, _store) = new_store().await;
        let columns = texts(
            &path,
            "SELECT t.name || '.' || c.name FROM pragma_table_list t, pragma_table_info(t.name) c
             WHERE t.schema = 'main' AND t.type = 'table' AND upper(c.type) = 'BLOB'
             ORDER BY 1",
        );
        let sealed = SEALED_COLUMNS.iter();
        let mut decided: Vec<String> = sealed
            .map(|column| format!("{}.{}", column.table, column.column))
            .chain(NOT_SEALED.iter().map(|name| (*name).to_owned()))
            .collect();
        decided.sort();
        assert_eq!(columns, decided);
    });
}
