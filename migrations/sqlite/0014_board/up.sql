-- Where a conversation stands, stored with it: customer, owner, who waits since when, who has it, what was said last.
ALTER TABLE customers ADD COLUMN owner_id BIGINT REFERENCES members (id);
ALTER TABLE customers ADD COLUMN needs_look BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE customers ADD COLUMN registered_from TEXT;
-- A sender becomes one customer, however many first messages arrive at once.
CREATE UNIQUE INDEX customers_registered_from ON customers (registered_from) WHERE registered_from IS NOT NULL;
CREATE INDEX customers_owner ON customers (owner_id) WHERE owner_id IS NOT NULL;

ALTER TABLE conversations ADD COLUMN customer_id BIGINT REFERENCES customers (id);
ALTER TABLE conversations ADD COLUMN owner_id BIGINT REFERENCES members (id);
ALTER TABLE conversations ADD COLUMN channel TEXT;
ALTER TABLE conversations ADD COLUMN waiting_since TIMESTAMP;
ALTER TABLE conversations ADD COLUMN handler_id BIGINT REFERENCES members (id);
ALTER TABLE conversations ADD COLUMN handled_since TIMESTAMP;
ALTER TABLE conversations ADD COLUMN troubled_since TIMESTAMP;
ALTER TABLE conversations ADD COLUMN last_at TIMESTAMP;
ALTER TABLE conversations ADD COLUMN last_direction TEXT;
ALTER TABLE conversations ADD COLUMN last_kind TEXT;
ALTER TABLE conversations ADD COLUMN last_text TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN last_said_at TIMESTAMP;
ALTER TABLE conversations ADD COLUMN last_accepted_at TIMESTAMP;
ALTER TABLE conversations ADD COLUMN received BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN closed_at TIMESTAMP;
ALTER TABLE conversations ADD COLUMN closed_by BIGINT REFERENCES members (id);
ALTER TABLE conversations ADD COLUMN closed_handler_id BIGINT REFERENCES members (id);
ALTER TABLE conversations ADD COLUMN closed_waiting_id BIGINT;
-- Earlier messages are to be shown on the pages of customers who came to carry the id.
ALTER TABLE conversations ADD COLUMN claim_due BOOLEAN NOT NULL DEFAULT FALSE;
-- The board's order: 0 未対応, 1 対応中 that waits, 2 対応中, 3 対応済み; NULL is on no board.
ALTER TABLE conversations ADD COLUMN board_place INTEGER;
ALTER TABLE conversations ADD COLUMN board_at TIMESTAMP;
ALTER TABLE conversations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Each waiting of a customer, for reports: since when, until when, who answered, how it ended.
CREATE TABLE waitings (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    since TIMESTAMP NOT NULL,
    until TIMESTAMP,
    ended TEXT,
    ended_by BIGINT REFERENCES members (id),
    first_response_at TIMESTAMP
);
-- A conversation waits at most once at a time.
CREATE UNIQUE INDEX waitings_open ON waitings (conversation_id) WHERE until IS NULL;
CREATE INDEX waitings_conversation ON waitings (conversation_id);
CREATE INDEX waitings_since ON waitings (since);
CREATE INDEX waitings_ended_by ON waitings (ended_by) WHERE ended_by IS NOT NULL;

-- What earlier versions recorded: the customer, what was said last, and who still waits. Imported talks are long over.
UPDATE conversations SET customer_id = (
    SELECT MIN(customers.id) FROM customers
    WHERE customers.line_user_id = conversations.address AND customers.deleted_at IS NULL)
WHERE kind = 'person';
UPDATE conversations SET
    last_at = (SELECT MAX(activities.timestamp) FROM activities
        WHERE activities.conversation_id = conversations.id AND activities.deleted_at IS NULL),
    last_said_at = (SELECT MAX(activities.timestamp) FROM activities
        WHERE activities.conversation_id = conversations.id AND activities.deleted_at IS NULL
            AND activities.direction = 'received' AND activities.receipt_id IS NOT NULL),
    last_accepted_at = (SELECT MAX(activities.timestamp) FROM activities
        LEFT JOIN sends ON sends.id = activities.send_id
        WHERE activities.conversation_id = conversations.id AND activities.deleted_at IS NULL
            AND activities.direction = 'sent' AND (activities.send_id IS NULL OR sends.state = 'sent')),
    received = (SELECT COUNT(*) FROM receipts WHERE receipts.conversation_id = conversations.id
        AND receipts.state = 'unclaimed') + (SELECT COUNT(DISTINCT activities.receipt_id) FROM activities
        WHERE activities.conversation_id = conversations.id AND activities.deleted_at IS NULL);
