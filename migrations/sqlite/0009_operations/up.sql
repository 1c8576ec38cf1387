-- Keys of units of work without a natural key, by which they are found after an uncertain outcome.
CREATE TABLE operations (
    key BLOB PRIMARY KEY NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX operations_at ON operations (at);
