-- What a message of ours waits for, how urgent it is, and who treated it as sent.
ALTER TABLE sends ADD COLUMN urgency INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN next_try_at TIMESTAMP;
ALTER TABLE sends ADD COLUMN treated_at TIMESTAMP;
ALTER TABLE sends ADD COLUMN treated_by_id BIGINT REFERENCES members (id);
ALTER TABLE sends ADD COLUMN treated_by TEXT;
CREATE INDEX sends_next ON sends (urgency, id) WHERE finished_at IS NULL;
CREATE INDEX sends_troubled ON sends (conversation_id) WHERE state IN ('failed', 'unknown');
CREATE INDEX sends_treated_by ON sends (treated_by_id) WHERE treated_by_id IS NOT NULL;

-- Requests that left for an operation that LINE WORKS counts, for as long as they count.
CREATE TABLE departures (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    domain TEXT NOT NULL,
    operation TEXT NOT NULL,
    send_id BIGINT NOT NULL REFERENCES sends (id),
    at TIMESTAMP NOT NULL
);
CREATE INDEX departures_window ON departures (domain, operation, at);
CREATE INDEX departures_send ON departures (send_id);

-- What LINE WORKS said about the limit of an operation, and how long we have been sending without a pause.
CREATE TABLE send_budgets (
    domain TEXT NOT NULL,
    operation TEXT NOT NULL,
    said_limit INTEGER,
    blocked_until TIMESTAMP,
    run_began TIMESTAMP,
    last_at TIMESTAMP,
    PRIMARY KEY (domain, operation)
);
