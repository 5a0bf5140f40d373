-- +goose Up
-- Statements get the order in which they came to the server, a learner's own from 1 and without gaps, and the device that made them.
-- The table is written anew: neither database can add a column that must have a value to one that has rows.
DROP INDEX statements_enrollment;
DROP INDEX statements_user;
ALTER TABLE statements RENAME TO statements_before;
CREATE TABLE statements (
    id             ${UUID} NOT NULL,
    enrollment_id  ${UUID} NOT NULL,
    user_id        ${UUID} NOT NULL,
    institution_id ${UUID} NOT NULL,
    verb           TEXT NOT NULL CHECK (verb IN ('started', 'completed', 'answered', 'submitted', 'passed', 'failed')),
    object_id      TEXT NOT NULL,
    result         ${JSON} NOT NULL,
    at             TIMESTAMPTZ NOT NULL,
    received_at    TIMESTAMPTZ NOT NULL,
    arrival        BIGINT NOT NULL CHECK (arrival > 0),
    device         ${UUID},
    epoch          INTEGER CHECK (epoch > 0),
    sequence       INTEGER CHECK (sequence > 0),
    CONSTRAINT statements_id PRIMARY KEY (id),
    CONSTRAINT statements_stamped CHECK ((device IS NULL) = (epoch IS NULL) AND (device IS NULL) = (sequence IS NULL))
);
INSERT INTO statements (id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at, arrival)
SELECT id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at,
    row_number() OVER (PARTITION BY user_id ORDER BY received_at, id)
FROM statements_before;
DROP TABLE statements_before;
CREATE INDEX statements_enrollment ON statements (enrollment_id, id);
CREATE UNIQUE INDEX statements_arrival ON statements (user_id, arrival);
CREATE UNIQUE INDEX statements_stamp ON statements (user_id, device, epoch, sequence) WHERE device IS NOT NULL;

-- How many statements of a learner have arrived. Whoever appends locks the row first.
CREATE TABLE learner_arrivals (
    user_id        ${UUID} PRIMARY KEY,
    newest         BIGINT NOT NULL CHECK (newest >= 0)
);
INSERT INTO learner_arrivals (user_id, newest) SELECT user_id, max(arrival) FROM statements GROUP BY user_id;
INSERT INTO learner_arrivals (user_id, newest) SELECT DISTINCT user_id, 0 FROM enrollments
    WHERE user_id NOT IN (SELECT user_id FROM statements);

-- What has been answered of a device's epoch: everything up to known, something up to highest.
CREATE TABLE device_epochs (
    user_id        ${UUID} NOT NULL,
    device         ${UUID} NOT NULL,
    epoch          INTEGER NOT NULL CHECK (epoch > 0),
    known          INTEGER NOT NULL CHECK (known >= 0),
    highest        INTEGER NOT NULL,
    CONSTRAINT device_epochs_epoch PRIMARY KEY (user_id, device, epoch),
    CONSTRAINT device_epochs_highest CHECK (highest >= known)
);

-- Sequences that have been answered and have no statement of their own: it was rejected, or is kept under another stamp.
CREATE TABLE device_receipts (
    user_id        ${UUID} NOT NULL,
    device         ${UUID} NOT NULL,
    epoch          INTEGER NOT NULL,
    sequence       INTEGER NOT NULL,
    statement_id   ${UUID},
    CONSTRAINT device_receipts_sequence PRIMARY KEY (user_id, device, epoch, sequence)
);
CREATE INDEX device_receipts_statement ON device_receipts (user_id, device, statement_id);

-- +goose Down
DROP TABLE device_receipts;
DROP TABLE device_epochs;
DROP TABLE learner_arrivals;
DROP INDEX statements_stamp;
DROP INDEX statements_arrival;
DROP INDEX statements_enrollment;
ALTER TABLE statements RENAME TO statements_after;
CREATE TABLE statements (
    id             ${UUID} NOT NULL,
    enrollment_id  ${UUID} NOT NULL,
    user_id        ${UUID} NOT NULL,
    institution_id ${UUID} NOT NULL,
    verb           TEXT NOT NULL CHECK (verb IN ('started', 'completed', 'answered', 'submitted', 'passed', 'failed')),
    object_id      TEXT NOT NULL,
    result         ${JSON} NOT NULL,
    at             TIMESTAMPTZ NOT NULL,
    received_at    TIMESTAMPTZ NOT NULL,
    CONSTRAINT statements_pkey PRIMARY KEY (id)
);
INSERT INTO statements SELECT id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at FROM statements_after;
DROP TABLE statements_after;
CREATE INDEX statements_enrollment ON statements (enrollment_id, id);
CREATE INDEX statements_user ON statements (user_id, id);
