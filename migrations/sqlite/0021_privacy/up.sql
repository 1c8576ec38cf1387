-- Who moved it to the trash, as shown.
ALTER TABLE companies ADD COLUMN deleted_by TEXT;
ALTER TABLE customers ADD COLUMN deleted_by TEXT;
CREATE INDEX companies_trash ON companies (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX customers_trash ON customers (deleted_at, id) WHERE deleted_at IS NOT NULL;
-- What was imported is forgotten with what it became.
CREATE INDEX import_origins_local ON import_origins (kind, local_id);

-- People who are erased for good, and the proof of it. The number of the customer stands here until it is done.
CREATE TABLE erasures (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    customer_id BIGINT,
    subject TEXT NOT NULL,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at TIMESTAMP NOT NULL,
    requested_by_id BIGINT REFERENCES members (id),
    requested_by TEXT NOT NULL,
    finished_at TIMESTAMP,
    tally TEXT NOT NULL DEFAULT ''
);
CREATE INDEX erasures_open ON erasures (id) WHERE customer_id IS NOT NULL;
CREATE INDEX erasures_requested_by ON erasures (requested_by_id) WHERE requested_by_id IS NOT NULL;

-- The conversations that go with a person, until it is done.
CREATE TABLE erasure_talks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    erasure_id BIGINT NOT NULL REFERENCES erasures (id),
    conversation_id BIGINT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX erasure_talks_erasure ON erasure_talks (erasure_id);

-- Contents of files that a deleted row named: the file goes too if no other row names it.
CREATE TABLE abandoned_blobs (
    sha256 TEXT PRIMARY KEY NOT NULL
);

-- After how many months each kind of thing goes; what has no row stays.
CREATE TABLE retention_rules (
    kind TEXT PRIMARY KEY NOT NULL,
    months INTEGER NOT NULL
);

-- 削除の停止: of one customer, or of everything.
CREATE TABLE legal_holds (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    customer_id BIGINT REFERENCES customers (id),
    reason TEXT NOT NULL,
    placed_at TIMESTAMP NOT NULL,
    placed_by TEXT NOT NULL,
    lifted_at TIMESTAMP,
    lifted_by TEXT
);
CREATE INDEX legal_holds_open ON legal_holds (id) WHERE lifted_at IS NULL;
CREATE INDEX legal_holds_customer ON legal_holds (customer_id) WHERE customer_id IS NOT NULL;

-- The daily run, each with what it took away.
CREATE TABLE house_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    held BOOLEAN NOT NULL DEFAULT FALSE,
    tally TEXT NOT NULL DEFAULT ''
);
