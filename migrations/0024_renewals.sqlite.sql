-- +goose Up
-- Which key signed a document, and when: what a key signed after the date of its revocation is found by it, and signed anew. What was issued before
-- says so in its proofs, the first of several.
ALTER TABLE credentials ADD COLUMN key_id ${UUID} REFERENCES issuer_keys (id);
ALTER TABLE credentials ADD COLUMN signed_at TIMESTAMPTZ;
UPDATE credentials SET
    key_id = (SELECT k.id FROM issuer_keys k WHERE k.institution_id = credentials.institution_id AND k.controller || '#' || k.multikey =
        coalesce(json_extract(CAST(document AS TEXT), '$.proof[0].verificationMethod'), json_extract(CAST(document AS TEXT), '$.proof.verificationMethod'))),
    signed_at = substr(coalesce(json_extract(CAST(document AS TEXT), '$.proof[0].created'), json_extract(CAST(document AS TEXT), '$.proof.created')), 1, 19) || '.000000Z'
    WHERE json_valid(CAST(document AS TEXT));
CREATE INDEX credentials_key ON credentials (key_id, signed_at);

-- When it was asked last that what a key's revocation made invalid is signed anew, and when that was done.
ALTER TABLE issuer_keys ADD COLUMN renewal_started_at TIMESTAMPTZ;
ALTER TABLE issuer_keys ADD COLUMN renewal_ended_at TIMESTAMPTZ;

-- +goose Down
ALTER TABLE issuer_keys DROP COLUMN renewal_ended_at;
ALTER TABLE issuer_keys DROP COLUMN renewal_started_at;
DROP INDEX credentials_key;
ALTER TABLE credentials DROP COLUMN signed_at;
ALTER TABLE credentials DROP COLUMN key_id;
