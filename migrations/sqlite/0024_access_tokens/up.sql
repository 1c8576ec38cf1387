-- LINE WORKS' access token, sealed for its row: one for each way in which we connect. The number counts the tokens; one that was
-- refused is taken away and leaves its number. Times are by the database's clock.
CREATE TABLE access_tokens (
    connection TEXT PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL,
    sealed BLOB,
    scope TEXT NOT NULL,
    used_until TIMESTAMP NOT NULL,
    expires_at TIMESTAMP
);
