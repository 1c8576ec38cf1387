-- One LINE WORKS user id (or room) on one bot. The unique key begins with the address: it also finds a person on any bot.
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    bot TEXT NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    link TEXT NOT NULL,
    link_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX conversations_key ON conversations (address, bot, kind);
