//! How long a whole database takes from SQLite to PostgreSQL and back.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use crm_compose::transfer::{TableProof, Teller, Told, load, prove};
use crm_domain::ports::bulk::{BulkStore, BulkTarget, TableShape};
use crm_postgres::{PostgresOptions, PostgresStore};
use crm_sqlite::{SqliteOptions, SqliteStore};

use crate::copying_rows::{Rows, filled_tables};
use crate::report::Report;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct CopyOptions {
    /// How many customers.
    #[arg(long, default_value_t = 100_000)]
    customers: i64,
    /// How many messages; each has its callback or its sending.
    #[arg(long, default_value_t = 10_000_000)]
    activities: i64,
    /// The address of an empty PostgreSQL database.
    #[arg(long)]
    postgres: String,
    /// A folder with room for both; two files are made in it and removed.
    #[arg(long)]
    dir: PathBuf,
}

/// Fills a file, copies it to the server and from there into another file; each copy is proved as `crm db copy` does.
pub(crate) fn run(options: &CopyOptions) -> anyhow::Result<()> {
    let mut report = Report::default();
    let (first, second) = (options.dir.join("copied.db"), options.dir.join("copied-back.db"));
    if first.exists() || second.exists() {
        bail!(
            "{} holds the files of an earlier run; remove them",
            options.dir.display()
        );
    }
    let server = PostgresStore::open_for_copy(PostgresOptions {
        url: options.postgres.clone(),
        replica: None,
        connections: 2,
        application: "crm-bench".to_owned(),
    })?;
    let began = Instant::now();
    let file = open(&first)?;
    let rows = fill(&file, &Rows::new(options.customers, options.activities))?;
    report.add("rows", rows.to_string());
    report.add("filling the SQLite file", spent(began.elapsed(), rows));
    report.add("size of the SQLite file", size(&first)?);
    copy(&file, &server, rows, "SQLite to PostgreSQL", &mut report)?;
    drop(file);
    remove(&first)?;
    let back = open(&second)?;
    copy(&server, &back, rows, "PostgreSQL to SQLite", &mut report)?;
    drop(back);
    remove(&second)?;
    report.add("most memory in use", peak());
    report.print();
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    let options = SqliteOptions {
        path: path.to_owned(),
        readers: 1,
        create: true,
    };
    Ok(SqliteStore::open_for_copy(options, None)?)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn fill(store: &SqliteStore, rows: &Rows) -> anyhow::Result<i64> {
    let mut target = store.bulk_target()?;
    let tables = target.begin("crm-bench")?;
    let mut all = 0;
    for name in filled_tables() {
        let table = tables
            .iter()
            .find(|table| table.name == *name)
            .context("a table is missing")?;
        all += fill_table(target.as_mut(), table, rows)?;
    }
    target.complete(&mut |_| ())?;
    target.release()?;
    Ok(all)
}

fn fill_table(target: &mut dyn BulkTarget, table: &TableShape, rows: &Rows) -> anyhow::Result<i64> {
    let shape = rows.shape(table)?;
    let count = rows.count(&table.name);
    let mut next = 1;
    while next <= count {
        let end = (next + 8_000).min(count + 1);
        target.write(&shape, &rows.batch(&shape, next..end))?;
        next = end;
    }
    Ok(count)
}

/// Loads and proves, and says how long each part took.
fn copy(
    from: &dyn BulkStore,
    to: &dyn BulkStore,
    rows: i64,
    what: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let watch = Arc::new(Watch::default());
    let teller: Teller = {
        let watch = Arc::clone(&watch);
        Arc::new(move |told: Told<'_>| watch.heard(&told))
    };
    let began = Instant::now();
    let mut source = from.bulk_source()?;
    let mut target = to.bulk_target()?;
    let loaded = load(source.as_mut(), target.as_mut(), "crm-bench", &teller)?;
    let proving = Instant::now();
    let proofs = prove(source.as_mut(), target.written()?.as_mut(), &loaded, &teller)?;
    if let Some(odd) = proofs.iter().find(|proof| !proof.is_equal()) {
        bail!("table {} differs", odd.table);
    }
    let same: u64 = proofs.iter().map(|proof: &TableProof| proof.target.rows).sum();
    target.release()?;
    let whole = began.elapsed();
    if same != rows.unsigned_abs() {
        bail!("{same} of {rows} rows arrived");
    }
    let finishing = watch.finishing().unwrap_or(proving);
    report.add(&format!("{what}: all"), spent(whole, rows));
    report.add(&format!("{what}: rows"), spent(finishing - began, rows));
    report.add(
        &format!("{what}: indexes and references"),
        spent(proving - finishing, rows),
    );
    report.add(
        &format!("{what}: reading back and comparing"),
        spent(proving.elapsed(), rows),
    );
    Ok(())
}

/// When the rows were all there.
#[derive(Default)]
struct Watch(Mutex<Option<Instant>>);

impl Watch {
    fn heard(&self, told: &Told<'_>) {
        if matches!(told, Told::Finishing(_)) {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(Instant::now);
        }
    }

    fn finishing(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spent(time: Duration, rows: i64) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    let rate = f64::from(i32::try_from(rows).unwrap_or(i32::MAX)) / seconds / 1_000.0;
    format!("{seconds:.1} s, {rate:.0},000 rows/s")
}

fn size(path: &Path) -> anyhow::Result<String> {
    Ok(format!("{} MB", std::fs::metadata(path)?.len() / 1_000_000))
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "not known".to_owned(), |peak| peak.trim().to_owned())
}
