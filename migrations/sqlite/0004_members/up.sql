-- The people who work with the CRM and what proves who they are. Secrets are stored as SHA-256, passwords as argon2.
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    locale TEXT,
    password_hash TEXT,
    disabled_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX members_email ON members (email_key);
CREATE INDEX members_list ON members (name, id);

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    created_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL
);
CREATE INDEX sessions_member ON sessions (member_id);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    hash BLOB NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP,
    used_at TIMESTAMP
);
CREATE UNIQUE INDEX api_tokens_hash ON api_tokens (hash);
CREATE INDEX api_tokens_member ON api_tokens (member_id);

CREATE TABLE one_time_links (
    hash BLOB PRIMARY KEY NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    purpose TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX one_time_links_member ON one_time_links (member_id);

CREATE TABLE failed_sign_ins (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account BLOB NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX failed_sign_ins_account ON failed_sign_ins (account, at);
CREATE INDEX failed_sign_ins_at ON failed_sign_ins (at);
