//! Which use cases write to the store without an entry in the audit log: a reviewed list. Everything else goes through
//! `act`, `act_once` or `act_again`, whose units of work cannot be stored without telling what they did.

use std::collections::BTreeMap;
use std::path::Path;

/// File, how many units of work write no entry by themselves, and why that is right.
const UNLOGGED: &[(&str, usize, &str)] = &[
    (
        "access_tokens.rs",
        4,
        "the access token of LINE WORKS, fetched by jobs for all instances",
    ),
    (
        "attachments.rs",
        2,
        "fetching files that customers sent, as callbacks tell",
    ),
    ("audit.rs", 2, "the writing of entries itself"),
    ("audit_log.rs", 1, "seals"),
    (
        "backups.rs",
        3,
        "a backup under way, and messages given up in steps of a restore that has its entry",
    ),
    ("callbacks.rs", 2, "callbacks are not audited"),
    ("carriers.rs", 3, "follows from a change that has its entry"),
    ("credentials.rs", 2, "last use of sessions and tokens"),
    (
        "data_keys.rs",
        1,
        "sealing anew in small steps; the rotation has its entry",
    ),
    ("delivery.rs", 4, "sending what was queued with an entry"),
    ("drafts.rs", 3, "what a member types and has read, nobody else's"),
    (
        "erased_list.rs",
        2,
        "who was erased, of erasures that have their entries, and callbacks that came late",
    ),
    ("erasing.rs", 5, "steps of an erasure that has its entry"),
    ("erasing_rows.rs", 8, "what an erasure takes, which has its entry"),
    ("events.rs", 2, "forgetting events of open pages, and a new epoch"),
    (
        "factors.rs",
        3,
        "write their entries beside the count of wrong codes",
    ),
    ("housekeeping.rs", 5, "steps of a run that has its entry"),
    ("imports.rs", 3, "parts of an import that has its entries"),
    ("leases.rs", 2, "which instance does which job"),
    ("mod.rs", 3, "the probe of readiness, and running again"),
    ("readings.rs", 2, "the reading log"),
    ("recording.rs", 1, "callbacks are not audited"),
    ("retention.rs", 1, "counts what would go, and is undone"),
    ("searches.rs", 1, "the index of what messages say"),
    ("senders.rs", 3, "names that the directory told"),
    ("sessions.rs", 1, "a new secret after a change that has its entry"),
    ("setup.rs", 1, "writes its entries for the member it makes"),
    ("shared_counts.rs", 2, "what was counted in the last minute"),
    (
        "sign_in.rs",
        4,
        "write their entries for the member who proves to be one",
    ),
];

#[test]
fn no_use_case_writes_without_an_entry_unless_it_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/use_cases");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        // Chains may be broken over lines.
        let code: String = code.split_whitespace().collect();
        let count = [
            "self.change_again(",
            "store.write(",
            "store.write_noted(",
            ".run_write(",
        ]
        .iter()
        .map(|call| code.matches(call).count())
        .sum::<usize>();
        // `act_once` is the one that the others go through.
        let logged = usize::from(name == "audit.rs");
        if count > logged {
            found.insert(name, count - logged);
        }
    }
    let listed: BTreeMap<String, usize> = UNLOGGED
        .iter()
        .map(|(name, count, _)| ((*name).to_owned(), *count))
        .collect();
    assert_eq!(found, listed, "left: found; right: reviewed");
}
