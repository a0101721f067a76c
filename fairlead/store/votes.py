"""Accepted votes with their envelopes."""

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import VoteRecord


def insert(s: Session, vote: VoteRecord) -> VoteRecord:
    """Keep an accepted vote; a digest counts once per project, so one used before is Conflict (vote_replayed)."""
    raise NotImplementedError


def accepted(s: Session, promotion: str) -> list[VoteRecord]:
    """A promotion's accepted votes in the order received."""
    raise NotImplementedError


def digest_used(s: Session, project: str, digest: Digest) -> bool:
    """Whether a vote with this digest was accepted anywhere in the project."""
    raise NotImplementedError


def last_of(s: Session, promotion: str, voter: str) -> VoteRecord | None:
    """The last accepted vote of somebody on a promotion."""
    raise NotImplementedError
