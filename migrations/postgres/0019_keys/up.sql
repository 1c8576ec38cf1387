-- What seals secrets at rest: random keys, each wrapped by a key derived from CRM_SECRET_KEY.
CREATE TABLE data_keys (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    wrapped BYTEA NOT NULL,
    made_at TIMESTAMP(3) NOT NULL,
    retired_at TIMESTAMP(3)
);
-- The one that is not retired seals, and there is one at most.
CREATE UNIQUE INDEX data_keys_sealing ON data_keys ((retired_at IS NULL)) WHERE retired_at IS NULL;
-- Which secret key wraps them: keyed, so that it tells nothing of the key.
CREATE TABLE key_fingerprint (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    fingerprint BYTEA NOT NULL
);
-- Secrets that programs make for themselves once, sealed.
CREATE TABLE named_secrets (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    sealed BYTEA NOT NULL
);
