-- Numbers are not given in the order of commits, transactions neither; but once every transaction before a certain one has
-- ended, nothing is added before it any more: events are read up to there, by transaction and number.
ALTER TABLE events ADD COLUMN xid BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX events_order ON events (xid, id);
-- The last place in the order whose event was forgotten: whoever stands before it has missed some.
ALTER TABLE event_epoch ADD COLUMN forgotten_xid BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event_epoch ADD COLUMN forgotten_seq BIGINT NOT NULL DEFAULT 0;
