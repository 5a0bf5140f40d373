-- +goose Up
-- What an institution asks for its certificate of a course. A change is a new row: awards name the one under which they were made.
CREATE TABLE criteria (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    course_id      ${NAME} NOT NULL REFERENCES courses (id),
    number         INTEGER NOT NULL CHECK (number >= 1),
    items          ${JSON} NOT NULL,
    min_score      DOUBLE PRECISION NOT NULL,
    approval       BOOLEAN NOT NULL,
    confirm_name   BOOLEAN NOT NULL,
    ask_help       BOOLEAN NOT NULL,
    assessment     TEXT NOT NULL CHECK (assessment IN ('unsupervised', 'supervised', 'on_site')),
    months         INTEGER NOT NULL CHECK (months >= 0),
    competences    ${JSON} NOT NULL,
    created_by     ${UUID} REFERENCES users (id),
    created_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT criteria_institution_id UNIQUE (institution_id, course_id, number)
);

-- Who may issue how many. A row that has ended stays: it limits its user on.
CREATE TABLE delegations (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    user_id        ${UUID} NOT NULL REFERENCES users (id),
    courses        ${JSON} NOT NULL,
    quota          INTEGER CHECK (quota >= 0),
    used           INTEGER NOT NULL CHECK (used >= 0),
    expires_at     TIMESTAMPTZ,
    created_by     ${UUID} REFERENCES users (id),
    created_at     TIMESTAMPTZ NOT NULL,
    ended_at       TIMESTAMPTZ,
    CHECK (quota IS NULL OR used <= quota)
);
CREATE INDEX delegations_user ON delegations (institution_id, user_id, id);

-- What a learner has earned, and what is still missing until the certificate is issued.
CREATE TABLE awards (
    id                ${UUID} PRIMARY KEY,
    enrollment_id     ${UUID} NOT NULL REFERENCES enrollments (id),
    user_id           ${UUID} NOT NULL REFERENCES users (id),
    institution_id    ${UUID} NOT NULL REFERENCES institutions (id),
    course_id         ${NAME} NOT NULL REFERENCES courses (id),
    version_id        ${UUID} NOT NULL REFERENCES course_versions (id),
    criteria_id       ${UUID} REFERENCES criteria (id),
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'refused', 'issued')),
    score             DOUBLE PRECISION,
    ai_help           TEXT NOT NULL CHECK (ai_help IN ('undeclared', 'none', 'some', 'much')),
    assessment        TEXT NOT NULL CHECK (assessment IN ('unsupervised', 'supervised', 'on_site')),
    assessed_by       ${UUID} REFERENCES users (id),
    assessed_at       TIMESTAMPTZ,
    approved_by       ${UUID} REFERENCES users (id),
    approved_at       TIMESTAMPTZ,
    delegation_id     ${UUID} REFERENCES delegations (id),
    name              TEXT NOT NULL,
    name_confirmed_by ${UUID} REFERENCES users (id),
    name_confirmed_at TIMESTAMPTZ,
    refused_by        ${UUID} REFERENCES users (id),
    refused_at        TIMESTAMPTZ,
    refused_reason    TEXT NOT NULL,
    credential_id     ${UUID} REFERENCES credentials (id),
    revision          INTEGER NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL,
    changed_at        TIMESTAMPTZ NOT NULL,
    CONSTRAINT awards_enrollment_id UNIQUE (enrollment_id)
);
CREATE INDEX awards_institution ON awards (institution_id, state, id);
CREATE INDEX awards_user ON awards (user_id, id);

-- Many awards approved at once. What became of each is kept, so that a batch that is cut off goes on where it was.
CREATE TABLE issue_batches (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    assessment     TEXT NOT NULL,
    total          INTEGER NOT NULL,
    limited        BOOLEAN NOT NULL,
    created_by     ${UUID} NOT NULL REFERENCES users (id),
    created_at     TIMESTAMPTZ NOT NULL,
    settled_at     TIMESTAMPTZ
);
CREATE INDEX issue_batches_institution ON issue_batches (institution_id, id);
CREATE TABLE issue_batch_awards (
    batch_id ${UUID} NOT NULL REFERENCES issue_batches (id),
    award_id ${UUID} NOT NULL REFERENCES awards (id),
    outcome  TEXT NOT NULL CHECK (outcome IN ('open', 'taken', 'skipped')),
    cause    TEXT NOT NULL,
    CONSTRAINT issue_batch_awards_batch_id PRIMARY KEY (batch_id, award_id)
);
CREATE INDEX issue_batch_awards_open ON issue_batch_awards (batch_id, award_id) WHERE outcome = 'open';

-- Revocation and suspension have a list each. A list of revocations knows the one of suspensions beside it: a
-- credential has the same place in both. Lists of old have none.
ALTER TABLE status_lists ADD COLUMN purpose TEXT NOT NULL DEFAULT 'revocation';
ALTER TABLE status_lists ADD COLUMN twin_id ${UUID};

ALTER TABLE credentials ADD COLUMN assessment TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN ai_help TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN suspension_list_id ${UUID};
ALTER TABLE credentials ADD COLUMN suspended_at TIMESTAMPTZ;
ALTER TABLE credentials ADD COLUMN suspended_reason TEXT NOT NULL DEFAULT '';
-- When it was issued, suspended, reinstated or revoked last; NULL in rows of an older program.
ALTER TABLE credentials ADD COLUMN changed_at TIMESTAMPTZ;
CREATE INDEX credentials_revoked ON credentials (status_list_id, status_index) WHERE revoked_at IS NOT NULL;
CREATE INDEX credentials_suspended ON credentials (suspension_list_id, status_index) WHERE suspended_at IS NOT NULL;

-- +goose Down
DROP INDEX credentials_suspended;
DROP INDEX credentials_revoked;
ALTER TABLE credentials DROP COLUMN changed_at;
ALTER TABLE credentials DROP COLUMN suspended_reason;
ALTER TABLE credentials DROP COLUMN suspended_at;
ALTER TABLE credentials DROP COLUMN suspension_list_id;
ALTER TABLE credentials DROP COLUMN ai_help;
ALTER TABLE credentials DROP COLUMN assessment;
ALTER TABLE status_lists DROP COLUMN twin_id;
ALTER TABLE status_lists DROP COLUMN purpose;
DROP TABLE issue_batch_awards;
DROP TABLE issue_batches;
DROP TABLE awards;
DROP TABLE delegations;
DROP TABLE criteria;
