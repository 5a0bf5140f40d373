-- +goose Up
-- Keys with which institutions sign bundles. They are others than the issuing keys. The private half is sealed under the operator's master key.
CREATE TABLE publisher_keys (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    publisher      ${NAME} NOT NULL,
    multikey       TEXT NOT NULL,
    sealed         ${BLOB} NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    until          TIMESTAMPTZ NOT NULL,
    retired_at     TIMESTAMPTZ
);
-- A publisher signs with one key at a time.
CREATE UNIQUE INDEX publisher_keys_publisher ON publisher_keys (institution_id, publisher) WHERE retired_at IS NULL;
CREATE INDEX publisher_keys_institution ON publisher_keys (institution_id, id);

-- Signed documents, byte by byte: the serials of publishers, their own and strangers'; what they say of issuers (serial 0, the newest
-- alone); and the roots of our own bundles (name is the course, serial the version's number).
CREATE TABLE publisher_documents (
    publisher ${NAME} NOT NULL,
    kind      ${NAME} NOT NULL,
    name      ${NAME} NOT NULL,
    serial    INTEGER NOT NULL,
    document  ${BLOB} NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (publisher, kind, name, serial)
);

-- Whom the operator (institution_id is null) or an institution trusts.
CREATE TABLE trusted_publishers (
    publisher      ${NAME} NOT NULL,
    institution_id ${UUID} REFERENCES institutions (id),
    created_at     TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX trusted_publishers_operator ON trusted_publishers (publisher) WHERE institution_id IS NULL;
CREATE UNIQUE INDEX trusted_publishers_institution ON trusted_publishers (institution_id, publisher) WHERE institution_id IS NOT NULL;

-- Courses from elsewhere that this server carries. One row is the pointer: installed is what is served, previous what can be switched
-- back to, candidate what is still being brought. revision counts changes, so that of two writers one sees the other.
CREATE TABLE bundles (
    course_id      ${NAME} PRIMARY KEY,
    publisher      ${NAME} NOT NULL,
    rule           ${JSON} NOT NULL,
    installed      ${BLOB},
    previous       ${BLOB},
    candidate      ${BLOB},
    candidate_rule ${JSON} NOT NULL,
    revision       INTEGER NOT NULL,
    changed_at     TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE bundles;
DROP TABLE trusted_publishers;
DROP TABLE publisher_documents;
DROP TABLE publisher_keys;
