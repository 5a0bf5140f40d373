-- +goose Up
-- Work that waits. A row is written in the transaction that causes it, and is
-- done when done_at is set in the transaction of its result. Lower priority
-- numbers go first. While a job is claimed, available_at lies in the future.
CREATE TABLE outbox (
    id           ${UUID} PRIMARY KEY,
    kind         TEXT NOT NULL,
    payload      ${JSON} NOT NULL,
    priority     INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    created_at   TIMESTAMPTZ NOT NULL,
    available_at TIMESTAMPTZ NOT NULL,
    done_at      TIMESTAMPTZ,
    parked_at    TIMESTAMPTZ,
    last_error   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_due ON outbox (priority, id, available_at) WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (id) WHERE done_at IS NULL AND parked_at IS NOT NULL;

-- +goose Down
DROP TABLE outbox;
