#!/bin/sh
# Runs once, when the volume of Postgres is new. Banyan's role owns its database
# and is no superuser: what leaks with it is this one database.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$BANYAN_DATABASE_PASSWORD" --username=postgres --dbname=postgres <<'SQL'
CREATE ROLE banyan LOGIN PASSWORD :'password';
CREATE DATABASE banyan OWNER banyan ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' TEMPLATE template0;
SQL
