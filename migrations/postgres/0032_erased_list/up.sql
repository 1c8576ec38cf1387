-- Who was erased, for the servers of one database: each keeps the list in a file of its own too, which outlives the
-- database. `subject` is the customer's number, or SHA-256 of the LINE WORKS user id.
CREATE TABLE erased_list (
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP(3) NOT NULL,
    PRIMARY KEY (kind, subject, at)
);
