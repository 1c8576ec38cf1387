-- Callbacks as they came. The time stands first in the unique key, so that the index grows at its end.
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    bot TEXT NOT NULL,
    issued TEXT NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    received_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL,
    conversation_id BIGINT REFERENCES conversations (id),
    reason TEXT,
    settled_at TIMESTAMP
);
CREATE UNIQUE INDEX receipts_key ON receipts (issued, digest);
-- Pending is what was not settled.
CREATE INDEX receipts_pending ON receipts (settled_at) WHERE settled_at IS NULL;
-- Only messages of people who are no customers are looked up by conversation. The reference needs no index of its own:
-- conversations are never deleted, and one more index at a random place would slow the recorder by a fifth.
CREATE INDEX receipts_unclaimed ON receipts (conversation_id) WHERE state = 'unclaimed';
