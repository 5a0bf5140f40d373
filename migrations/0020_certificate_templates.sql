-- +goose Up
-- How an institution's certificates look: those of one course, or of all that have no row of their own (course_id '').
-- signatories are ids out of the institution's profile, NULL for all of them; line is by BCP 47 tag.
CREATE TABLE certificate_templates (
    institution_id ${UUID} NOT NULL REFERENCES institutions (id),
    course_id      ${NAME} NOT NULL,
    orientation    TEXT NOT NULL CHECK (orientation IN ('landscape', 'portrait')),
    accent         TEXT NOT NULL,
    border         TEXT NOT NULL CHECK (border IN ('none', 'single', 'double', 'corners')),
    logo           TEXT NOT NULL CHECK (logo IN ('start', 'center', 'end')),
    signatories    ${JSON},
    line           ${JSON} NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT certificate_templates_of PRIMARY KEY (institution_id, course_id)
);

-- +goose Down
DROP TABLE certificate_templates;
