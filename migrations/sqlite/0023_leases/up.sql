-- Which instance does a job that only one may do, and until when, by the database's clock. The number counts who had it.
CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    until TIMESTAMP NOT NULL,
    number BIGINT NOT NULL
);

-- Until when the instance that has it on its way may work on it, by the database's clock.
ALTER TABLE sends ADD COLUMN lease_until TIMESTAMP;
ALTER TABLE attachments ADD COLUMN lease_until TIMESTAMP;
