-- +goose Up
-- A phone or computer that knows a learner: one row a learner and device. Its secret is stored as SHA-256 in hex, as a
-- session's is; recovery is the half of the learner's recovery key that stays here, sealed by the operator's master key.
CREATE TABLE devices (
    id           ${UUID} PRIMARY KEY,
    user_id      ${UUID} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    public_key   ${JSON} NOT NULL,
    token_hash   TEXT NOT NULL CONSTRAINT devices_token_hash UNIQUE,
    recovery     ${BLOB} NOT NULL,
    epoch        INTEGER NOT NULL CHECK (epoch >= 1),
    created_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    lease_until  TIMESTAMPTZ NOT NULL,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX devices_user ON devices (user_id, id);

-- The device that a session was opened on, and whether the device opened it, without the password.
ALTER TABLE sessions ADD COLUMN device_id ${UUID};
ALTER TABLE sessions ADD COLUMN limited BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE sessions DROP COLUMN limited;
ALTER TABLE sessions DROP COLUMN device_id;
DROP TABLE devices;
