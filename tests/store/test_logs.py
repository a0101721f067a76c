"""The last lines that applications printed."""

from datetime import UTC, datetime

from sqlmodel import Session

from fairlead.contracts.records import LogRecord
from fairlead.store import logs
from fairlead.store.database import Database
from tests.store.together import together

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_who_writes_the_same_lines_at_once_is_not_refused(database: Database) -> None:
    """Whoever listens while a target starts may be at it when somebody asks."""

    def put(s: Session, n: int) -> str:
        line = LogRecord(
            project="shop", target="dev-1", deployment=f"d{n // 2}", component="web", time=NOW, text=str(n)
        )
        logs.put(s, line)
        return line.text

    written = together(database, put)
    with database.session() as s:
        assert {kept.text for kept in logs.of_target(s, "shop", "dev-1")} <= set(written)
