-- +goose Up
CREATE TABLE courses (
    id             ${NAME} PRIMARY KEY,
    institution_id ${UUID} NOT NULL REFERENCES institutions (id)
);

-- A version never changes. The manifest is text, not a parsed type, so that its bytes survive.
CREATE TABLE course_versions (
    id             ${UUID} PRIMARY KEY,
    course_id      ${NAME} NOT NULL REFERENCES courses (id),
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    number         INTEGER NOT NULL CHECK (number > 0),
    digest         TEXT NOT NULL,
    manifest       TEXT NOT NULL,
    published_at   TIMESTAMPTZ NOT NULL,
    CONSTRAINT course_versions_number UNIQUE (course_id, number),
    CONSTRAINT course_versions_digest UNIQUE (course_id, digest)
);

-- +goose Down
DROP TABLE course_versions;
DROP TABLE courses;
