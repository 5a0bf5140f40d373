-- +goose Up
-- Issuing keys. The private half is sealed under the operator's master key.
CREATE TABLE issuer_keys (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    controller     TEXT NOT NULL,
    multikey       TEXT NOT NULL,
    sealed         ${BLOB} NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    retired_at     TIMESTAMPTZ
);
-- A DID signs with one key at a time.
CREATE UNIQUE INDEX issuer_keys_controller ON issuer_keys (institution_id, controller) WHERE retired_at IS NULL;
CREATE INDEX issuer_keys_institution ON issuer_keys (institution_id, id);

CREATE TABLE status_lists (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    issuer         TEXT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX status_lists_issuer ON status_lists (institution_id, issuer, id);

-- The document is bytes, not a parsed type: its signature covers them as they are.
CREATE TABLE credentials (
    id               ${UUID} PRIMARY KEY,
    enrollment_id    ${UUID} NOT NULL REFERENCES enrollments (id),
    user_id          ${UUID} NOT NULL REFERENCES users (id),
    institution_id   ${UUID} NOT NULL REFERENCES institutions (id),
    course_id        ${NAME} NOT NULL REFERENCES courses (id),
    version_id       ${UUID} NOT NULL REFERENCES course_versions (id),
    name             TEXT NOT NULL,
    achievement_name ${JSON} NOT NULL,
    locale           TEXT NOT NULL,
    document         ${BLOB} NOT NULL,
    status_list_id   ${UUID} NOT NULL REFERENCES status_lists (id),
    status_index     INTEGER NOT NULL CHECK (status_index >= 0),
    issued_at        TIMESTAMPTZ NOT NULL,
    expires_at       TIMESTAMPTZ,
    revoked_at       TIMESTAMPTZ,
    revoked_reason   TEXT NOT NULL,
    CONSTRAINT credentials_enrollment_id UNIQUE (enrollment_id),
    CONSTRAINT credentials_status_list_id UNIQUE (status_list_id, status_index)
);
CREATE INDEX credentials_user ON credentials (user_id, id);
CREATE INDEX credentials_institution ON credentials (institution_id, id);

-- +goose Down
DROP TABLE credentials;
DROP TABLE status_lists;
DROP TABLE issuer_keys;
