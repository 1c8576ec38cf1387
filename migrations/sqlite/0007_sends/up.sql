-- Messages of ours on their way.
CREATE TABLE sends (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    key TEXT NOT NULL,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    text TEXT NOT NULL,
    author_id BIGINT REFERENCES members (id),
    author_name TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    run TEXT,
    queued_at TIMESTAMP NOT NULL,
    claimed_at TIMESTAMP,
    finished_at TIMESTAMP
);
CREATE UNIQUE INDEX sends_key ON sends (key);
-- Open is what is not finished: queued or on its way.
CREATE INDEX sends_open ON sends (finished_at, conversation_id) WHERE finished_at IS NULL;
CREATE INDEX sends_conversation ON sends (conversation_id);
CREATE INDEX sends_author ON sends (author_id) WHERE author_id IS NOT NULL;
