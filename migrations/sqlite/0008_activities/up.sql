-- §3.3 and ours: one row for each customer who carries the address.
CREATE TABLE activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    message TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    direction TEXT NOT NULL DEFAULT 'received',
    kind TEXT NOT NULL DEFAULT 'text',
    detail TEXT,
    conversation_id BIGINT REFERENCES conversations (id),
    receipt_id BIGINT REFERENCES receipts (id),
    send_id BIGINT REFERENCES sends (id),
    deleted_at TIMESTAMP,
    import_id BIGINT REFERENCES imports (id)
);
-- The conversation page, which is also §3.4's index on the customer; §3.4's order over all customers.
CREATE INDEX activities_page ON activities (customer_id, timestamp, id);
CREATE INDEX activities_timestamp ON activities (timestamp, id);
CREATE INDEX activities_conversation ON activities (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX activities_receipt ON activities (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE INDEX activities_send ON activities (send_id) WHERE send_id IS NOT NULL;
CREATE INDEX activities_import ON activities (import_id) WHERE import_id IS NOT NULL;
