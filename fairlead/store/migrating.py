"""Brings the schema to its newest revision, as its owner, and gives the application role exactly what it may do."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.store.tables.row import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_162_534_901  # any number, the same for every migrator

APPEND_ONLY = (
    "events",
    "approvals",
    "evidence_packets",
    "ledger_leaves",
    "plans",
    "facts",
    "reports",
    "observations",
    "artifacts",
)
"""History and evidence: the application role adds and reads, triggers refuse anything else to everybody."""

_CHANGED = {
    "projects": "UPDATE",
    "people": "UPDATE, DELETE",
    "components": "UPDATE, DELETE",
    "environments": "UPDATE, DELETE",
    "targets": "UPDATE, DELETE",
    "keys": "UPDATE (revoked_at)",
    "releases": "UPDATE (state, statement)",
    "promotions": "UPDATE",
    "deployments": "UPDATE",
    "deployment_jobs": "UPDATE",
    "fences": "UPDATE",
    "queue": "UPDATE",
    "freezes": "UPDATE (ended_at, ended_by)",
    "holds": "UPDATE (ended_at, ended_by)",
    "looks": "UPDATE",
    "logs": "UPDATE, DELETE",
}


def migrate(owner_url: str, app_role: str = "fairlead_app") -> None:
    """Bring the schema to its newest revision, all or nothing, one migrator at a time. Raises BadInput for a role that is not there."""
    engine = create_engine(make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _require_role(connection, app_role)
            _upgrade(connection)
            _grant(connection, app_role)
    except OperationalError as error:
        raise Unavailable(Code.DATABASE_UNAVAILABLE, "the database does not answer as it should") from error


def revision(s: Session) -> str | None:
    """The revision that the schema has."""
    found = s.connection().execute(text(f"SELECT version_num FROM {SCHEMA}.revision")).first()  # noqa: S608 - a constant
    return str(found[0]) if found else None


def newest() -> str | None:
    """The revision that this program needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def _require_role(connection: Connection, role: str) -> None:
    found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if found.first() is None:
        hint = f"as an administrator of the database: CREATE ROLE {role} LOGIN PASSWORD '...'"
        raise BadInput(Code.UNKNOWN_NAME, f"the database has no role {role}", hint=hint)


def _upgrade(connection: Connection) -> None:
    # slow to import, and every process that has a database imports this module
    from alembic import command

    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "fairlead.store:migrations")
    return config


def _grant(connection: Connection, app_role: str) -> None:
    """Take everything back first, so that what is written above is all there is."""
    role = connection.dialect.identifier_preparer.quote(app_role)
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {role}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {role}",
    ]
    statements += [
        f"GRANT SELECT, INSERT ON {SCHEMA}.{table} TO {role}" for table in (*APPEND_ONLY, *_CHANGED, "idempotency")
    ]
    statements += [f"GRANT {changes} ON {SCHEMA}.{table} TO {role}" for table, changes in _CHANGED.items()]
    statements.append(f"GRANT SELECT ON {SCHEMA}.revision TO {role}")
    for statement in statements:
        connection.execute(text(statement))
