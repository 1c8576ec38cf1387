//! What is looked up when somebody reads `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use crm_domain::backlog::Depth;
use crm_domain::instant::Instant;
use crm_domain::ports::host::Machine;
use crm_domain::ports::store::PoolState;
use crm_domain::use_cases::{Load, Signs};
use metrics::{Counter, Gauge};

use super::registry::Registry;
use super::{names, process};

/// The queues, as they are told apart.
const QUEUES: [&str; 5] = [
    "receipts",
    "uninterpreted",
    "sends_queued",
    "sends_sending",
    "files",
];
const SPOOL: &str = "spool";
/// What can be wrong at the callbacks' door.
const TROUBLES: [&str; 3] = ["wrong_signatures", "other_address", "store_away"];

/// What was read for one answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// From the database; `None`: it could not be read in time.
    pub(super) load: Option<Load>,
    /// What is known without it.
    pub(super) signs: Signs,
    /// The connections to the database.
    pub(super) pool: Option<PoolState>,
}

struct Queue {
    depth: Gauge,
    oldest: Gauge,
}

/// The gauges that are set before an answer.
pub(super) struct Gauges {
    queues: [Queue; QUEUES.len()],
    spool: Gauge,
    troubles: [Gauge; TROUBLES.len()],
    last_callback: Gauge,
    configured: Gauge,
    token_age: Gauge,
    up: Gauge,
    pool: [Gauge; 3],
    waiting: Gauge,
    wal: Gauge,
    disk: Gauge,
    backup_disk: Gauge,
    backup_age: Gauge,
    backup_ok: Gauge,
    connections: Gauge,
    streams: Gauge,
    uptime: Gauge,
    memory: Gauge,
    files: Gauge,
    files_most: Gauge,
    processor: Counter,
    registry: Arc<Registry>,
}

