-- Callbacks that were not understood are few, counted and tried again. One build between releases made the index before.
CREATE INDEX IF NOT EXISTS receipts_uninterpreted ON receipts (id) WHERE state = 'uninterpreted';

-- The bytes that came with messages: one row for each callback that carries some, whoever sent it. The bytes lie outside,
-- each content once, under their SHA-256.
CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    receipt_id BIGINT NOT NULL REFERENCES receipts (id),
    conversation_id BIGINT REFERENCES conversations (id),
    bot TEXT NOT NULL,
    file_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    name TEXT,
    media_type TEXT,
    size BIGINT,
    sha256 TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at TIMESTAMP,
    reason TEXT,
    added_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX attachments_receipt ON attachments (receipt_id);
CREATE INDEX attachments_conversation ON attachments (conversation_id) WHERE conversation_id IS NOT NULL;
-- Waiting is what has a next try.
CREATE INDEX attachments_waiting ON attachments (next_try_at, id) WHERE next_try_at IS NOT NULL;
CREATE INDEX attachments_missing ON attachments (id) WHERE state IN ('failed', 'gone');
CREATE INDEX attachments_sha256 ON attachments (sha256) WHERE sha256 IS NOT NULL;
-- What was recorded before this table is fetched too, once for each callback.
INSERT INTO attachments (receipt_id, conversation_id, bot, file_id, kind, state, next_try_at, added_at)
SELECT r.id, r.conversation_id, r.bot, json_extract(a.detail, '$.fileId'), a.kind, 'pending', r.received_at, r.received_at
FROM receipts r JOIN activities a ON a.receipt_id = r.id
WHERE a.kind IN ('image', 'file', 'audio', 'video') AND json_valid(a.detail)
    AND json_type(a.detail, '$.fileId') = 'text'
GROUP BY r.id;
-- What was of no use before is looked at again: buttons, rooms, unknown kinds.
UPDATE receipts SET state = 'pending', reason = NULL, settled_at = NULL
WHERE state = 'ignored'
    AND (reason IN ('postback', 'join', 'leave', 'joined', 'left') OR reason LIKE 'message\_%' ESCAPE '\');
