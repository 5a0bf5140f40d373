-- +goose Up
-- What an institution says of itself. names are by BCP 47 tag; name stays what is shown where none fits. The domain is a lower-case
-- host that is the institution's own, NULL for none. A logo is a public blob; signatories name theirs.
ALTER TABLE institutions ADD COLUMN names ${JSON} NOT NULL DEFAULT '{}';
ALTER TABLE institutions ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE institutions ADD COLUMN domain ${NAME};
ALTER TABLE institutions ADD COLUMN logo ${JSON};
ALTER TABLE institutions ADD COLUMN signatories ${JSON} NOT NULL DEFAULT '[]';
CREATE UNIQUE INDEX institutions_domain ON institutions (domain) WHERE domain IS NOT NULL;

-- +goose Down
DROP INDEX institutions_domain;
ALTER TABLE institutions DROP COLUMN signatories;
ALTER TABLE institutions DROP COLUMN logo;
ALTER TABLE institutions DROP COLUMN domain;
ALTER TABLE institutions DROP COLUMN country;
ALTER TABLE institutions DROP COLUMN names;
