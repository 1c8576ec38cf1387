-- §3.2 and ours. Each key under which a customer is found carries the order key, so that a page is read from the index alone.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    line_user_id TEXT,
    company_id BIGINT REFERENCES companies (id),
    last_name_kana TEXT NOT NULL DEFAULT '',
    first_name_kana TEXT NOT NULL DEFAULT '',
    remarks TEXT NOT NULL DEFAULT '',
    sort_key TEXT NOT NULL DEFAULT '',
    name_key TEXT NOT NULL DEFAULT '',
    kana_key TEXT NOT NULL DEFAULT '',
    email_key TEXT NOT NULL DEFAULT '',
    phone_key TEXT NOT NULL DEFAULT '',
    key_version INTEGER NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    deleted_at TIMESTAMP,
    import_id BIGINT REFERENCES imports (id)
);
CREATE INDEX customers_list ON customers (sort_key, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_company ON customers (company_id, deleted_at, sort_key, id);
CREATE INDEX customers_line_user_id ON customers (line_user_id, deleted_at, sort_key);
CREATE INDEX customers_name ON customers (name_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX customers_kana ON customers (kana_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX customers_email ON customers (email_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX customers_phone ON customers (phone_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX customers_import ON customers (import_id) WHERE import_id IS NOT NULL;
