//! A table: rows under ascending keys. Copies share their rows until one of them changes.

use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Table<R>(Arc<Rows<R>>);

#[derive(Debug, Clone)]
struct Rows<R> {
    rows: BTreeMap<i64, R>,
    last: i64,
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self(Arc::new(Rows {
            rows: BTreeMap::new(),
            last: 0,
        }))
    }
}

impl<R: Clone> Table<R> {
    pub(super) fn get(&self, id: i64) -> Option<&R> {
        self.0.rows.get(&id)
    }

    /// All rows, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &R)> {
        self.0.rows.iter().map(|(id, row)| (*id, row))
    }

    /// The rows behind this id, oldest first.
    pub(super) fn iter_after(&self, id: i64) -> impl DoubleEndedIterator<Item = (i64, &R)> {
        self.0
            .rows
            .range(id.saturating_add(1)..)
            .map(|(id, row)| (*id, row))
    }

    /// Adds a row that is made with its key.
    pub(super) fn insert(&mut self, row: impl FnOnce(i64) -> R) -> i64 {
        let rows = Arc::make_mut(&mut self.0);
        rows.last += 1;
        rows.rows.insert(rows.last, row(rows.last));
        rows.last
    }

    pub(super) fn get_mut(&mut self, id: i64) -> Option<&mut R> {
        if self.0.rows.contains_key(&id) {
            Arc::make_mut(&mut self.0).rows.get_mut(&id)
        } else {
            None
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut R> {
        Arc::make_mut(&mut self.0).rows.values_mut()
    }

    /// [`Table::retain`] by key and row.
    pub(super) fn retain_rows(&mut self, keep: impl Fn(i64, &R) -> bool) {
        Arc::make_mut(&mut self.0).rows.retain(|id, row| keep(*id, row));
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&R) -> bool) {
        Arc::make_mut(&mut self.0).rows.retain(|_, row| keep(row));
    }
}
