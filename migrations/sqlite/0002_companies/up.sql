-- §3.1 and ours. deleted_at 0001-01-01 marks rows of an import that is not finished.
CREATE TABLE companies (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    address TEXT,
    phone TEXT,
    website TEXT,
    name_kana TEXT NOT NULL DEFAULT '',
    remarks TEXT NOT NULL DEFAULT '',
    sort_key TEXT NOT NULL DEFAULT '',
    name_key TEXT NOT NULL DEFAULT '',
    kana_key TEXT NOT NULL DEFAULT '',
    key_version INTEGER NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    deleted_at TIMESTAMP,
    import_id BIGINT REFERENCES imports (id)
);
CREATE INDEX companies_list ON companies (sort_key, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_name ON companies (name_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX companies_kana ON companies (kana_key, sort_key, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX companies_import ON companies (import_id) WHERE import_id IS NOT NULL;
