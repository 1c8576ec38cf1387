-- What each instance counted lately that holds for all together; written about once a second, by the database's clock.
CREATE TABLE shared_counts (
    instance TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    told_at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (instance, name)
);
