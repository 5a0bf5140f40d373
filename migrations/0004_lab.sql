-- +goose Up
CREATE TABLE submissions (
    id             ${UUID} PRIMARY KEY,
    enrollment_id  ${UUID} NOT NULL REFERENCES enrollments (id),
    user_id        ${UUID} NOT NULL REFERENCES users (id),
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    lab_id         ${NAME} NOT NULL,
    version_id     ${UUID} NOT NULL REFERENCES course_versions (id),
    files          ${JSON} NOT NULL,
    locale         TEXT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX submissions_lab ON submissions (enrollment_id, lab_id, id);

-- The enrollment, lab and institution are the submission's own, kept here so
-- that the database itself can refuse two verdicts for one attempt.
CREATE TABLE verdicts (
    submission_id  ${UUID} PRIMARY KEY REFERENCES submissions (id),
    enrollment_id  ${UUID} NOT NULL,
    institution_id ${UUID} NOT NULL,
    lab_id         ${NAME} NOT NULL,
    outcome        TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'partial', 'learner_error', 'author_error', 'platform_error')),
    attempt        INTEGER NOT NULL CHECK (attempt >= 0),
    score          DOUBLE PRECISION NOT NULL CHECK (score >= 0 AND score <= 1),
    checks         ${JSON} NOT NULL,
    message        TEXT NOT NULL,
    traceback      TEXT NOT NULL,
    output         TEXT NOT NULL,
    runtime        TEXT NOT NULL,
    wall_ms        BIGINT NOT NULL,
    cpu_ms         BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    -- Our own faults and the author's cost the learner nothing.
    CONSTRAINT verdicts_counts CHECK ((attempt > 0) = (outcome IN ('passed', 'failed', 'partial', 'learner_error')))
);
CREATE UNIQUE INDEX verdicts_attempt ON verdicts (enrollment_id, lab_id, attempt) WHERE attempt > 0;

-- +goose Down
DROP TABLE verdicts;
DROP TABLE submissions;
