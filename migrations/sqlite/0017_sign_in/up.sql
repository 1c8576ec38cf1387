-- Second factors, whence a session was begun, what tokens and members may do beyond or less than the role, and the link
-- with which the first administrator is made.
ALTER TABLE members ADD COLUMN may_import BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE members ADD COLUMN may_export BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN agent TEXT;
CREATE INDEX sessions_list ON sessions (seen_at, hash);

ALTER TABLE api_tokens ADD COLUMN may_read BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE api_tokens ADD COLUMN may_write BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE api_tokens ADD COLUMN may_send BOOLEAN NOT NULL DEFAULT TRUE;

-- The seed is sealed. `last_step` is the last 30 seconds whose code was accepted.
CREATE TABLE member_factors (
    member_id BIGINT PRIMARY KEY NOT NULL REFERENCES members (id),
    seed BLOB NOT NULL,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP,
    last_step BIGINT
);

CREATE TABLE recovery_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    hash BLOB NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX recovery_codes_member ON recovery_codes (member_id);

CREATE TABLE pending_sign_ins (
    hash BLOB PRIMARY KEY NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    account BLOB NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX pending_sign_ins_member ON pending_sign_ins (member_id);
CREATE INDEX pending_sign_ins_expiry ON pending_sign_ins (expires_at);

CREATE TABLE setup_links (
    hash BLOB PRIMARY KEY NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
