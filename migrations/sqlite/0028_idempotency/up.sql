-- What was answered to a program that gave a key: asked again within a day it gets the same answer, and nothing happens
-- twice. Written in the unit of work of its effect; forgotten after a day, when whom it names is erased, and by a restore.
CREATE TABLE idempotency_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    -- SHA-256 of the request's body, in hexadecimal digits.
    body_hash TEXT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    body TEXT NOT NULL,
    -- Whom the answer names.
    customer_id BIGINT,
    conversation_id BIGINT,
    at TIMESTAMP NOT NULL,
    UNIQUE (member_id, method, path, key)
);
CREATE INDEX idempotency_keys_at ON idempotency_keys (at);
CREATE INDEX idempotency_keys_customer ON idempotency_keys (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX idempotency_keys_conversation ON idempotency_keys (conversation_id) WHERE conversation_id IS NOT NULL;
