-- What was taken over from other systems, and which row of ours each foreign row became.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    source TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
-- At most one unfinished import of a source.
CREATE UNIQUE INDEX imports_unfinished ON imports (source) WHERE finished_at IS NULL;

CREATE TABLE import_origins (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    import_id BIGINT NOT NULL REFERENCES imports (id),
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    foreign_id BIGINT NOT NULL,
    digest BLOB NOT NULL,
    local_id BIGINT NOT NULL
);
CREATE UNIQUE INDEX import_origins_key ON import_origins (source, kind, foreign_id, digest);
CREATE INDEX import_origins_import ON import_origins (import_id);
