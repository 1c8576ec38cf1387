-- What each instance counted lately that holds for all together; written about once a second, by the database's clock.
CREATE TABLE shared_counts (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    count BIGINT NOT NULL,
    told_at TIMESTAMP NOT NULL,
    PRIMARY KEY (instance, name)
);
