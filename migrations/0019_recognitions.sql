-- +goose Up
-- An institution takes an achievement of another issuer for one of its own. The document is what it signed, byte by byte; the columns
-- repeat it so that lists need not read it. A recognition never changes: it is ended, and another one is made.
CREATE TABLE recognitions (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    signer         TEXT NOT NULL,
    of_did         TEXT NOT NULL,
    of_achievement TEXT NOT NULL,
    terms          ${JSON} NOT NULL,
    document       ${BLOB} NOT NULL,
    status_list_id ${UUID} NOT NULL REFERENCES status_lists (id),
    status_index   INTEGER NOT NULL CHECK (status_index >= 0),
    created_at     TIMESTAMPTZ NOT NULL,
    valid_until    TIMESTAMPTZ,
    ended_at       TIMESTAMPTZ,
    CONSTRAINT recognitions_status_list_id UNIQUE (status_list_id, status_index)
);
CREATE INDEX recognitions_institution ON recognitions (institution_id, id);
CREATE INDEX recognitions_achievement ON recognitions (of_achievement, id);

-- +goose Down
DROP TABLE recognitions;
