-- Which instance does a job that only one may do, and until when, by the database's clock. The number counts who had it.
CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    until TIMESTAMP(3) NOT NULL,
    number BIGINT NOT NULL
);

-- Until when the instance that has it on its way may work on it, by the database's clock.
ALTER TABLE sends ADD COLUMN lease_until TIMESTAMP(3);
ALTER TABLE attachments ADD COLUMN lease_until TIMESTAMP(3);
