"""What was sent to targets: the files themselves among the documents, and which of them went where, in history."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.contracts.names import sent_subject
from fairlead.contracts.records import SentRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store import documents, history
from fairlead.store.database import Database

_MANY = 10_000
"""More attempts than a task ever has."""


class PostgresArtifacts:
    """ports.Artifacts beside everything else: one place to back up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, project: str, content: str) -> Digest:
        """Keep a file, once."""
        with self._db.session() as s:
            return documents.put_file(s, project, content)

    def get(self, project: str, digest: Digest) -> str:
        """A file as it was kept."""
        with self._db.session() as s:
            found = documents.file_of(s, project, digest)
        if found is None or digest_bytes(found.encode()) != digest:
            raise NotFound(Code.DIGEST_NOT_FOUND, f"no artifact {digest} is kept")
        return found


def record_sent(
    s: Session, deployment: str, target: str, files: Sequence[SentRecord], *, fence: str, time: datetime
) -> None:
    """Note what one attempt sent to a target."""
    data = {"fence": fence, "files": [file.model_dump() for file in files]}
    history.append_next(s, subject=sent_subject(deployment, target), type="sent", time=time, data=data)


def last_sent(s: Session, deployment: str, target: str) -> tuple[SentRecord, ...]:
    """What the last attempt that got so far sent to a target."""
    events = history.events(s, sent_subject(deployment, target), limit=_MANY)
    return tuple(SentRecord.model_validate(file) for file in events[-1].data["files"]) if events else ()
