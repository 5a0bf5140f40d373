-- +goose Up
-- How new the newest status lists of other hosts were, so that an older one is not passed off for them. id is the SHA-256 of issuer, address and
-- purpose. All of this can be deleted at any time; nothing but the protection against replay goes with it.
CREATE TABLE seen_lists (
    id        ${NAME} PRIMARY KEY,
    host      ${NAME} NOT NULL,
    issuer    TEXT NOT NULL,
    address   TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL,
    digest    TEXT NOT NULL,
    seen_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX seen_lists_of_host ON seen_lists (host, seen_at);
CREATE INDEX seen_lists_seen_at ON seen_lists (seen_at);

-- From now on domain is one that the institution has shown to be its own. What it only says so is the claim in ownership, and so is what it
-- said until now: it is to be proven.
ALTER TABLE institutions ADD COLUMN ownership ${JSON} NOT NULL DEFAULT '{}';
UPDATE institutions SET ownership = CAST('{"claim":"' || domain || '"}' AS ${JSON}), domain = NULL WHERE domain IS NOT NULL;

-- +goose Down
ALTER TABLE institutions DROP COLUMN ownership;
DROP TABLE seen_lists;
