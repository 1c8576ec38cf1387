-- Which schema this is, and which programs may work on it: one row. `version` is the number of the newest migration,
-- `product` the version of the program that applied it. A program whose own newest migration is older than
-- `oldest_binary` must not work here; only a migration that takes something away raises it, one release after the one
-- that made it needless (docs/upgrades.md).
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    version BIGINT NOT NULL,
    oldest_binary BIGINT NOT NULL,
    product TEXT NOT NULL
);
INSERT INTO schema_version (id, version, oldest_binary, product) VALUES (1, 25, 21, '');