UPDATE conversations SET
    last_direction = (SELECT activities.direction FROM activities WHERE activities.conversation_id = conversations.id
        AND activities.deleted_at IS NULL AND activities.timestamp = conversations.last_at ORDER BY activities.id DESC LIMIT 1),
    last_kind = (SELECT activities.kind FROM activities WHERE activities.conversation_id = conversations.id
        AND activities.deleted_at IS NULL AND activities.timestamp = conversations.last_at ORDER BY activities.id DESC LIMIT 1),
    last_text = (SELECT SUBSTR(activities.message, 1, 80) FROM activities WHERE activities.conversation_id = conversations.id
        AND activities.deleted_at IS NULL AND activities.timestamp = conversations.last_at ORDER BY activities.id DESC LIMIT 1)
WHERE last_at IS NOT NULL;
UPDATE conversations SET waiting_since = (SELECT MIN(activities.timestamp) FROM activities
    WHERE activities.conversation_id = conversations.id AND activities.deleted_at IS NULL
        AND activities.direction = 'received' AND activities.receipt_id IS NOT NULL
        AND (conversations.last_accepted_at IS NULL OR activities.timestamp > conversations.last_accepted_at))
WHERE kind = 'person';
-- Of people who are no customers the bodies were kept, not yet their times: they wait since the first body came that we
-- did not answer.
UPDATE conversations SET last_accepted_at = (SELECT MAX(sends.finished_at) FROM sends
    WHERE sends.conversation_id = conversations.id AND sends.state = 'sent')
WHERE kind = 'person' AND last_at IS NULL;
UPDATE conversations SET
    waiting_since = (SELECT MIN(receipts.received_at) FROM receipts
        WHERE receipts.conversation_id = conversations.id AND receipts.state = 'unclaimed'
            AND (conversations.last_accepted_at IS NULL OR receipts.received_at > conversations.last_accepted_at)),
    last_at = (SELECT MAX(receipts.received_at) FROM receipts
        WHERE receipts.conversation_id = conversations.id AND receipts.state = 'unclaimed'),
    last_said_at = (SELECT MAX(receipts.received_at) FROM receipts
        WHERE receipts.conversation_id = conversations.id AND receipts.state = 'unclaimed'),
    last_direction = 'received', last_kind = 'text'
WHERE kind = 'person' AND last_at IS NULL
    AND EXISTS (SELECT 1 FROM receipts WHERE receipts.conversation_id = conversations.id AND receipts.state = 'unclaimed');
-- A message of ours that failed or of which it is not known, shown to somebody or to nobody yet, and not sent again.
UPDATE conversations SET troubled_since = (SELECT MIN(sends.finished_at) FROM sends
    WHERE sends.conversation_id = conversations.id AND sends.state IN ('failed', 'unknown')
        AND (sends.reason IS NULL OR sends.reason <> 'resent')
        AND (NOT EXISTS (SELECT 1 FROM activities WHERE activities.send_id = sends.id)
            OR EXISTS (SELECT 1 FROM activities WHERE activities.send_id = sends.id AND activities.deleted_at IS NULL)))
WHERE kind = 'person';
UPDATE conversations SET claim_due = TRUE WHERE kind = 'person' AND customer_id IS NOT NULL
    AND (EXISTS (SELECT 1 FROM receipts WHERE receipts.conversation_id = conversations.id AND receipts.state = 'unclaimed')
        OR EXISTS (SELECT 1 FROM sends WHERE sends.conversation_id = conversations.id
            AND NOT EXISTS (SELECT 1 FROM activities WHERE activities.send_id = sends.id)));
UPDATE conversations SET board_place = 0, board_at = COALESCE(waiting_since, troubled_since)
WHERE waiting_since IS NOT NULL OR troubled_since IS NOT NULL;
UPDATE conversations SET board_place = 3, board_at = last_at
WHERE kind = 'person' AND board_place IS NULL AND last_at IS NOT NULL;
INSERT INTO waitings (conversation_id, since) SELECT id, waiting_since FROM conversations WHERE waiting_since IS NOT NULL;

CREATE INDEX conversations_board ON conversations (board_place, board_at, id) WHERE board_place IS NOT NULL;
CREATE INDEX conversations_unowned ON conversations (board_place, board_at, id)
    WHERE board_place IS NOT NULL AND owner_id IS NULL;
CREATE INDEX conversations_owner ON conversations (owner_id, board_place, board_at) WHERE owner_id IS NOT NULL;
CREATE INDEX conversations_handler ON conversations (handler_id, board_place, board_at) WHERE handler_id IS NOT NULL;
CREATE INDEX conversations_customer ON conversations (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX conversations_unknown ON conversations (last_at, id) WHERE customer_id IS NULL AND kind = 'person';
CREATE INDEX conversations_claims ON conversations (id) WHERE claim_due = TRUE;
