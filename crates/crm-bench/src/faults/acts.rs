//! How each fault is done, and undone, while the servers are loaded.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use super::kind::FaultKind;
use super::load::Running;
use super::watch::Everything;
use crate::cluster::Halt;
use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::ground::{Books, StoreKind};
use crate::proxy::{Cut, Proxy};
use crate::shim::{DiskError, Shim};

/// So many callbacks prove that the others go on.
const GO_ON: u64 = 20;
/// And so many pages; callbacks alone go on from the spool.
const PAGES: u64 = 6;
/// Within this time they do.
const BOUND: Duration = Duration::from_mins(1);
const HOUR: i64 = 3_600;
const SLOWER: Duration = Duration::from_millis(300);
/// A failover is survived within this time without a restart, counted from the promotion.
const FAILOVER: Duration = Duration::from_secs(15);

/// One time of one fault, among loaded servers.
pub(super) struct Act<'a> {
    pub(super) fleet: &'a mut Fleet,
    pub(super) running: &'a Running,
    pub(super) round: usize,
    pub(super) dice: &'a mut Dice,
    /// The longest time a server is frozen.
    pub(super) longest_freeze: Duration,
}

impl Act<'_> {
    /// Does it and undoes it; afterwards callbacks are answered 200 again and pages are shown.
    pub(super) async fn happen(&mut self, kind: FaultKind) -> anyhow::Result<()> {
        match kind {
            FaultKind::Kill => self.kill().await,
            FaultKind::Freeze => self.freeze().await,
            FaultKind::Rolling => self.roll().await,
            FaultKind::DiskFull => self.fill_disk().await,
            FaultKind::SlowDisk => self.slow_disk().await,
            FaultKind::Database => self.database_away().await,
            FaultKind::Failover => self.failover().await,
            FaultKind::Clock => self.clock().await,
            FaultKind::Cut => self.cut().await,
            FaultKind::CutLineWorks => self.cut_line_works().await,
        }?;
        self.running.wait_for_callbacks(GO_ON, BOUND).await?;
        self.running.wait_for_pages(PAGES, BOUND).await?;
        self.fleet.assert_all_alive()
    }

    fn any(&mut self) -> usize {
        usize::try_from(self.dice.below(self.fleet.size() as u64)).unwrap_or_default()
    }

    /// With several servers the others must go on; a single one is waited for.
    async fn others_go_on(&self) -> anyhow::Result<()> {
        if self.fleet.size() > 1 {
            self.running.wait_for_callbacks(GO_ON, BOUND).await?;
        }
        Ok(())
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        let one = self.any();
        self.fleet.kill(one)?;
        self.others_go_on().await?;
        self.fleet.spawn(one)?;
        self.fleet.wait_until_ready(one).await?;
        Ok(())
    }

    async fn freeze(&mut self) -> anyhow::Result<()> {
        let one = self.any();
        let shortest = Duration::from_secs(5).min(self.longest_freeze);
        let more =
            u64::try_from(self.longest_freeze.saturating_sub(shortest).as_millis()).unwrap_or_default();
        let end = Instant::now() + shortest + Duration::from_millis(self.dice.below(more));
        self.fleet.freeze(one)?;
        self.others_go_on().await?;
        tokio::time::sleep_until(end.into()).await;
        self.fleet.thaw(one)?;
        self.fleet.wait_until_ready(one).await?;
        Ok(())
    }

    async fn roll(&mut self) -> anyhow::Result<()> {
        for number in 0..self.fleet.size() {
            self.fleet.stop(number).await?;
            self.others_go_on().await?;
            self.fleet.spawn(number)?;
            self.fleet.wait_until_ready(number).await?;
        }
        Ok(())
    }

    async fn fill_disk(&mut self) -> anyhow::Result<()> {
        let everything = self.round % 2 == 1;
        match self.fleet.ground.kind() {
            StoreKind::Sqlite => {
                let pattern = if everything { "/data-0/" } else { "crm.db" };
                self.server_shim(0)?.fail_writing(pattern, DiskError::Full)?;
                tokio::time::sleep(Duration::from_secs(4)).await;
                self.server_shim(0)?.heal_disk()
            }
            StoreKind::Postgres => {
                // Its log cannot be written: PostgreSQL gives up and stays down until somebody makes room.
                self.database_shim()?.fail_writing("/node-0/", DiskError::Full)?;
                tokio::time::sleep(Duration::from_secs(4)).await;
                self.database_shim()?.heal_disk()?;
                self.fleet.cluster()?.settle().await
            }
        }
    }

    async fn slow_disk(&mut self) -> anyhow::Result<()> {
        let shim = match self.fleet.ground.kind() {
            StoreKind::Sqlite => self.server_shim(0)?,
            StoreKind::Postgres => self.database_shim()?,
        };
        // Both the file's folder and the database server's.
        shim.slow_syncing("/crm-", SLOWER)?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        shim.heal_disk()
    }

    async fn database_away(&mut self) -> anyhow::Result<()> {
        if let Books::File(file) = self.fleet.books() {
            let mut other = SqliteConnection::establish(&file.to_string_lossy())?;
            other.batch_execute("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE;")?;
            tokio::time::sleep(Duration::from_secs(5)).await;
            return Ok(other.batch_execute("ROLLBACK")?);
        }
        let cluster = self.fleet.cluster()?;
        if self.round.is_multiple_of(2) {
            cluster.halt(Halt::Fast).await?;
        } else {
            cluster.halt(Halt::Killed).await?;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        cluster.resume().await
    }

    async fn failover(&mut self) -> anyhow::Result<()> {
        let cluster = self.fleet.cluster()?;
        cluster.halt(Halt::Killed).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        cluster.promote().await?;
        let before = *self.running.load.watch.borne();
        let began = Instant::now();
        // Reading, writing and sending, and hearing of it.
        let goes_on = |now: &Everything| {
            now.pages.done >= before.pages.done + GO_ON
                && now.messages.done > before.messages.done
                && now.live.done > before.live.done
        };
        while !goes_on(&self.running.load.watch.borne()) {
            ensure!(
                began.elapsed() < FAILOVER,
                "pages, messages or live signs do not go on {FAILOVER:?} after the standby was promoted: before {before:?}, now {:?}",
                self.running.load.watch.borne()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.fleet.cluster()?.rebuild_standby().await
    }

    async fn clock(&mut self) -> anyhow::Result<()> {
        let hour = if self.round.is_multiple_of(2) { HOUR } else { -HOUR };
        let one = self.any();
        let of_database = self.fleet.ground.kind() == StoreKind::Postgres && self.round % 4 >= 2;
        for offset in [hour, 0] {
            let shim = if of_database {
                self.database_shim()?
            } else {
                self.server_shim(one)?
            };
            shim.move_clock(offset)?;
            self.running.wait_for_callbacks(2 * GO_ON, BOUND).await?;
        }
        Ok(())
    }

    async fn cut(&mut self) -> anyhow::Result<()> {
        let proxy = self
            .fleet
            .to_database
            .as_ref()
            .context("the line to the database")?;
        for place in [Cut::BeforeUnit, Cut::InUnit, Cut::AtCommit, Cut::AfterCommit] {
            cut_at(proxy, place, 6).await?;
        }
        self.close(proxy).await
    }

    async fn cut_line_works(&mut self) -> anyhow::Result<()> {
        let proxy = self
            .fleet
            .to_line_works
            .as_ref()
            .context("the line to LINE WORKS")?;
        cut_at(proxy, Cut::Answer, 4).await?;
        self.close(proxy).await
    }

    async fn close(&self, proxy: &Proxy) -> anyhow::Result<()> {
        proxy.close();
        tokio::time::sleep(Duration::from_secs(2)).await;
        proxy.open();
        self.running.wait_for_callbacks(GO_ON, BOUND).await
    }

    fn server_shim(&self, number: usize) -> anyhow::Result<&Shim> {
        self.fleet
            .instance(number)
            .shim
            .as_ref()
            .context("the server's shim")
    }

    fn database_shim(&self) -> anyhow::Result<&Shim> {
        self.fleet.database_shim.as_ref().context("the database's shim")
    }
}

/// Cuts so many lines at this place and waits until it is done.
async fn cut_at(proxy: &Proxy, place: Cut, times: usize) -> anyhow::Result<()> {
    let (wanted, began) = (proxy.cuts() + times, Instant::now());
    proxy.cut(place, times);
    while proxy.cuts() < wanted {
        ensure!(began.elapsed() < BOUND, "no line came to be cut: {place:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
