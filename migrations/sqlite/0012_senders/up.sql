-- People whose messages came and who were no customers then, with the names that LINE WORKS gives them.
CREATE TABLE senders (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    address TEXT NOT NULL,
    last_name TEXT NOT NULL DEFAULT '',
    first_name TEXT NOT NULL DEFAULT '',
    last_name_kana TEXT NOT NULL DEFAULT '',
    first_name_kana TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    fetched_at TIMESTAMP,
    problem TEXT,
    next_try_at TIMESTAMP,
    tries INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX senders_address ON senders (address);
-- Those of whom LINE WORKS is still to be asked.
CREATE INDEX senders_due ON senders (next_try_at, id) WHERE next_try_at IS NOT NULL;
