-- +goose Up
-- Anybody can write documents under anybody's name, and sign them with a key of their own. So a document belongs to a chain: those of a name whose
-- first document is the same. chain is the digest of that, and empty for the chain that was the only one of its name until now.
CREATE TABLE publisher_documents_next (
    publisher ${NAME} NOT NULL,
    chain     ${NAME} NOT NULL,
    kind      ${NAME} NOT NULL,
    name      ${NAME} NOT NULL,
    serial    INTEGER NOT NULL,
    document  ${BLOB} NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (publisher, chain, kind, name, serial)
);
INSERT INTO publisher_documents_next (publisher, chain, kind, name, serial, document, signed_at)
    SELECT publisher, '', kind, name, serial, document, signed_at FROM publisher_documents;
DROP TABLE publisher_documents;
ALTER TABLE publisher_documents_next RENAME TO publisher_documents;

ALTER TABLE trusted_publishers ADD COLUMN chain ${NAME} NOT NULL DEFAULT '';

-- +goose Down
-- Of several chains of one name the older program knows one.
DELETE FROM trusted_publishers
    WHERE chain <> (SELECT min(d.chain) FROM publisher_documents d WHERE d.publisher = trusted_publishers.publisher);
ALTER TABLE trusted_publishers DROP COLUMN chain;
CREATE TABLE publisher_documents_before (
    publisher ${NAME} NOT NULL,
    kind      ${NAME} NOT NULL,
    name      ${NAME} NOT NULL,
    serial    INTEGER NOT NULL,
    document  ${BLOB} NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (publisher, kind, name, serial)
);
INSERT INTO publisher_documents_before (publisher, kind, name, serial, document, signed_at)
    SELECT publisher, kind, name, serial, document, signed_at FROM publisher_documents d
    WHERE chain = (SELECT min(chain) FROM publisher_documents o WHERE o.publisher = d.publisher);
DROP TABLE publisher_documents;
ALTER TABLE publisher_documents_before RENAME TO publisher_documents;
