-- +goose Up
-- A try is counted when it begins: started_at stands while one is under way, and one that finds it set knows
-- that the try before it died. About and owner are ids of other tables, without foreign keys: a job outlives nothing.
ALTER TABLE outbox ADD COLUMN about ${UUID};
ALTER TABLE outbox ADD COLUMN owner ${UUID};
ALTER TABLE outbox ADD COLUMN started_at TIMESTAMPTZ;
ALTER TABLE outbox ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_line ON outbox (priority, id) WHERE done_at IS NULL AND parked_at IS NULL AND started_at IS NULL;
CREATE INDEX outbox_about ON outbox (about) WHERE done_at IS NULL;
CREATE INDEX outbox_owner ON outbox (owner) WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;

-- +goose Down
DROP INDEX outbox_done;
DROP INDEX outbox_owner;
DROP INDEX outbox_about;
DROP INDEX outbox_line;
ALTER TABLE outbox DROP COLUMN deaths;
ALTER TABLE outbox DROP COLUMN started_at;
ALTER TABLE outbox DROP COLUMN owner;
ALTER TABLE outbox DROP COLUMN about;
