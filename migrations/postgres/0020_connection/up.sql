-- LINE WORKS as administrators set it up in the pages: each value sealed for its row, and who saved them last.
CREATE TABLE connection_values (
    field TEXT NOT NULL COLLATE "C" PRIMARY KEY,
    sealed BYTEA NOT NULL,
    changed_at TIMESTAMP(3) NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE TABLE connection_versions (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL,
    saved_at TIMESTAMP(3) NOT NULL,
    saved_by TEXT NOT NULL
);
