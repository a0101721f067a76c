#!/bin/sh
# Makes Temporal's two databases and brings their schemas up to date; running it again changes nothing.
set -eu
for store in temporal visibility; do
  database=$([ "$store" = temporal ] && echo temporal || echo temporal_visibility)
  export SQL_DATABASE="$database"
  temporal-sql-tool create-database || true
  temporal-sql-tool setup-schema -v 0.0 || true
  temporal-sql-tool update-schema --schema-name "postgresql/v12/$store"
done
