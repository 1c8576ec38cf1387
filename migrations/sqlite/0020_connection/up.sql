-- LINE WORKS as administrators set it up in the pages: each value sealed for its row, and who saved them last.
CREATE TABLE connection_values (
    field TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE TABLE connection_versions (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL,
    saved_at TIMESTAMP NOT NULL,
    saved_by TEXT NOT NULL
);
