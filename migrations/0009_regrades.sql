-- +goose Up
-- A regrade tries a lab of a newer course version on what was handed in. Its state follows from its times: planned when all
-- its work is asked for, ready when there are as many results as its total, then applied or discarded.
CREATE TABLE regrades (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    course_id      ${NAME} NOT NULL REFERENCES courses (id),
    lab_id         ${NAME} NOT NULL,
    from_id        ${UUID} REFERENCES course_versions (id),
    target_id      ${UUID} NOT NULL REFERENCES course_versions (id),
    created_by     ${UUID} REFERENCES users (id),
    created_at     TIMESTAMPTZ NOT NULL,
    total          INTEGER NOT NULL CHECK (total >= 0),
    planned_at     TIMESTAMPTZ,
    mode           TEXT NOT NULL CHECK (mode IN ('', 'favourable', 'all')),
    applying_at    TIMESTAMPTZ,
    applied_at     TIMESTAMPTZ,
    discarded_at   TIMESTAMPTZ
);
CREATE INDEX regrades_institution ON regrades (institution_id, id);

-- What the newer lab says of one submission, beside the verdict that was in force then.
CREATE TABLE regrade_results (
    regrade_id     ${UUID} NOT NULL REFERENCES regrades (id),
    submission_id  ${UUID} NOT NULL REFERENCES submissions (id),
    institution_id ${UUID} NOT NULL,
    user_id        ${UUID} NOT NULL,
    handed_in_at   TIMESTAMPTZ NOT NULL,
    old_revision   INTEGER NOT NULL,
    old_outcome    TEXT NOT NULL,
    old_score      DOUBLE PRECISION NOT NULL,
    outcome        TEXT NOT NULL,
    score          DOUBLE PRECISION NOT NULL,
    change         TEXT NOT NULL CHECK (change IN ('same', 'better', 'worse', 'broken')),
    verdict        ${JSON} NOT NULL,
    applied        BOOLEAN NOT NULL,
    settled_at     TIMESTAMPTZ,
    CONSTRAINT regrade_results_submission PRIMARY KEY (regrade_id, submission_id)
);
CREATE INDEX regrade_results_change ON regrade_results (regrade_id, change, submission_id);
CREATE INDEX regrade_results_open ON regrade_results (regrade_id, handed_in_at, submission_id) WHERE settled_at IS NULL;

-- That somebody has seen a lab at fault, up to a time. Appended only.
CREATE TABLE lab_faults_seen (
    id             ${UUID} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    version_id     ${UUID} NOT NULL REFERENCES course_versions (id),
    lab_id         ${NAME} NOT NULL,
    until          TIMESTAMPTZ NOT NULL,
    user_id        ${UUID} REFERENCES users (id),
    seen_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX lab_faults_seen_lab ON lab_faults_seen (institution_id, version_id, lab_id, until);

-- +goose Down
DROP TABLE lab_faults_seen;
DROP TABLE regrade_results;
DROP TABLE regrades;
