-- What messages say, as the program writes it: pairs of signs with their places.
CREATE TABLE activity_words (
    activity_id BIGINT PRIMARY KEY REFERENCES activities (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
CREATE INDEX activity_words_words ON activity_words USING gin (words);
-- What was not written by a program that knows this is taken in afterwards, and is found by this index.
ALTER TABLE activities ADD COLUMN indexed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX activities_not_indexed ON activities (id) WHERE NOT indexed;
