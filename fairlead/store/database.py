"""The one connection pool, sessions that are transactions, and the migration runner."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session


class Database:
    """A pool of connections as one role. `url`: postgresql+psycopg:// or postgresql://."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        raise NotImplementedError

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: commits at the end, rolls back on an error.

        Raises Unavailable (database_unavailable) when Postgres cannot be had, BadInput (bad_request) for text it cannot hold.
        """
        raise NotImplementedError

    def dispose(self) -> None:
        """Close every idle connection."""
        raise NotImplementedError


def migrate(owner_url: str, app_role: str = "fairlead_app") -> None:
    """Bring the schema to its newest revision as its owner, and grant the application role what it may do."""
    raise NotImplementedError
