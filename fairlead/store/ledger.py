"""The project's append-only list of sealed envelopes and the leaf hashes of its Merkle tree (RFC 6962)."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import EnvelopeRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.evidence.ledger import leaf_data, leaf_hash
from fairlead.store.rows import as_record, lock_name
from fairlead.store.tables.ledger import Envelope, Leaf


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
    lock_name(s, f"ledger/{project}")
    known = by_key(s, project, key)
    if known is not None:
        return _same(known, statement)
    index = size(s, project)
    s.add(Leaf(project=project, index=index, hash=leaf_hash(leaf_data(envelope))))
    s.flush()
    row = Envelope(
        project=project,
        index=index,
        key=key,
        kind=kind,
        promotion=promotion,
        statement=statement,
        envelope=envelope,
        time=time,
    )
    s.add(row)
    s.flush()
    return as_record(EnvelopeRecord, row)


def by_key(s: Session, project: str, key: str) -> EnvelopeRecord | None:
    """What was sealed under a key."""
    row = s.exec(select(Envelope).where(Envelope.project == project, Envelope.key == key)).one_or_none()
    return as_record(EnvelopeRecord, row) if row else None


def by_statement(s: Session, project: str, digest: Digest) -> EnvelopeRecord | None:
    """The envelope of a statement."""
    found = select(Envelope).where(Envelope.project == project, Envelope.statement == digest)
    return next(iter(_in_order(s, found.limit(1))), None)


def of_promotion(s: Session, promotion: str) -> list[EnvelopeRecord]:
    """Everything sealed that names a promotion, by index."""
    return _in_order(s, select(Envelope).where(Envelope.promotion == promotion))


def envelopes(s: Session, project: str, upto: int | None = None) -> list[EnvelopeRecord]:
    """The ledger's first `upto` envelopes, or all."""
    return _in_order(s, select(Envelope).where(Envelope.project == project).limit(upto))


def leaf_hashes(s: Session, project: str, size: int | None = None) -> list[bytes]:
    """The first `size` leaf hashes, or all."""
    query = select(Leaf.hash).where(Leaf.project == project).order_by(col(Leaf.index)).limit(size)
    return list(s.exec(query))


def size(s: Session, project: str) -> int:
    """How many leaves there are."""
    last = s.exec(select(func.max(Leaf.index)).where(Leaf.project == project)).one()
    return 0 if last is None else int(last) + 1


def _same(known: EnvelopeRecord, statement: Digest) -> EnvelopeRecord:
    if known.statement != statement:
        raise Conflict(Code.HISTORY_CONFLICT, f"another statement was sealed as {known.key}")
    return known


def _in_order(s: Session, query: SelectOfScalar[Envelope]) -> list[EnvelopeRecord]:
    return [as_record(EnvelopeRecord, row) for row in s.exec(query.order_by(col(Envelope.index)))]
