-- +goose Up
-- Languages that stand in for another where a translation is missing: {"ff": ["fr", "en"]}.
ALTER TABLE institutions ADD COLUMN fallbacks ${JSON} NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE institutions DROP COLUMN fallbacks;
