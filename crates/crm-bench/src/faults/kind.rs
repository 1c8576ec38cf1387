//! The faults by name.

use clap::ValueEnum;

use crate::fleet::FleetPlan;
use crate::ground::StoreKind;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FaultKind {
    /// A server is killed (`kill -9`) and started again.
    Kill,
    /// A server's time stands still (SIGSTOP) and goes on.
    Freeze,
    /// Every server is told to stop (SIGTERM) and started again, one after the other.
    Rolling,
    /// The disk is full: the database cannot write, or nobody can.
    DiskFull,
    /// Syncing to the disk takes 300 ms longer.
    SlowDisk,
    /// The database is restarted, in order or killed; a file is locked by another program.
    Database,
    /// The database server is lost and its standby promoted.
    Failover,
    /// The clock jumps by an hour, forwards or backwards, and back.
    Clock,
    /// Connections to the database are cut: before, in, at and after the COMMIT of a unit of work, and all at once.
    Cut,
    /// Connections to LINE WORKS are cut before the answer, and all at once.
    CutLineWorks,
}

impl FaultKind {
    /// Whether it can happen on this store.
    pub fn happens_on(self, store: StoreKind) -> bool {
        store == StoreKind::Postgres || !matches!(self, Self::Failover | Self::Cut)
    }

    /// What it is in the table.
    pub fn words(self, store: StoreKind) -> &'static str {
        match (self, store) {
            (Self::Kill, _) => "a server is killed (`kill -9`) and started again",
            (Self::Freeze, _) => "a server is frozen (SIGSTOP, 5 to 70 s) and goes on",
            (Self::Rolling, StoreKind::Sqlite) => "the server is told to stop (SIGTERM) and started again",
            (Self::Rolling, StoreKind::Postgres) => "rolling restart (SIGTERM, start, next)",
            (Self::DiskFull, StoreKind::Sqlite) => "disk full for 4 s: for the database, or for everything",
            (Self::DiskFull, StoreKind::Postgres) => "the database's disk is full for 4 s",
            (Self::SlowDisk, _) => "every sync takes 300 ms longer for 5 s",
            (Self::Database, StoreKind::Sqlite) => "another program holds the database's write lock for 5 s",
            (Self::Database, StoreKind::Postgres) => {
                "the database is restarted: in order, or killed and 3 s away"
            }
            (Self::Failover, _) => {
                "the database server is killed, its synchronous standby promoted 2 s later"
            }
            (Self::Clock, StoreKind::Sqlite) => "the clock jumps by an hour, forwards or backwards, and back",
            (Self::Clock, StoreKind::Postgres) => {
                "a server's or the database's clock jumps by an hour and back"
            }
            (Self::Cut, _) => {
                "connections to the database cut: before BEGIN, in a unit, at COMMIT, after COMMIT, all for 2 s"
            }
            (Self::CutLineWorks, _) => "connections to LINE WORKS cut: the answer is lost, all for 2 s",
        }
    }

    /// What it needs besides servers.
    pub(super) fn plan(self, mut plan: FleetPlan) -> FleetPlan {
        plan.standby = self == Self::Failover;
        plan.shims = matches!(self, Self::DiskFull | Self::SlowDisk | Self::Clock);
        plan.proxies = matches!(self, Self::Cut | Self::CutLineWorks);
        plan
    }
}
