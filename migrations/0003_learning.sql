-- +goose Up
CREATE TABLE enrollments (
    id             ${UUID} PRIMARY KEY,
    user_id        ${UUID} NOT NULL REFERENCES users (id),
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    course_id      ${NAME} NOT NULL REFERENCES courses (id),
    version_id     ${UUID} NOT NULL REFERENCES course_versions (id),
    created_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT enrollments_user_course UNIQUE (user_id, course_id)
);
CREATE INDEX enrollments_user ON enrollments (user_id, id);
CREATE INDEX enrollments_institution ON enrollments (institution_id, id);

-- Statements are only ever appended, in batches, and this is the busiest table.
-- It has no foreign keys on purpose: each one would look up and lock its parent
-- once a row, while the service has read the enrollment already and enrollments
-- are never deleted.
CREATE TABLE statements (
    id             ${UUID} PRIMARY KEY,
    enrollment_id  ${UUID} NOT NULL,
    user_id        ${UUID} NOT NULL,
    institution_id ${UUID} NOT NULL,
    verb           TEXT NOT NULL CHECK (verb IN ('started', 'completed', 'answered', 'submitted', 'passed', 'failed')),
    object_id      TEXT NOT NULL,
    result         ${JSON} NOT NULL,
    at             TIMESTAMPTZ NOT NULL,
    received_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX statements_enrollment ON statements (enrollment_id, id);
CREATE INDEX statements_user ON statements (user_id, id);

-- Derived from statements: it can be dropped and rebuilt, hence no foreign key either.
CREATE TABLE progress (
    enrollment_id  ${UUID} NOT NULL,
    object_id      ${NAME} NOT NULL,
    institution_id ${UUID} NOT NULL,
    started        BOOLEAN NOT NULL,
    completed      BOOLEAN NOT NULL,
    score          DOUBLE PRECISION CHECK (score >= 0 AND score <= 1),
    attempts       INTEGER NOT NULL CHECK (attempts >= 0),
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (enrollment_id, object_id)
);

-- +goose Down
DROP TABLE progress;
DROP TABLE statements;
DROP TABLE enrollments;
