-- +goose Up
-- Which key signed a document, and when: what a key signed after the date of its revocation is found by it, and signed anew. What was issued before
-- says so in its proofs, the first of several.
ALTER TABLE credentials ADD COLUMN key_id ${UUID} REFERENCES issuer_keys (id);
ALTER TABLE credentials ADD COLUMN signed_at TIMESTAMPTZ;
-- +goose StatementBegin
CREATE FUNCTION pg_temp.proof(document BYTEA) RETURNS JSON LANGUAGE plpgsql AS $$
DECLARE
    proofs JSON;
BEGIN
    proofs := convert_from(document, 'UTF8')::json -> 'proof';
    RETURN CASE json_typeof(proofs) WHEN 'array' THEN proofs -> 0 ELSE proofs END;
EXCEPTION WHEN others THEN
    RETURN NULL; -- no document of ours: no check finds it good
END $$;
-- +goose StatementEnd
UPDATE credentials SET
    key_id = (SELECT k.id FROM issuer_keys k WHERE k.institution_id = credentials.institution_id
        AND k.controller || '#' || k.multikey = pg_temp.proof(document) ->> 'verificationMethod'),
    signed_at = (pg_temp.proof(document) ->> 'created')::timestamptz;
DROP FUNCTION pg_temp.proof;
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
