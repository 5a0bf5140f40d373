-- +goose Up
-- Keys are of a kind, and may be taken back from a date on. multikey is the part of a key's address after the #: the Multikey of an
-- Ed25519 key, the thumbprint (RFC 7638) of an RSA key, whose public half is in jwk.
ALTER TABLE issuer_keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'ed25519' CHECK (kind IN ('ed25519', 'rsa'));
ALTER TABLE issuer_keys ADD COLUMN jwk TEXT NOT NULL DEFAULT '';
ALTER TABLE issuer_keys ADD COLUMN revoked_at TIMESTAMPTZ;
ALTER TABLE issuer_keys ADD COLUMN revoked_reason TEXT NOT NULL DEFAULT '';
DROP INDEX issuer_keys_controller;
-- A DID signs with one key of a kind at a time.
CREATE UNIQUE INDEX issuer_keys_controller ON issuer_keys (institution_id, controller, kind) WHERE retired_at IS NULL;
CREATE INDEX issuer_keys_of ON issuer_keys (controller, id);

-- What was done in an institution, one chain each, numbered from 1 without gaps. hash covers the entry and, through prev, all before it.
-- The institution of nobody, 00000000-0000-0000-0000-000000000000, is the server itself; so there is no reference. Nor is there one to
-- users: who is erased leaves a bare id. by_user is '' for the server's own work.
CREATE TABLE audit_entries (
    institution_id ${UUID} NOT NULL,
    n              BIGINT NOT NULL CHECK (n > 0),
    at             TIMESTAMPTZ NOT NULL,
    by_user        ${NAME} NOT NULL,
    kind           TEXT NOT NULL,
    data           ${JSON} NOT NULL,
    prev           TEXT NOT NULL,
    hash           TEXT NOT NULL,
    CONSTRAINT audit_entries_n PRIMARY KEY (institution_id, n)
);

-- The last entry of each chain. Whoever appends locks the row first.
CREATE TABLE audit_heads (
    institution_id ${UUID} PRIMARY KEY,
    n              BIGINT NOT NULL CHECK (n >= 0),
    hash           TEXT NOT NULL
);

-- +goose Down
DROP TABLE audit_heads;
DROP TABLE audit_entries;
DROP INDEX issuer_keys_of;
DROP INDEX issuer_keys_controller;
CREATE UNIQUE INDEX issuer_keys_controller ON issuer_keys (institution_id, controller) WHERE retired_at IS NULL;
ALTER TABLE issuer_keys DROP COLUMN revoked_reason;
ALTER TABLE issuer_keys DROP COLUMN revoked_at;
ALTER TABLE issuer_keys DROP COLUMN jwk;
ALTER TABLE issuer_keys DROP COLUMN kind;
