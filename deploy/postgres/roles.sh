#!/bin/sh
# Run once by the Postgres image on an empty data folder: the application's role, which owns nothing.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$FAIRLEAD_APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE fairlead_app LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
SQL
