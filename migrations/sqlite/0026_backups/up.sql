-- Backups that were taken or tried, and those under way: `beat_at` is written while one works.
CREATE TABLE backups (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    beat_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    daily BOOLEAN NOT NULL,
    taken_by TEXT NOT NULL,
    file TEXT NOT NULL,
    size BIGINT NOT NULL DEFAULT 0,
    digest TEXT NOT NULL DEFAULT '',
    encrypted BOOLEAN NOT NULL DEFAULT FALSE,
    state TEXT NOT NULL,
    problem TEXT
);
CREATE INDEX backups_good ON backups (id) WHERE state = 'good';

-- Since when and why nothing leaves by itself; no row: everything works.
CREATE TABLE paused (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    since TIMESTAMP NOT NULL,
    cause TEXT NOT NULL
);
