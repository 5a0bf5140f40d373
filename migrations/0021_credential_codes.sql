-- +goose Up
-- The texts of QR codes that were made of credentials, with and without the name. They are made again when they no longer fit: the key
-- of the institution is another, or the credential has another name. All of this can be deleted at any time.
CREATE TABLE credential_codes (
    credential_id ${UUID} NOT NULL REFERENCES credentials (id),
    named         BOOLEAN NOT NULL,
    text          TEXT NOT NULL,
    CONSTRAINT credential_codes_credential_id PRIMARY KEY (credential_id, named)
);

-- +goose Down
DROP TABLE credential_codes;
