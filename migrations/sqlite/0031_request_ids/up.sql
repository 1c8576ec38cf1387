-- By which request an entry was written: what the answer, the error page and the log lines carry.
ALTER TABLE audit ADD COLUMN request_id TEXT;
