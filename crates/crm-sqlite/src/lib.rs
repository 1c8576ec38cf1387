//! The store on one SQLite file: a writer thread, a pool of readers, migrations, backup
