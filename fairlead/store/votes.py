"""Accepted votes with their envelopes."""

from sqlmodel import Session, col, select

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import VoteRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.store.rows import as_record, insert_once
from fairlead.store.tables.promotion import Vote


def insert(s: Session, vote: VoteRecord) -> VoteRecord:
    """Keep an accepted vote; a digest counts once per project, so one used before is Conflict (vote_replayed)."""
    if not insert_once(s, Vote(**vote.model_dump(exclude={"groups"}), groups=list(vote.groups))):
        raise Conflict(Code.VOTE_REPLAYED, "this vote was counted before")
    return vote


def accepted(s: Session, promotion: str) -> list[VoteRecord]:
    """A promotion's accepted votes in the order received."""
    rows = s.exec(select(Vote).where(Vote.promotion == promotion).order_by(col(Vote.ordinal)))
    return [as_record(VoteRecord, row) for row in rows]


def digest_used(s: Session, project: str, digest: Digest) -> bool:
    """Whether a vote with this digest was accepted anywhere in the project."""
    return s.exec(select(Vote.digest).where(Vote.project == project, Vote.digest == digest)).first() is not None


def last_of(s: Session, promotion: str, voter: str) -> VoteRecord | None:
    """The last accepted vote of somebody on a promotion."""
    mine = select(Vote).where(Vote.promotion == promotion, Vote.voter == voter)
    row = s.exec(mine.order_by(col(Vote.ordinal).desc()).limit(1)).one_or_none()
    return as_record(VoteRecord, row) if row else None
