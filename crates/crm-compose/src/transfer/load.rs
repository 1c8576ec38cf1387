//! Rows from a source into a target: read on one thread, written on another.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crm_domain::ports::bulk::{Batch, BulkError, BulkSource, BulkTarget, TableShape};

use super::proof::{Digest, Digesting};
use super::{Teller, Told};

/// Batches that wait between both threads.
const AHEAD: usize = 4;

/// A table that was filled.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// Which, with the columns in the order in which they are compared.
    pub shape: TableShape,
    /// What was read of it, unless an earlier run read a part.
    pub(super) read: Option<Digest>,
}

/// Fills the target and finishes its indexes and references, from where an earlier run of the same origin left off. It is
/// not released.
pub fn load(
    source: &mut dyn BulkSource,
    target: &mut dyn BulkTarget,
    origin: &str,
    teller: &Teller,
) -> Result<Vec<LoadedTable>, BulkError> {
    let offered = source.tables()?;
    let taken = target.begin(origin)?;
    same(&offered, &taken)?;
    let mut loaded = Vec::with_capacity(offered.len());
    for shape in offered {
        let read = fill(source, target, &shape, teller)?;
        loaded.push(LoadedTable { shape, read });
    }
    for table in &loaded {
        if let Some(counter) = source.counter(&table.shape)? {
            target.count_on(&table.shape, counter)?;
        }
    }
    target.complete(&mut |step| teller(Told::Finishing(step)))?;
    Ok(loaded)
}

/// Both have the same tables with the same columns.
fn same(offered: &[TableShape], taken: &[TableShape]) -> Result<(), BulkError> {
    let fits = |one: &TableShape, others: &[TableShape]| others.iter().any(|other| other.fits(one));
    let odd = offered.iter().find(|table| !fits(table, taken));
    match odd.or_else(|| taken.iter().find(|table| !fits(table, offered))) {
        Some(table) => Err(BulkError::OtherShape(table.name.clone())),
        None => Ok(()),
    }
}

fn fill(
    source: &mut dyn BulkSource,
    target: &mut dyn BulkTarget,
    table: &TableShape,
    teller: &Teller,
) -> Result<Option<Digest>, BulkError> {
    let reached = target.reached(table)?;
    let total = source.count(table)?;
    let mut done = reached.rows;
    let from_start = reached.last.is_none();
    teller(Told::Table {
        name: &table.name,
        done,
        total,
    });
    let (sender, batches) = sync_channel(AHEAD);
    let (read, written) = thread::scope(|scope| {
        let reader = scope.spawn(move || read(source, table, reached.last.as_ref(), &sender));
        let written = write(target, table, &batches, &mut |rows| {
            done += rows;
            teller(Told::Table {
                name: &table.name,
                done,
                total,
            });
        });
        // Nobody takes rows any more: the reader ends, too.
        drop(batches);
        let read = reader
            .join()
            .unwrap_or_else(|_| Err(BulkError::Stopped("reading failed inside".to_owned())));
        (read, written)
    });
    // What stopped the writer also stopped the reader, with less to say.
    written?;
    Ok(from_start.then_some(read?))
}

fn read(
    source: &mut dyn BulkSource,
    table: &TableShape,
    after: Option<&crm_domain::ports::bulk::Key>,
    sender: &SyncSender<Batch>,
) -> Result<Digest, BulkError> {
    let mut digest = Digesting::default();
    source.rows(table, after, &mut |batch| {
        digest.add(&batch);
        let sent = sender.send(batch);
        sent.map_err(|_| BulkError::Stopped("writing failed".to_owned()))
    })?;
    Ok(digest.done())
}

fn write(
    target: &mut dyn BulkTarget,
    table: &TableShape,
    batches: &Receiver<Batch>,
    wrote: &mut dyn FnMut(u64),
) -> Result<(), BulkError> {
    for batch in batches {
        target.write(table, &batch)?;
        wrote(batch.len() as u64);
    }
    Ok(())
}
