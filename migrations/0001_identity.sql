-- +goose Up
CREATE TABLE institutions (
    id          ${UUID} PRIMARY KEY,
    slug        ${NAME} NOT NULL CONSTRAINT institutions_slug UNIQUE,
    name        TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
    id            ${UUID} PRIMARY KEY,
    username      ${NAME} NOT NULL CONSTRAINT users_username UNIQUE,
    display_name  TEXT NOT NULL,
    locale        TEXT NOT NULL,
    operator      BOOLEAN NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE memberships (
    user_id        ${UUID} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    role           TEXT NOT NULL CHECK (role IN ('learner', 'trainer', 'issuer', 'admin')),
    PRIMARY KEY (user_id, institution_id, role)
);
CREATE INDEX memberships_institution ON memberships (institution_id, user_id);

-- Secrets themselves are never stored, only their SHA-256 as hex.
CREATE TABLE sessions (
    id           ${UUID} PRIMARY KEY,
    user_id      ${UUID} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash   TEXT NOT NULL CONSTRAINT sessions_token_hash UNIQUE,
    user_agent   TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);

CREATE TABLE tokens (
    id           ${UUID} PRIMARY KEY,
    user_id      ${UUID} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash   TEXT NOT NULL CONSTRAINT tokens_token_hash UNIQUE,
    name         TEXT NOT NULL,
    scopes       ${JSON} NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ
);
CREATE INDEX tokens_user ON tokens (user_id, id);

-- Who tries too often waits. The key is a username or an address, known or not.
CREATE TABLE sign_in_failures (
    throttle_key TEXT PRIMARY KEY,
    failures     INTEGER NOT NULL CHECK (failures > 0),
    last_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_in_failures_last_at ON sign_in_failures (last_at);

-- +goose Down
DROP TABLE sign_in_failures;
DROP TABLE tokens;
DROP TABLE sessions;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE institutions;
