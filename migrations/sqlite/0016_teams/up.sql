-- Teams, who belongs to them, and whose customers their members see.
CREATE TABLE teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    sees TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX teams_name ON teams (name);

CREATE TABLE team_members (
    team_id BIGINT NOT NULL REFERENCES teams (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    leader BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (team_id, member_id)
);
CREATE INDEX team_members_member ON team_members (member_id);

ALTER TABLE customers ADD COLUMN team_id BIGINT REFERENCES teams (id);
ALTER TABLE conversations ADD COLUMN team_id BIGINT REFERENCES teams (id);
CREATE INDEX customers_team ON customers (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX conversations_team ON conversations (team_id, board_place, board_at) WHERE team_id IS NOT NULL;
-- Whoever sees some customers only walks list and board in their order by these indexes alone. They stand in place of those
-- that gave the order without telling whose a row is.
DROP INDEX customers_list;
CREATE INDEX customers_sight ON customers (sort_key, id, deleted_at, owner_id, team_id) WHERE deleted_at IS NULL;
DROP INDEX conversations_board;
CREATE INDEX conversations_sight ON conversations (board_place, board_at, id, owner_id, team_id, customer_id)
    WHERE board_place IS NOT NULL;
