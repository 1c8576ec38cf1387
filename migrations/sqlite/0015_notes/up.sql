-- Notes that staff leave in a conversation, never sent; the customer of a note without conversation has no user id.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    key TEXT NOT NULL,
    conversation_id BIGINT REFERENCES conversations (id),
    customer_id BIGINT REFERENCES customers (id),
    author_id BIGINT REFERENCES members (id),
    author_name TEXT NOT NULL,
    text TEXT NOT NULL,
    written_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX notes_key ON notes (key);
CREATE INDEX notes_conversation ON notes (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX notes_customer ON notes (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX notes_author ON notes (author_id) WHERE author_id IS NOT NULL;

ALTER TABLE activities ADD COLUMN note_id BIGINT REFERENCES notes (id);
-- 遅れて受信: it stands before messages that had been there when it came.
ALTER TABLE activities ADD COLUMN late BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX activities_note ON activities (note_id) WHERE note_id IS NOT NULL;

-- What a member typed and has not sent: one for each member and conversation.
CREATE TABLE drafts (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    text TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX drafts_key ON drafts (conversation_id, member_id);
CREATE INDEX drafts_member ON drafts (member_id);

-- How many received messages of a conversation a member has seen.
CREATE TABLE reads (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    received BIGINT NOT NULL
);
CREATE UNIQUE INDEX reads_key ON reads (conversation_id, member_id);
CREATE INDEX reads_member ON reads (member_id);
