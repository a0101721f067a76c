"""The migration, the table classes and the grants say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import TypeDecorator, text
from sqlmodel import Session

from fairlead.store.database import Database
from fairlead.store.migrating import APPEND_ONLY
from fairlead.store.tables import Row

_NAMED_IN_THE_MIGRATION_ONLY = {"remove_index", "remove_constraint", "remove_fk", "modify_default"}


def test_the_migration_makes_what_the_classes_declare(database: Database):
    with database.engine.connect() as connection:
        options = {"include_schemas": True, "version_table": "revision", "version_table_schema": "release"}
        context = MigrationContext.configure(connection, opts={**options, "compare_type": _types_differ})
        differences = compare_metadata(context, Row.metadata)
    kinds = [d for d in differences if isinstance(d, list) or d[0] not in _NAMED_IN_THE_MIGRATION_ONLY]
    assert kinds == [], kinds[:3]


def _types_differ(context, inspected_column, metadata_column, inspected, declared) -> bool:
    """Text and varchar are one, as are integers of any size."""
    return _kind(inspected) != _kind(declared)


def _kind(type_) -> tuple[type, bool]:
    plain = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    return plain.python_type, getattr(plain, "timezone", False)


def test_every_append_only_table_has_its_trigger(s: Session):
    found = s.exec(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'")).scalars()
    assert {name.removeprefix("release.") for name in found} == set(APPEND_ONLY)
