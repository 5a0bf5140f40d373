-- +goose Up
-- The name that a learner confirmed for certificates. What was issued before keeps the name that it has.
CREATE TABLE certificate_names (
    user_id      ${UUID} PRIMARY KEY REFERENCES users (id),
    name         TEXT NOT NULL,
    confirmed_at TIMESTAMPTZ NOT NULL
);

-- Credentials that a learner earned elsewhere. The document is bytes, as it was given: its signature covers them.
CREATE TABLE imported_credentials (
    id         ${UUID} PRIMARY KEY,
    user_id    ${UUID} NOT NULL REFERENCES users (id),
    digest     TEXT NOT NULL,
    format     TEXT NOT NULL CHECK (format IN ('json', 'jwt')),
    document   ${BLOB} NOT NULL,
    claims     ${JSON} NOT NULL,
    state      TEXT NOT NULL,
    report     ${JSON} NOT NULL,
    checked_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT imported_credentials_digest UNIQUE (user_id, digest)
);
CREATE INDEX imported_credentials_user ON imported_credentials (user_id, id);

-- Links that show one credential to whoever has them. The token stands here as it is: it opens nothing but what stands beside it, and its
-- holder wants to copy it again. A share of an imported credential that was removed has neither, and is ended.
CREATE TABLE shares (
    id            ${UUID} PRIMARY KEY,
    user_id       ${UUID} NOT NULL REFERENCES users (id),
    credential_id ${UUID} REFERENCES credentials (id),
    imported_id   ${UUID} REFERENCES imported_credentials (id) ON DELETE SET NULL,
    token         TEXT NOT NULL CONSTRAINT shares_token UNIQUE,
    named         BOOLEAN NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    ends_at       TIMESTAMPTZ,
    ended_at      TIMESTAMPTZ,
    CONSTRAINT shares_one CHECK (credential_id IS NULL OR imported_id IS NULL)
);
CREATE INDEX shares_user ON shares (user_id, id);
CREATE INDEX shares_imported ON shares (imported_id);

-- Somebody whose account was erased is a number without a name; so are their credentials.
ALTER TABLE users ADD COLUMN erased_at TIMESTAMPTZ;
ALTER TABLE credentials ADD COLUMN erased_at TIMESTAMPTZ;

-- +goose Down
ALTER TABLE credentials DROP COLUMN erased_at;
ALTER TABLE users DROP COLUMN erased_at;
DROP TABLE shares;
DROP TABLE imported_credentials;
DROP TABLE certificate_names;
