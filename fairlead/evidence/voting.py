"""Votes: signed by their voter, opened without trust, verified with a key, and counted (interface.md 6, "Vote")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.contracts.canonical import Digest
from fairlead.contracts.votes import ApprovalTerms, VotePayload
from fairlead.ports import Signer


@dataclass(frozen=True, slots=True)
class OpenedVote:
    """A well-formed vote. Nothing in it is proven until `verify_vote`. `digest`: SHA-256 of the payload bytes."""

    payload: VotePayload
    keyid: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote that was not refused: the envelope verbatim, when it was received and the voter's groups then."""

    envelope: Mapping[str, Any]
    received: datetime
    groups: tuple[str, ...]


def sign_vote(signer: Signer, payload: VotePayload) -> dict[str, Any]:
    """The vote's DSSE envelope, as JSON."""
    raise NotImplementedError


def open_vote(envelope: Any) -> OpenedVote:
    """Read any JSON value as a vote. Raises BadInput: vote_too_large, vote_unsigned, vote_malformed."""
    raise NotImplementedError


def verify_vote(envelope: Any, public_pem: str) -> OpenedVote:
    """The vote, if this key signed it. Raises BadInput as `open_vote`, and vote_unknown_key, vote_bad_signature."""
    raise NotImplementedError


def vote_digest(envelope: Any) -> Digest:
    """What a vote is known by, also one that cannot be opened: of the payload bytes where there are some, else of the JSON value."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether one vote counts; `code` says why it does not."""

    counted: bool
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Marks in the order of the votes. `satisfied`: enough approvals, in all and of each group, and no reject."""

    marks: tuple[Mark, ...]
    approvals: int
    rejected: bool
    satisfied: bool


def tally(plan: Digest | None, terms: ApprovalTerms | None, votes: Sequence[CastVote]) -> Tally:
    """Count votes that were not refused: per voter the last, for this plan; never a cancel."""
    raise NotImplementedError
