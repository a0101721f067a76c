"""The one connection pool, sessions that are transactions, and how Postgres' errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import UniqueViolation
from sqlalchemy import make_url
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session, create_engine

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.store.migrating import migrate

__all__ = ["Database", "libpq_url", "migrate"]

CONNECT_TIMEOUT_SECONDS = 5
POOL_WAIT_SECONDS = 10


def libpq_url(url: str) -> str:
    """The URL as Postgres' own library reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """A pool of connections as one role. `url`: postgresql:// or postgresql+psycopg://."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "fairlead"},
        )

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: commits at the end, rolls back on an error.

        Raises Unavailable (database_unavailable) when Postgres cannot be had or another transaction was first with the same row,
        BadInput (bad_request) for a text, number or time it cannot hold.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise Unavailable(Code.DATABASE_UNAVAILABLE, "the database does not answer as it should") from error
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            raise Unavailable(
                Code.DATABASE_UNAVAILABLE, "somebody else has just written the same; ask again"
            ) from error
        except (DataError, UnicodeEncodeError) as error:
            raise BadInput(Code.BAD_REQUEST, "a text or number is not one that can be stored") from error
        except StatementError as error:
            # A value that could not even be bound; were it retried like a bug, whoever retries would be blocked by it for good.
            if not isinstance(error.orig, ValueError | OverflowError):
                raise
            raise BadInput(Code.BAD_REQUEST, "a value is not one that can be stored") from error

    def dispose(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()
