//! The names of all metrics, and what each says.

use super::registry::Kind::{self, Counter, Gauge, Histogram};

pub(super) const REQUESTS: &str = "crm_http_request_duration_seconds";
pub(super) const CONNECTIONS: &str = "crm_http_connections";
pub(super) const STREAMS: &str = "crm_live_streams";
pub(super) const CALLBACKS: &str = "crm_callbacks_total";
pub(super) const RECORDED: &str = "crm_callbacks_recorded_total";
pub(super) const LAST_CALLBACK: &str = "crm_last_callback_age_seconds";
pub(super) const DOOR_TROUBLE: &str = "crm_callback_trouble";
pub(super) const SENDS: &str = "crm_sends_total";
pub(super) const DEPTH: &str = "crm_queue_depth";
pub(super) const OLDEST: &str = "crm_queue_oldest_seconds";
pub(super) const CONFIGURED: &str = "crm_line_works_configured";
pub(super) const TOKEN_AGE: &str = "crm_line_works_token_age_seconds";
pub(super) const DATABASE_UP: &str = "crm_database_up";
pub(super) const UNITS: &str = "crm_database_unit_seconds";
pub(super) const DATABASE_ERRORS: &str = "crm_database_errors_total";
pub(super) const POOL: &str = "crm_database_pool_connections";
pub(super) const POOL_WAITING: &str = "crm_database_pool_waiting";
pub(super) const WAL: &str = "crm_database_wal_bytes";
pub(super) const DISK_FREE: &str = "crm_disk_free_bytes";
pub(super) const BACKUP_DISK_FREE: &str = "crm_backup_disk_free_bytes";
pub(super) const BACKUP_AGE: &str = "crm_backup_age_seconds";
pub(super) const BACKUP_OK: &str = "crm_backup_ok";
pub(super) const BUILD: &str = "crm_build_info";
pub(super) const UPTIME: &str = "crm_uptime_seconds";
pub(super) const MEMORY: &str = "process_resident_memory_bytes";
pub(super) const FILES: &str = "process_open_fds";
pub(super) const FILES_MOST: &str = "process_max_fds";
pub(super) const CPU: &str = "process_cpu_seconds_total";

/// Every metric: its name, its kind and what it says.
pub(super) const ALL: &[(&str, Kind, &str)] = &[
    (
        REQUESTS,
        Histogram,
        "Time from a request's head to the head of its answer, by route pattern, method and status class.",
    ),
    (CONNECTIONS, Gauge, "Connections that are open now."),
    (STREAMS, Gauge, "Live pages that listen now."),
    (
        CALLBACKS,
        Counter,
        "Callbacks that came to the door, by what became of them there.",
    ),
    (
        RECORDED,
        Counter,
        "Callbacks that were recorded, by what they say and how far they got.",
    ),
    (
        LAST_CALLBACK,
        Gauge,
        "Time since the newest callback that counts; NaN while there was none.",
    ),
    (
        DOOR_TROUBLE,
        Gauge,
        "1 while callbacks meet this trouble: wrong_signatures, other_address, store_away.",
    ),
    (
        SENDS,
        Counter,
        "Messages of ours by outcome of a try (queued: to be tried again) and by problem.",
    ),
    (
        DEPTH,
        Gauge,
        "How much waits in each queue; at most 10000 are counted.",
    ),
    (
        OLDEST,
        Gauge,
        "For how long the oldest waits in each queue; 0 when nothing waits.",
    ),
    (CONFIGURED, Gauge, "1 when LINE WORKS is set up."),
    (
        TOKEN_AGE,
        Gauge,
        "Age of the LINE WORKS access token, reckoned back from when a fresh one is fetched (55 minutes at most); NaN while there is none.",
    ),
    (
        DATABASE_UP,
        Gauge,
        "1 when the database could be read for this answer.",
    ),
    (
        UNITS,
        Histogram,
        "Time of a unit of work with its wait for a turn, by kind: read, write, ping.",
    ),
    (
        DATABASE_ERRORS,
        Counter,
        "Units of work that failed, by kind and code.",
    ),
    (
        POOL,
        Gauge,
        "Connections to the database by state: in_use, idle, most.",
    ),
    (POOL_WAITING, Gauge, "Units of work that wait for a connection."),
    (
        WAL,
        Gauge,
        "Size of SQLite's write-ahead log; NaN on other databases.",
    ),
    (DISK_FREE, Gauge, "Free bytes where the data folder lies."),
    (
        BACKUP_DISK_FREE,
        Gauge,
        "Free bytes where the folder of daily backups lies.",
    ),
    (
        BACKUP_AGE,
        Gauge,
        "Age of the newest good backup in the folder of daily ones, or anywhere with CRM_BACKUP_KEEP=0; NaN while there is none.",
    ),
    (
        BACKUP_OK,
        Gauge,
        "1 when the last try to take one there went well; NaN while there was none.",
    ),
    (
        BUILD,
        Gauge,
        "1, with version, schema and kind of database as labels.",
    ),
    (UPTIME, Gauge, "Time since the program started."),
    (MEMORY, Gauge, "Resident memory."),
    (FILES, Gauge, "Open file descriptors."),
    (FILES_MOST, Gauge, "The most file descriptors that can be open."),
    (CPU, Counter, "Processor time used, in whole seconds."),
];
