-- What seals secrets at rest: random keys, each wrapped by a key derived from CRM_SECRET_KEY.
CREATE TABLE data_keys (
    id TEXT PRIMARY KEY NOT NULL,
    wrapped BLOB NOT NULL,
    made_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP
);
-- The one that is not retired seals, and there is one at most.
CREATE UNIQUE INDEX data_keys_sealing ON data_keys ((retired_at IS NULL)) WHERE retired_at IS NULL;
-- Which secret key wraps them: keyed, so that it tells nothing of the key.
CREATE TABLE key_fingerprint (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    fingerprint BLOB NOT NULL
);
-- Secrets that programs make for themselves once, sealed.
CREATE TABLE named_secrets (
    name TEXT PRIMARY KEY NOT NULL,
    sealed BLOB NOT NULL
);
