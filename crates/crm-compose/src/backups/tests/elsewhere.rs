//! Restoring into the other kind of store.
