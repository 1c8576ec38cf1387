-- One writes at a time here, so numbers are given in the order of commits; the column is for databases where they are not.
ALTER TABLE events ADD COLUMN xid INTEGER NOT NULL DEFAULT 0;
-- The last place in the order whose event was forgotten: whoever stands before it has missed some.
ALTER TABLE event_epoch ADD COLUMN forgotten_xid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_epoch ADD COLUMN forgotten_seq INTEGER NOT NULL DEFAULT 0;
UPDATE event_epoch SET forgotten_seq = coalesce((SELECT min(id) - 1 FROM events), 0);
