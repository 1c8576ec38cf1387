-- What messages say, as the program writes it (pairs of signs), found by FTS5. It keeps no text of its own: whoever deletes a
-- message takes it out with what was put in, and with secure-delete nothing of it stays in the index.
CREATE VIRTUAL TABLE activity_words USING fts5 (words, content = '', columnsize = 0, tokenize = 'ascii');
INSERT INTO activity_words (activity_words, rank) VALUES ('secure-delete', 1);
-- What was not written by a program that knows this is taken in afterwards, and is found by this index.
ALTER TABLE activities ADD COLUMN indexed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX activities_not_indexed ON activities (id) WHERE NOT indexed;
