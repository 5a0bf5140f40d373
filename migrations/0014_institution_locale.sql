-- +goose Up
-- The language for members who chose none, a BCP 47 tag; '' when the institution chose none either.
ALTER TABLE institutions ADD COLUMN locale TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE institutions DROP COLUMN locale;
