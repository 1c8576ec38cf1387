-- Nothing here: on SQLite the contents of received files lie in the folder of files, on PostgreSQL in two tables that are no
-- records of the store. Whatever moves a database moves contents through the port of files, each under its hash, never by
-- these tables, so no such table has to stand here unused.
SELECT 1;