impl Gauges {
    /// All of them, not set yet.
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        let plain = |name| registry.gauge(name, &[]);
        let queue = |queue| Queue {
            depth: registry.gauge(names::DEPTH, &[("queue", queue)]),
            oldest: registry.gauge(names::OLDEST, &[("queue", queue)]),
        };
        Self {
            queues: QUEUES.map(queue),
            spool: registry.gauge(names::DEPTH, &[("queue", SPOOL)]),
            troubles: TROUBLES.map(|kind| registry.gauge(names::DOOR_TROUBLE, &[("kind", kind)])),
            last_callback: plain(names::LAST_CALLBACK),
            configured: plain(names::CONFIGURED),
            token_age: plain(names::TOKEN_AGE),
            up: plain(names::DATABASE_UP),
            pool: ["in_use", "idle", "most"].map(|state| registry.gauge(names::POOL, &[("state", state)])),
            waiting: plain(names::POOL_WAITING),
            wal: plain(names::WAL),
            disk: plain(names::DISK_FREE),
            backup_disk: plain(names::BACKUP_DISK_FREE),
            backup_age: plain(names::BACKUP_AGE),
            backup_ok: plain(names::BACKUP_OK),
            connections: plain(names::CONNECTIONS),
            streams: plain(names::STREAMS),
            uptime: plain(names::UPTIME),
            memory: plain(names::MEMORY),
            files: plain(names::FILES),
            files_most: plain(names::FILES_MOST),
            processor: registry.counter(names::CPU, &[]),
            registry: Arc::clone(registry),
        }
    }

    /// What runs here: said once.
    pub(super) fn name_build(&self, machine: &dyn Machine) {
        let schema = machine.schema().to_string();
        let labels = [
            ("version", env!("CARGO_PKG_VERSION")),
            ("schema", &schema),
            ("database", machine.database()),
        ];
        self.registry.gauge(names::BUILD, &labels).set(1.0);
    }

    /// Sets what the use cases and the database tell.
    pub(super) fn set_seen(&self, seen: &Seen) {
        let Seen { load, signs, pool } = seen;
        self.up.set(truth(load.is_some()));
        let depths = load.map(|load| depths(&load));
        for (number, queue) in self.queues.iter().enumerate() {
            let depth = depths.map(|depths| depths[number]);
            queue.depth.set(depth.map_or(f64::NAN, |(count, _)| count));
            queue.oldest.set(depth.map_or(f64::NAN, |(_, oldest)| oldest));
        }
        self.spool.set(number(signs.spooled));
        self.configured.set(truth(signs.can_send));
        let token_age = signs.token_age.map_or(f64::NAN, time::Duration::as_seconds_f64);
        self.token_age.set(token_age);
        let trouble = signs.trouble;
        let troubles = [
            trouble.wrong_signatures,
            trouble.other_address,
            trouble.store_away,
        ];
        for (gauge, there) in self.troubles.iter().zip(troubles) {
            gauge.set(truth(there));
        }
        let age = |of: fn(&Load) -> Option<Instant>| {
            let since = load.and_then(|load| Some((load, of(&load)?)));
            since.map_or(f64::NAN, |(load, since)| age(load.at, since))
        };
        self.last_callback.set(age(|load| load.last_received));
        self.backup_age.set(age(|load| load.last_backup));
        let backup = load.and_then(|load| load.backup_failed);
        self.backup_ok
            .set(backup.map_or(f64::NAN, |failed| truth(!failed)));
        let connections = pool.map(|pool| [pool.in_use, pool.idle, pool.most]);
        for (number_of, gauge) in self.pool.iter().enumerate() {
            gauge.set(connections.map_or(f64::NAN, |all| number(all[number_of])));
        }
        self.waiting
            .set(pool.map_or(f64::NAN, |pool| number(pool.waiting)));
    }

    /// Sets what the machine tells.
    pub(super) fn set_machine(&self, machine: &dyn Machine, connections: usize, streams: usize) {
        self.wal.set(bytes(machine.log_bytes()));
        self.disk.set(bytes(machine.free_bytes()));
        self.backup_disk.set(bytes(machine.free_backup_bytes()));
        self.connections.set(number(connections));
        self.streams.set(number(streams));
        self.memory.set(process::memory().unwrap_or(f64::NAN));
        self.files.set(process::open_files().map_or(f64::NAN, number));
        self.files_most.set(process::most_files().unwrap_or(f64::NAN));
        self.processor
            .absolute(process::processor_seconds().unwrap_or_default());
    }

    /// Sets how long the program runs.
    pub(super) fn set_uptime(&self, uptime: Duration) {
        self.uptime.set(uptime.as_secs_f64());
    }
}

/// Count and age of the oldest of each queue, in the order of [`QUEUES`].
fn depths(load: &Load) -> [(f64, f64); QUEUES.len()] {
    let of = |depth: Depth| {
        let oldest = depth.oldest.map_or(0.0, |since| age(load.at, since));
        (number(depth.count), oldest)
    };
    [
        of(load.receipts),
        (number(load.uninterpreted), 0.0),
        of(load.queued),
        of(load.sending),
        of(load.files),
    ]
}

fn age(now: Instant, since: Instant) -> f64 {
    now.since(since).as_seconds_f64().max(0.0)
}

fn truth(there: bool) -> f64 {
    f64::from(u8::from(there))
}

/// Exact up to 2^32, which nothing that is counted here reaches.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Exact up to 2^53, whatever the disk.
fn bytes(count: Option<u64>) -> f64 {
    let half = |half: u64| f64::from(u32::try_from(half).unwrap_or(u32::MAX));
    count.map_or(f64::NAN, |count| {
        half(count >> 32) * 4_294_967_296.0 + half(count & 0xFFFF_FFFF)
    })
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_disk_of_many_terabytes_is_told_as_it_is() {
        for count in [0_u32, 1, u32::MAX] {
            assert!((bytes(Some(u64::from(count))) - f64::from(count)).abs() < f64::EPSILON);
        }
        let tebibytes = 16.0 * 1_099_511_627_776.0;
        assert!((bytes(Some(16 << 40)) - tebibytes).abs() < f64::EPSILON);
        assert!(bytes(None).is_nan());
    }
}
