-- Who did what to which record. Nothing refers anywhere: entries outlive what they are about. Nobody changes an entry.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    by_kind TEXT NOT NULL,
    member_id BIGINT,
    token_id BIGINT,
    by_name TEXT NOT NULL,
    address TEXT,
    act TEXT NOT NULL,
    record_kind TEXT,
    record_id BIGINT,
    customer_id BIGINT,
    fields TEXT NOT NULL,
    reason TEXT,
    digest BLOB NOT NULL
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_act ON audit (act, at, id);
CREATE INDEX audit_member ON audit (member_id, at, id) WHERE member_id IS NOT NULL;
CREATE INDEX audit_record ON audit (record_kind, record_id, at, id) WHERE record_kind IS NOT NULL;
CREATE INDEX audit_customer ON audit (customer_id, at, id) WHERE customer_id IS NOT NULL;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are never changed');
END;

-- Old and new values, apart so that they can be emptied; the entry keeps their digest.
CREATE TABLE audit_values (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    audit_id BIGINT NOT NULL,
    salt BLOB NOT NULL,
    field TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    masked BOOLEAN NOT NULL
);
CREATE INDEX audit_values_entry ON audit_values (audit_id, id);

-- The chain. An entry waits for its seal while it has no position; a seal outlives its entry when old ones are forgotten.
CREATE TABLE audit_seals (
    audit_id BIGINT PRIMARY KEY NOT NULL,
    position BIGINT UNIQUE,
    mac BLOB
);
CREATE INDEX audit_seals_open ON audit_seals (audit_id) WHERE position IS NULL;

-- Who looked at what.
CREATE TABLE reading_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TIMESTAMP NOT NULL,
    by_kind TEXT NOT NULL,
    member_id BIGINT,
    token_id BIGINT,
    by_name TEXT NOT NULL,
    address TEXT,
    kind TEXT NOT NULL,
    customer_id BIGINT,
    record_id BIGINT,
    words TEXT
);
CREATE INDEX reading_log_at ON reading_log (at, id);
CREATE INDEX reading_log_member ON reading_log (member_id, at, id) WHERE member_id IS NOT NULL;
CREATE INDEX reading_log_customer ON reading_log (customer_id, at, id) WHERE customer_id IS NOT NULL;
CREATE INDEX reading_log_words ON reading_log (id) WHERE words IS NOT NULL;

-- Whether it is kept and for how long: at most one row.
CREATE TABLE reading_rule (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    is_on BOOLEAN NOT NULL,
    days BIGINT NOT NULL
);
