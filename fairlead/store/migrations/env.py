"""Alembic's entry: run the revisions on the connection, and in the transaction, that `migrate` hands over."""

from alembic import context

from fairlead.store.tables.row import SCHEMA, Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    version_table="revision",
    version_table_schema=SCHEMA,
)
context.run_migrations()
