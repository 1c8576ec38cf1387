-- What changed, in one order, for open pages: ids only. They refer to nothing, so that deleting needs no look at them.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id BIGINT,
    customer_id BIGINT,
    company_id BIGINT,
    member_id BIGINT,
    at TIMESTAMP NOT NULL
);
-- Which history the numbers belong to: one row, another text after a backup was restored.
CREATE TABLE event_epoch (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    epoch TEXT NOT NULL
);
INSERT INTO event_epoch (id, epoch) VALUES (1, lower(hex(randomblob(8))));
