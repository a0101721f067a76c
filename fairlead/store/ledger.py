"""The project's append-only list of sealed envelopes and the leaf hashes of its Merkle tree."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import EnvelopeRecord


def seal(
    s: Session,
    *,
    project: str,
    key: str,
    kind: str,
    promotion: str | None,
    statement: Digest,
    envelope: dict[str, Any],
    time: datetime,
) -> EnvelopeRecord:
    """Append an envelope as the next leaf, once per key; the same key with another statement is Conflict (history_conflict)."""
    raise NotImplementedError


def by_key(s: Session, project: str, key: str) -> EnvelopeRecord | None:
    """What was sealed under a key."""
    raise NotImplementedError


def by_statement(s: Session, project: str, digest: Digest) -> EnvelopeRecord | None:
    """The envelope of a statement."""
    raise NotImplementedError


def of_promotion(s: Session, promotion: str) -> list[EnvelopeRecord]:
    """Everything sealed that names a promotion, by index."""
    raise NotImplementedError


def envelopes(s: Session, project: str, upto: int | None = None) -> list[EnvelopeRecord]:
    """The ledger's first `upto` envelopes, or all."""
    raise NotImplementedError


def leaf_hashes(s: Session, project: str, size: int | None = None) -> list[bytes]:
    """The first `size` leaf hashes, or all."""
    raise NotImplementedError


def size(s: Session, project: str) -> int:
    """How many leaves there are."""
    raise NotImplementedError
