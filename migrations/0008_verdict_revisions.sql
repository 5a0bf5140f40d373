-- +goose Up
-- A submission that was graded again has several verdicts. The newest is in force; those before it are superseded and
-- stay in the record. The enrollment, lab and institution are the submission's own, kept here so
-- that the database itself can refuse two verdicts for one attempt.
DROP INDEX verdicts_attempt;
ALTER TABLE verdicts RENAME TO verdicts_before;
CREATE TABLE verdicts (
    submission_id  ${UUID} NOT NULL REFERENCES submissions (id),
    revision       INTEGER NOT NULL CHECK (revision > 0),
    superseded     BOOLEAN NOT NULL,
    enrollment_id  ${UUID} NOT NULL,
    institution_id ${UUID} NOT NULL,
    lab_id         ${NAME} NOT NULL,
    version_id     ${UUID} NOT NULL,
    regrade_id     ${UUID},
    outcome        TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'partial', 'learner_error', 'author_error', 'platform_error')),
    attempt        INTEGER NOT NULL CHECK (attempt >= 0),
    score          DOUBLE PRECISION NOT NULL CHECK (score >= 0 AND score <= 1),
    checks         ${JSON} NOT NULL,
    message        TEXT NOT NULL,
    traceback      TEXT NOT NULL,
    fault_check    TEXT NOT NULL,
    fault          TEXT NOT NULL,
    output         TEXT NOT NULL,
    runtime        TEXT NOT NULL,
    lab_digest     TEXT NOT NULL,
    wall_ms        BIGINT NOT NULL,
    cpu_ms         BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT verdicts_revision PRIMARY KEY (submission_id, revision),
    -- Our own faults and the author's cost the learner nothing.
    CONSTRAINT verdicts_counted CHECK ((attempt > 0) = (outcome IN ('passed', 'failed', 'partial', 'learner_error')))
);
INSERT INTO verdicts (submission_id, revision, superseded, enrollment_id, institution_id, lab_id, version_id, outcome, attempt, score, checks,
    message, traceback, fault_check, fault, output, runtime, lab_digest, wall_ms, cpu_ms, created_at)
SELECT v.submission_id, 1, FALSE, v.enrollment_id, v.institution_id, v.lab_id, s.version_id, v.outcome, v.attempt, v.score, v.checks,
    v.message, v.traceback, '', '', v.output, v.runtime, '', v.wall_ms, v.cpu_ms, v.created_at
FROM verdicts_before v JOIN submissions s ON s.id = v.submission_id;
DROP TABLE verdicts_before;
CREATE UNIQUE INDEX verdicts_in_force ON verdicts (submission_id) WHERE NOT superseded;
CREATE UNIQUE INDEX verdicts_attempt ON verdicts (enrollment_id, lab_id, attempt) WHERE attempt > 0 AND NOT superseded;
CREATE INDEX verdicts_at_fault ON verdicts (institution_id, version_id, lab_id, created_at) WHERE outcome = 'author_error' AND NOT superseded;
CREATE INDEX submissions_institution ON submissions (institution_id, lab_id, id);

-- +goose Down
DROP INDEX submissions_institution;
DROP INDEX verdicts_at_fault;
DROP INDEX verdicts_attempt;
DROP INDEX verdicts_in_force;
ALTER TABLE verdicts RENAME TO verdicts_after;
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
    CONSTRAINT verdicts_counts CHECK ((attempt > 0) = (outcome IN ('passed', 'failed', 'partial', 'learner_error')))
);
INSERT INTO verdicts SELECT submission_id, enrollment_id, institution_id, lab_id, outcome, attempt, score, checks, message, traceback, output,
    runtime, wall_ms, cpu_ms, created_at FROM verdicts_after WHERE NOT superseded;
DROP TABLE verdicts_after;
CREATE UNIQUE INDEX verdicts_attempt ON verdicts (enrollment_id, lab_id, attempt) WHERE attempt > 0;
